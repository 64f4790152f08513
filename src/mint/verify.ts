import type { Context } from '../context.ts'
import type { Credential } from '../credential/credential.ts'
import { RefusedError, UserError } from '../errors/user-error.ts'
import { formatList } from '../errors/quote.ts'
import type { MintInputs } from './inputs.ts'
import type { Minted, MintMethod } from './method.ts'
import { getWithToken, exchange } from '../registry/client.ts'
import { type Action, formatScope, parseGrants } from '../registry/scope.ts'

/** What the registry grants on some repositories: undefined where it could not be known. */
export type Access = 'pull' | 'pull,push' | undefined

/**
 * Shows all that was minted to the registry, and says what is not proven.
 * @throws UserError where it may not pull, or may push and should not
 */
export async function verifyMinted(
  { method: name, repositories, readOnly }: MintInputs,
  method: MintMethod,
  minted: readonly Minted[],
  context: Context
): Promise<Access> {
  const found = await Promise.all(
    minted.flatMap((one) => {
      const wanted = repositories.get(one.host) ?? []
      return wanted.length === 0 ? [] : [verifyOne(one, wanted, context)]
    })
  )
  const access = found.length < minted.length || found.includes(undefined) ? undefined : widest(found)
  const canPush = found.includes('pull,push')
  if (readOnly && canPush) throw canPushError(name, method, repositories)
  if (access === undefined) {
    context.warning(`mint: ${name}: that the credential can only pull is not proven${whyNot(found, minted)}.`)
  } else if (!readOnly && !canPush) {
    context.warning('read-only: false: push was asked for, and the registry does not grant it.')
  }
  return access
}

async function verifyOne(
  { host, username, secret }: Minted,
  wanted: readonly string[],
  context: Context
): Promise<Access> {
  return username === undefined
    ? await verifyTokenAccess(host, secret, wanted, context)
    : await verifyCredentialAccess(host, { username, secret }, wanted, context)
}

function widest(found: readonly Access[]): Access {
  return found.includes('pull,push') ? 'pull,push' : 'pull'
}

function whyNot(found: readonly Access[], minted: readonly Minted[]): string {
  return found.length < minted.length
    ? ': give repositories to have it shown to the registry'
    : ': the registry does not say what its token grants. It can pull'
}

function canPushError(name: string, method: MintMethod, repositories: MintInputs['repositories']): UserError {
  const names = formatList(namesOf(repositories))
  return new UserError(
    `mint: ${name}: the registry would let the minted credential push to ${names}.`,
    `${method.policy} Or give read-only: false, if the job is to push.`
  )
}

/** Every repository once, whatever its hosts. */
export function namesOf(repositories: MintInputs['repositories']): string[] {
  return [...new Set([...repositories.values()].flat())]
}

/**
 * Shows a credential to the registry: may it pull each repository, and may it push? Nothing is written.
 * @throws UserError where it may not pull one of them
 */
export async function verifyCredentialAccess(
  host: string,
  credential: Credential,
  repositories: readonly string[],
  context: Context
): Promise<Access> {
  const grants = await askGrants(host, credential, repositories, context)
  if (grants !== undefined) return readAccess(host, grants, repositories)
  const { token } = await exchange(host, credential, scopes(repositories, ['pull']), context)
  await readTags(host, token, credential.username, repositories, context)
  return undefined
}

/**
 * The same for a token of the registry's own, which says itself what it is good for.
 * @throws as proveCredential
 */
export async function verifyTokenAccess(
  host: string,
  token: string,
  repositories: readonly string[],
  context: Context
): Promise<Access> {
  const grants = parseGrants(token)
  if (grants !== undefined) return readAccess(host, grants, repositories)
  await readTags(host, token, 'the repository token', repositories, context)
  return undefined
}

type Grants = ReadonlyMap<string, ReadonlySet<string>>

/** All repositories in one question; one by one where the registry refuses the whole of it. */
async function askGrants(
  host: string,
  credential: Credential,
  repositories: readonly string[],
  context: Context
): Promise<Grants | undefined> {
  const all = await tryExchange(host, credential, scopes(repositories, ['pull', 'push']), context)
  if (all !== undefined) return parseGrants(all)
  const grants = new Map<string, ReadonlySet<string>>()
  for (const repository of repositories) {
    const found = await askGrantsOfOne(host, credential, repository, context)
    if (found === undefined) return undefined
    grants.set(repository, found)
  }
  return grants
}

/** A refusal of push followed by a grant of pull says as much as a token that grants pull alone. */
async function askGrantsOfOne(
  host: string,
  credential: Credential,
  repository: string,
  context: Context
): Promise<ReadonlySet<string> | undefined> {
  const larger = await tryExchange(host, credential, scopes([repository], ['pull', 'push']), context)
  const token = larger ?? (await exchange(host, credential, scopes([repository], ['pull']), context)).token
  const grants = parseGrants(token)
  return grants === undefined ? undefined : (grants.get(repository) ?? new Set())
}

async function tryExchange(
  host: string,
  credential: Credential,
  wanted: readonly string[],
  context: Context
): Promise<string | undefined> {
  try {
    return (await exchange(host, credential, wanted, context)).token
  } catch (error) {
    if (error instanceof RefusedError) return undefined
    throw error
  }
}

function scopes(repositories: readonly string[], actions: readonly Action[]): string[] {
  return repositories.map((repository) => formatScope(repository, actions))
}

function readAccess(host: string, grants: Grants, repositories: readonly string[]): Access {
  const granted = (repository: string): ReadonlySet<string> => grants.get(repository) ?? new Set()
  const refused = repositories.filter((repository) => !granted(repository).has('pull'))
  if (refused.length > 0) {
    throw new UserError(
      `${host} would not let the minted credential pull ${formatList(refused)}.`,
      'Give its identity the role Reader on Container Registry for that region and namespace, or correct repositories.'
    )
  }
  return repositories.some((repository) => canPush(granted(repository))) ? 'pull,push' : 'pull'
}

/** Anything beyond pull changes something: `push`, `delete`, or `*`, which is everything. */
function canPush(actions: ReadonlySet<string>): boolean {
  return [...actions].some((action) => action !== 'pull')
}

async function readTags(
  host: string,
  token: string,
  who: string,
  repositories: readonly string[],
  context: Context
): Promise<void> {
  for (const repository of repositories)
    await getWithToken(host, `/v2/${repository}/tags/list`, token, who, context)
}
