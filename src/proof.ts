import type { Context } from './context.ts'
import type { Credential } from './credential.ts'
import { formatList, RefusedError, UserError } from './errors.ts'
import { askWith, exchange } from './registry.ts'
import { type Action, formatScope, parseGrants } from './scope.ts'

/** What the registry grants on some repositories: undefined where it could not be known. */
export type Access = 'pull' | 'pull,push' | undefined

/**
 * Shows a credential to the registry: may it pull each repository, and may it push? Nothing is written.
 * @throws UserError where it may not pull one of them
 */
export async function proveCredential(
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
export async function proveToken(
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
  const refused = repositories.filter((repository) => grants.get(repository)?.has('pull') !== true)
  if (refused.length > 0) {
    throw new UserError(
      `${host} would not let the minted credential pull ${formatList(refused)}.`,
      'Give its identity the role Reader on Container Registry for that region and namespace, or correct repositories.'
    )
  }
  return repositories.some((repository) => canPush(grants.get(repository))) ? 'pull,push' : 'pull'
}

/** Anything beyond pull changes something: `push`, `delete`, or `*`, which is everything. */
function canPush(actions: ReadonlySet<string> | undefined): boolean {
  return [...(actions ?? [])].some((action) => action !== 'pull')
}

async function readTags(
  host: string,
  token: string,
  who: string,
  repositories: readonly string[],
  context: Context
): Promise<void> {
  for (const repository of repositories)
    await askWith(host, `/v2/${repository}/tags/list`, token, who, context)
}
