import type { Context } from '../context.ts'
import { formatList } from '../errors/quote.ts'
import { RefusedError, UserError } from '../errors/user-error.ts'
import { exchange, getWithToken, retryWhileUnknown } from '../registry/client.ts'
import { type Action, formatScope, parseGrants } from '../registry/scope.ts'
import type { MintInputs } from './inputs.ts'
import type { Minted, MintMethod } from './method.ts'

/** What the registry grants on the repositories; undefined if it could not be verified. */
export type Access = 'pull' | 'pull,push' | undefined

/**
 * Checks each minted credential against the registry; warns if its access could not be verified.
 * @throws UserError if it can't pull, or can push and should not
 */
export async function verifyMinted(
  { method: name, repositories, readOnly }: MintInputs,
  method: MintMethod,
  minted: readonly Minted[],
  context: Context
): Promise<Access> {
  const wantedOf = ({ host }: Minted): readonly string[] => repositories.get(host) ?? []
  const found = await Promise.all(
    minted.map(async (one) =>
      wantedOf(one).length === 0 ? undefined : await findPushable(one, wantedOf(one), context)
    )
  )
  const pushable = [...new Set(found.flatMap((names) => names ?? []))]
  if (readOnly && pushable.length > 0) throw canPushError(name, method, pushable)
  if (found.includes(undefined)) {
    const why = minted.some((one) => wantedOf(one).length === 0)
      ? 'give repositories to have it shown to the registry'
      : 'the registry does not say what its token grants. It can pull'
    context.warning(`mint: ${name}: that the credential can only pull is not proven: ${why}.`)
    return undefined
  }
  if (pushable.length > 0) return 'pull,push'
  if (!readOnly) context.warning('read-only: false: push was asked for, and the registry does not grant it.')
  return 'pull'
}

function canPushError(name: string, method: MintMethod, pushable: readonly string[]): UserError {
  return new UserError(
    `mint: ${name}: the registry would let the minted credential push to ${formatList(pushable)}.`,
    `${method.policy} Or give read-only: false, if the job is to push.`
  )
}

type Credential = Pick<Minted, 'host' | 'username' | 'secret' | 'settlesAt'>
type Grants = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Finds the repositories that a credential can push to. Nothing is written.
 * @param repositories must all be pullable
 * @returns undefined if the registry's token does not say, or says what is not understood; it can pull in this case
 * @throws UserError if it can't pull one of them
 */
export async function findPushable(
  credential: Credential,
  repositories: readonly string[],
  context: Context
): Promise<readonly string[] | undefined> {
  const { host, username, secret } = credential
  if (username === undefined) {
    await getWithToken(host, '/v2/', secret, 'the repository token', context)
    const grants = parseGrants(secret)
    if (grants !== undefined) return readPushable(host, grants, repositories)
    await readTags(host, secret, 'the repository token', repositories, context)
    return undefined
  }
  const grants = await fetchGrants(credential, repositories, context)
  if (grants !== undefined) return readPushable(host, grants, repositories)
  const token = await fetchToken(credential, repositories, ['pull'], context)
  await readTags(host, token, username, repositories, context)
  return undefined
}

/** All repositories in one request; one by one if the registry refuses that. */
async function fetchGrants(
  credential: Credential,
  repositories: readonly string[],
  context: Context
): Promise<Grants | undefined> {
  const all = await tryFetchToken(credential, repositories, context)
  if (all !== undefined) return parseGrants(all)
  const grants = new Map<string, ReadonlySet<string>>()
  for (const repository of repositories) {
    const found = await fetchGrantsOfOne(credential, repository, context)
    if (found === undefined) return undefined
    for (const [name, actions] of found) grants.set(name, new Set([...(grants.get(name) ?? []), ...actions]))
  }
  return grants
}

/** A refusal of push followed by a grant of pull means the same as a token that grants only pull. */
async function fetchGrantsOfOne(
  credential: Credential,
  repository: string,
  context: Context
): Promise<Grants | undefined> {
  const token =
    (await tryFetchToken(credential, [repository], context)) ??
    (await fetchToken(credential, [repository], ['pull'], context))
  return parseGrants(token)
}

/** A token for pull and push; undefined if the registry refuses it. */
async function tryFetchToken(
  credential: Credential,
  repositories: readonly string[],
  context: Context
): Promise<string | undefined> {
  try {
    return await fetchToken(credential, repositories, ['pull', 'push'], context)
  } catch (error) {
    if (error instanceof RefusedError) return undefined
    throw error
  }
}

async function fetchToken(
  { host, username = '', secret, settlesAt = 0 }: Credential,
  repositories: readonly string[],
  actions: readonly Action[],
  context: Context
): Promise<string> {
  const scopes = repositories.map((repository) => formatScope(repository, actions))
  const work = async (): ReturnType<typeof exchange> =>
    await exchange(host, { username, secret }, scopes, context)
  return (await retryWhileUnknown(host, settlesAt, work, context)).token
}

/** @throws UserError if one of the repositories can't be pulled */
function readPushable(host: string, grants: Grants, repositories: readonly string[]): readonly string[] {
  const refused = repositories.filter((repository) => grants.get(repository)?.has('pull') !== true)
  if (refused.length > 0) {
    throw new UserError(
      `${host} would not let the minted credential pull ${formatList(refused)}.`,
      'Give its identity the role Reader on Container Registry for that region and namespace, or correct repositories.'
    )
  }
  return [...grants].filter(([, actions]) => canPush(actions)).map(([repository]) => repository)
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
