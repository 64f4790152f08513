import { type Context, timeLeft } from '../context.ts'
import { parseTrustedProfile, type SecretKind } from '../credential/credential.ts'
import type { Identity } from '../credential/identity.ts'
import { formatList, formatTime } from '../errors/quote.ts'
import { quoteId } from '../errors/redact.ts'
import { messageOf, RefusedError, UserError } from '../errors/user-error.ts'
import { fetchAccessToken } from '../iam/access-token.ts'
import type { MintedId, MintState } from './journal.ts'
import type { RevokeJob, Revoker } from './method.ts'
import { isMethodName, METHODS } from './methods.ts'
import { digestOf } from './mint.ts'

const POLL_MS = 1_000
const RELIST_MS = 100

/** What one revocation works with. */
interface Revocation extends Revoker {
  readonly job: RevokeJob
  /** What was removed, by ID. */
  readonly gone: Map<string, MintedId>
  readonly context: Context
}

/**
 * Revokes what was minted: by its ID, and by its unique name over all pages of the list, until no request of that
 * mint can still be in flight. Then it is looked up again.
 * @param readSecret reads an input again
 * @returns one line that says what was revoked; undefined if there was nothing
 * @throws UserError that names what is left, and until when
 */
export async function revokeMinted(
  state: MintState,
  hosts: readonly string[],
  readSecret: (kind: SecretKind) => string | undefined,
  context: Context
): Promise<string | undefined> {
  const revoker = isMethodName(state.method) ? METHODS[state.method].revoker : undefined
  if (revoker === undefined) return undefined
  const gone = new Map<string, MintedId>()
  try {
    const identity = readIdentity(state, readSecret)
    let token: ReturnType<RevokeJob['accessToken']> | undefined
    const accessToken: RevokeJob['accessToken'] = async () =>
      await (token ??= fetchAccessToken(identity, state.iamUrl, context))
    await removeAll(state, { ...revoker, job: { ...state, hosts, accessToken }, gone, context })
  } catch (error) {
    // Main reported the same refusal.
    if (state.made.length + state.unanswered === 0 && error instanceof RefusedError) return undefined
    const left = state.made.map(({ id }) => id).filter((id) => !gone.has(id))
    const late = timeLeft(context) === 0 ? 'cleanup ran out of time. ' : ''
    // Without its hint, which may be to run the job again.
    const why = error instanceof UserError ? error.summary : messageOf(error)
    throw new UserError(
      `The minted ${describeIds(state, left)} could not be revoked: ${late}${why.replaceAll('\n', ' ')}`,
      formatRest(state)
    )
  }
  warnIfDoubtful(state, gone.size, context)
  return gone.size === 0 ? undefined : `Revoked the minted ${describeIds(state, [...gone.keys()])}.`
}

/** Other objects of IAM's took minutes to be known everywhere (docs/references.md, "API keys"). */
const LIST_LAG_MS = 5 * 60_000

/** A request without a response may have minted something that IBM Cloud does not list yet. */
function warnIfDoubtful(state: MintState, gone: number, context: Context): void {
  if (state.unanswered <= gone - state.made.length || context.now() > state.lastSentAt + LIST_LAG_MS) return
  const what = `A request for the ${describeIds(state, [])} got no clear response, and nothing of that name was found.`
  context.warning(`${what} ${formatRest(state)}`)
}

function formatRest({ expiresAt }: MintState): string {
  return `If it was made, it ends ${expiresAt} at the latest. To revoke it earlier, delete it in the IBM Cloud console.`
}

function describeIds({ method, name }: MintState, ids: readonly string[]): string {
  return `${method} ${ids.length === 0 ? `named ${name}` : formatList(ids.map(quoteId))}`
}

/** A secret that another step replaced is not sent anywhere. */
function readIdentity(
  { authMethod, digest, profile }: MintState,
  readSecret: (kind: SecretKind) => string | undefined
): Identity {
  if (authMethod === 'keyless') return { kind: 'keyless', profile: parseTrustedProfile(profile) }
  const secret = readSecret(authMethod)
  if (secret !== undefined && digestOf(secret) === digest) return { kind: authMethod, secret }
  throw new UserError(
    `${authMethod} is not what it was when it minted, so it was not used.`,
    'Did a step change it?'
  )
}

/** By ID first, as the list may not be readable; then by name, and by ID again: a deletion may not be final yet. */
async function removeAll({ made, openUntil }: MintState, revocation: Revocation): Promise<void> {
  const { job, gone, list, context } = revocation
  const first = await removeEach(made, revocation)
  if (context.now() < openUntil) {
    const until = formatTime(new Date(openUntil))
    context.info(`A request of the mint may still be on its way: looking for what it made until ${until}.`)
  }
  // Requested again, it would be refused again.
  const refused = new Map([...first].filter(([, error]) => error instanceof RefusedError))
  let living: MintedId[] = []
  for (;;) {
    const settled = context.now() >= openUntil
    const found = await list(job, context)
    if (settled) living = await findLiving(living, revocation)
    const known = [...made.filter(({ id }) => !gone.has(id)), ...living, ...found]
    const left = new Map(known.map((one) => [`${one.host ?? ''} ${one.id}`, one]))
    const open = [...left.values()].filter((one) => !refused.has(one.id))
    const failed = await removeEach(open, revocation)
    for (const error of [...refused.values(), ...failed.values()]) throw error
    if (found.length + living.length === 0 && settled) return
    // Although it was just deleted again.
    for (const { id } of living) gone.delete(id)
    if (living.length > 0 && timeLeft(context) <= POLL_MS)
      throw new UserError('IBM Cloud accepted the deletion, but still has it.', 'Delete it in the console.')
    const wait = settled && living.length === 0 ? RELIST_MS : POLL_MS
    await context.sleep(settled ? wait : Math.min(wait, Math.max(0, openUntil - context.now())))
  }
}

/** What the service still has by its ID, although it accepted the deletion, or did not find it: it is not gone. */
async function findLiving(
  before: readonly MintedId[],
  { job, gone, exists, context }: Revocation
): Promise<MintedId[]> {
  const living: MintedId[] = []
  await Promise.all(
    [...gone.values(), ...before].map(async (one) => {
      if ((await exists?.(job, one, context)) !== true) return gone.set(one.id, one)
      gone.delete(one.id)
      return living.push(one)
    })
  )
  return living
}

/** One that can't be removed does not keep another from it: what failed, by ID. */
async function removeEach(
  all: readonly MintedId[],
  { job, gone, remove, context }: Revocation
): Promise<Map<string, unknown>> {
  const failed = new Map<string, unknown>()
  await Promise.all(
    all.map(async (one) => {
      try {
        await remove(job, one, context)
        gone.set(one.id, one)
      } catch (error) {
        failed.set(one.id, error)
      }
    })
  )
  return failed
}
