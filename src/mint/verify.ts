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
  { policy }: MintMethod,
  minted: readonly Minted[],
  context: Context
): Promise<Access> {
  const unnamed = minted.some(({ host }) => (repositories.get(host) ?? []).length === 0)
  const found = await Promise.all(
    minted.map(async (one) => await findPushable(one, repositories.get(one.host) ?? [], context))
  )
  const pushable = [...new Set(found.flatMap((names) => names ?? []))]
  if (readOnly && pushable.length > 0) {
    throw new UserError(
      `mint: ${name}: the registry would let the minted credential push to ${formatList(pushable)}.`,
      `${policy} Or give read-only: false, if the job is to push.`
    )
  }
  if (found.includes(undefined)) {
    const why = unnamed
      ? 'give repositories to have it shown to the registry'
      : 'the registry does not say what its token grants. It can pull'
    context.warning(`mint: ${name}: that the credential can only pull is not proven: ${why}.`)
    return undefined
  }
  if (pushable.length > 0) return 'pull,push'
  if (!readOnly) context.warning('read-only: false: push was asked for, and the registry does not grant it.')
  return 'pull'
}

type Credential = Pick<Minted, 'host' | 'username' | 'secret' | 'settlesAt'>
type Grants = ReturnType<typeof parseGrants>

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
  if (repositories.length === 0) return undefined
  const { host, username, secret } = credential
  const who = username ?? 'the repository token'
  if (username === undefined) await getWithToken(host, '/v2/', secret, who, context)
  const grants =
    username === undefined ? parseGrants(secret) : await fetchGrants(credential, repositories, context)
  if (grants !== undefined) return readPushable(host, grants, repositories)
  const token =
    username === undefined ? secret : await fetchToken(credential, repositories, ['pull'], context)
  for (const repository of repositories)
    await getWithToken(host, `/v2/${repository}/tags/list`, token, who, context)
  return undefined
}

/**
 * All repositories in one request; one by one if the registry refuses that. A refusal of push followed by a grant of
 * pull means the same as a token that grants only pull.
 */
async function fetchGrants(
  credential: Credential,
  repositories: readonly string[],
  context: Context
): Promise<Grants> {
  try {
    return parseGrants(await fetchToken(credential, repositories, ['pull', 'push'], context))
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
  }
  if (repositories.length === 1)
    return parseGrants(await fetchToken(credential, repositories, ['pull'], context))
  const grants = new Map<string, ReadonlySet<string>>()
  for (const repository of repositories) {
    const found = await fetchGrants(credential, [repository], context)
    if (found === undefined) return undefined
    for (const [name, actions] of found) grants.set(name, new Set([...(grants.get(name) ?? []), ...actions]))
  }
  return grants
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

/** Anything beyond pull changes something: `push`, `delete`, or `*`, which is everything. */
function readPushable(
  host: string,
  grants: NonNullable<Grants>,
  repositories: readonly string[]
): readonly string[] {
  const refused = repositories.filter((repository) => grants.get(repository)?.has('pull') !== true)
  if (refused.length > 0) {
    throw new UserError(
      `${host} would not let the minted credential pull ${formatList(refused)}.`,
      'Give its identity the role Reader on Container Registry for that region and namespace, or correct repositories.'
    )
  }
  const pushable = [...grants].filter(([, actions]) => [...actions].some((action) => action !== 'pull'))
  return pushable.map(([repository]) => repository)
}
