import type { Context } from './context.ts'
import { parseTrustedProfile } from './credential.ts'
import { formatList, messageOf, UserError } from './errors.ts'
import { fetchAccessToken, type Identity } from './identity.ts'
import { findWay } from './mint/ways.ts'
import type { MintedId, RevokeOrder, Revoker } from './mint/way.ts'
import { digestOf } from './mint-journal.ts'
import type { MintState } from './state.ts'

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
  readSecret: (minter: Exclude<MintState['minter'], 'keyless'>) => string | undefined,
  context: Context
): Promise<string | undefined> {
  const revoker = findWay(state.way)?.revoker
  if (revoker === undefined) return undefined
  try {
    const identity = readIdentity(state, readSecret)
    const gone = await removeAll(state, orderOf(state, hosts, identity, context), revoker, context)
    return gone.length === 0 ? undefined : `Revoked the minted ${describeIds(state, gone)}.`
  } catch (error) {
    const what = describeIds(
      state,
      state.made.map(({ id }) => id)
    )
    throw new UserError(
      `The minted ${what} could not be revoked: ${messageOf(error).split('\n').join(' ')}`,
      `If it was made, it ends ${state.ends} at the latest. Delete it in the IBM Cloud console before.`
    )
  }
}

function describeIds({ way, name }: MintState, ids: readonly string[]): string {
  return `${way} ${ids.length === 0 ? `named ${name}` : formatList(ids)}`
}

/** A secret that another step has put in the place of the job's own is not sent anywhere. */
function readIdentity(
  { minter, digest, profile }: MintState,
  readSecret: (minter: Exclude<MintState['minter'], 'keyless'>) => string | undefined
): Identity {
  if (minter === 'keyless') return { kind: 'keyless', profile: parseTrustedProfile(profile) }
  const secret = readSecret(minter)
  if (secret !== undefined && digestOf(secret) === digest) return { kind: minter, secret }
  throw new UserError(
    `${minter} is not what it was when it minted, so it was not used.`,
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

async function removeAll(
  { made, openUntil }: MintState,
  order: RevokeOrder,
  revoker: Revoker,
  context: Context
): Promise<string[]> {
  const gone = new Set<string>()
  let known: readonly MintedId[] = made
  for (;;) {
    const found = await revoker.list(order, context)
    const left = new Map([...known, ...found].map((one) => [`${one.host ?? ''} ${one.id}`, one]))
    for (const one of left.values()) {
      await revoker.remove(order, one, context)
      gone.add(one.id)
    }
    known = []
    const settled = context.now() >= openUntil
    if (found.length === 0 && settled) return [...gone]
    await context.sleep(settled ? RELIST_MS : Math.min(POLL_MS, openUntil - context.now()))
  }
}
