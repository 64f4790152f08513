import type { Context } from '../context.ts'
import { formatTime } from '../errors/quote.ts'
import { fetchAccessToken, resolveCredential } from '../iam/access-token.ts'
import type { MintInputs } from './inputs.ts'
import { type MintState, openJournal, SLACK_MS } from './journal.ts'
import { METHODS } from './methods.ts'
import type { Minted, MintJob, MintMethod, MintOrder } from './method.ts'
import { type Access, verifyMinted } from './verify.ts'

/** What was minted for the job. */
export interface MintResult {
  /** One for each host. */
  readonly minted: readonly Minted[]
  readonly access: Access
  readonly state: MintState
}

/**
 * Mints, and verifies what was minted with the registry before the job goes on.
 * @param save writes to state what post has to revoke; called before each request that may make something
 * @throws UserError where it can't be minted, may not pull, or may push and should not
 */
export async function mintForJob(
  job: MintJob,
  save: (state: MintState) => void,
  context: Context
): Promise<MintResult> {
  const method: MintMethod = METHODS[job.mint.method]
  const journal = openJournal(job, method, method.revoker === undefined ? () => undefined : save, context)
  const minted = await method.mint(orderOf(job, journal.state().name, context), journal.record, context)
  warnIfShort(job.mint, minted, context)
  const access = await verifyMinted(job.mint, method, minted, context)
  return { minted, access, state: journal.state() }
}

function orderOf({ hosts, identity, iamUrl, mint }: MintJob, name: string, context: Context): MintOrder {
  return {
    ...mint,
    name,
    hosts,
    iamUrl,
    credential: async () => await resolveCredential(identity, iamUrl, context),
    accessToken: async () => await fetchAccessToken(identity, iamUrl, context)
  }
}

function warnIfShort({ method, lifetimeMs }: MintInputs, minted: readonly Minted[], context: Context): void {
  const shortest = minted.toSorted((a, b) => lastsMs(a) - lastsMs(b))[0]
  if (lifetimeMs === undefined || shortest === undefined || lastsMs(shortest) + SLACK_MS >= lifetimeMs) return
  context.warning(
    `lifetime: the job needs ${formatMinutes(lifetimeMs)}, and mint: ${method} gave ${formatMinutes(lastsMs(shortest))} ` +
      `(until ${formatTime(shortest.expiresAt)}). mint: api-key lasts up to 24h.`
  )
}

function lastsMs({ issuedAt, expiresAt }: Minted): number {
  return expiresAt.getTime() - issuedAt.getTime()
}

function formatMinutes(milliseconds: number): string {
  return `${Math.floor(milliseconds / 6_000) / 10} min`
}
