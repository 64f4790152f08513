import type { Context } from '../context.ts'
import { parseTrustedProfile } from '../credential/credential.ts'
import { formatTime } from '../errors/quote.ts'
import { quoteId } from '../errors/redact.ts'
import { messageOf, RefusedError, UserError } from '../errors/user-error.ts'
import { formatList } from '../errors/quote.ts'
import { type Identity } from '../credential/identity.ts'
import { fetchAccessToken } from '../iam/access-token.ts'
import { findMethod } from './methods.ts'
import type { MintedId, RevokeOrder, Revoker } from './method.ts'
import { digestOf, type MintState } from './journal.ts'

const POLL_MS = 1_000
const RELIST_MS = 100

/**
 * Revokes what was minted: by its ID, and by its unique name over all pages of the list, until no request of that
 * mint can still be on its way. Then it is read back.
 * @param readSecret reads an input again
 * @returns one line that says what was revoked; undefined where there was nothing
 * @throws UserError that names what is left, and until when
 */
export async function revokeMinted(
  state: MintState,
  hosts: readonly string[],
  readSecret: (authMethod: Exclude<MintState['authMethod'], 'keyless'>) => string | undefined,
  context: Context
): Promise<string | undefined> {
  const revoker = findMethod(state.method)?.revoker
  if (revoker === undefined) return undefined
  const gone = new Set<string>()
  try {
    const identity = readIdentity(state, readSecret)
    await removeAll(state, orderOf(state, hosts, identity, context), gone, revoker, context)
    return gone.size === 0 ? undefined : `Revoked the minted ${describeIds(state, [...gone])}.`
  } catch (error) {
    const left = state.made.map(({ id }) => id).filter((id) => !gone.has(id))
    const what = describeIds(state, left)
    throw new UserError(
      `The minted ${what} could not be revoked: ${messageOf(error).split('\n').join(' ')}`,
      `If it was made, it ends ${state.expiresAt} at the latest. Delete it in the IBM Cloud console before.`
    )
  }
}

function describeIds({ method, name }: MintState, ids: readonly string[]): string {
  return `${method} ${ids.length === 0 ? `named ${name}` : formatList(ids.map(quoteId))}`
}

/** A secret that another step has put in the place of the job's own is not sent anywhere. */
function readIdentity(
  { authMethod, digest, profile }: MintState,
  readSecret: (authMethod: Exclude<MintState['authMethod'], 'keyless'>) => string | undefined
): Identity {
  if (authMethod === 'keyless') return { kind: 'keyless', profile: parseTrustedProfile(profile) }
  const secret = readSecret(authMethod)
  if (secret !== undefined && digestOf(secret) === digest) return { kind: authMethod, secret }
  throw new UserError(
    `${authMethod} is not what it was when it minted, so it was not used.`,
    'Did a step change it?'
  )
}

function orderOf(
  state: MintState,
  hosts: readonly string[],
  identity: Identity,
  context: Context
): RevokeOrder {
  let token: Promise<string> | undefined
  return {
    ...state,
    hosts,
    accessToken: () =>
      (token ??= fetchAccessToken(identity, state.iamUrl, context).then((fetched) => fetched.token))
  }
}

/** By ID first, as the list may not be readable; then by name, which also shows that all is gone. */
async function removeAll(
  { made, openUntil }: MintState,
  order: RevokeOrder,
  gone: Set<string>,
  revoker: Revoker,
  context: Context
): Promise<void> {
  const first = await removeEach(made, order, gone, revoker, context)
  if (context.now() < openUntil) {
    const until = formatTime(new Date(openUntil))
    context.info(`A request of the mint may still be on its way: looking for what it made until ${until}.`)
  }
  // Asked for again, it would be refused again.
  const refused = new Map([...first].filter(([, error]) => error instanceof RefusedError))
  for (;;) {
    const settled = context.now() >= openUntil
    const found = await revoker.list(order, context)
    const known = [...made.filter(({ id }) => !gone.has(id)), ...found]
    const left = new Map(known.map((one) => [`${one.host ?? ''} ${one.id}`, one]))
    const asked = [...left.values()].filter((one) => !refused.has(one.id))
    const failed = await removeEach(asked, order, gone, revoker, context)
    for (const error of [...refused.values(), ...failed.values()]) throw error
    if (found.length === 0 && settled) return
    await context.sleep(settled ? RELIST_MS : Math.min(POLL_MS, Math.max(0, openUntil - context.now())))
  }
}

/** One that can't be removed keeps no other from it: what failed, by ID. */
async function removeEach(
  all: readonly MintedId[],
  order: RevokeOrder,
  gone: Set<string>,
  revoker: Revoker,
  context: Context
): Promise<Map<string, unknown>> {
  const failed = new Map<string, unknown>()
  await Promise.all(
    all.map(async (one) => {
      try {
        await revoker.remove(order, one, context)
        gone.add(one.id)
      } catch (error) {
        failed.set(one.id, error)
      }
    })
  )
  return failed
}
