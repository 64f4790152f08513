import type { Context } from '../context.ts'
import { formatTime } from '../credential/credential.ts'
import { fetchAccessToken, type Identity, resolveCredential } from '../credential/identity.ts'
import type { MintInputs } from './inputs.ts'
import { openJournal, SLACK_MS } from './journal.ts'
import { WAYS } from './methods.ts'
import type { Minted, MintOrder, MintWay } from './method.ts'
import { type Access, namesOf, proveMinted } from './verify.ts'
import type { WantedLogin } from '../docker/login.ts'
import type { LoginReport } from '../runner/report.ts'
import type { MintState } from '../runner/state.ts'

/** The job that mints. */
export interface MintJob {
  readonly hosts: readonly string[]
  readonly identity: Identity
  readonly iamUrl: string
  readonly mint: MintInputs
  /** Names this use of the action. */
  readonly nonce: string
}

/**
 * Mints, and shows what was minted to the registry before the job goes on.
 * @param save writes to state what post has to revoke; called before each request that may make something
 * @throws UserError where it can't be minted, may not pull, or may push and should not
 */
export async function mintForJob(
  job: MintJob,
  save: (state: MintState) => void,
  context: Context
): Promise<MintedLogin> {
  const way: MintWay = WAYS[job.mint.way]
  const journal = openJournal(job, way, way.revoker === undefined ? () => undefined : save, context)
  const minted = await way.mint(orderOf(job, journal.state().name, context), journal.record, context)
  warnIfShort(job.mint, minted, context)
  const access = await proveMinted(job.mint, way, minted, context)
  return describe(job, minted, access, journal.state())
}

/** What was minted, as the rest of the login takes it. */
export interface MintedLogin {
  readonly logins: readonly WantedLogin[]
  readonly state: { readonly end: string; readonly mint: MintState }
  readonly report: LoginReport
}

function describe(
  { mint }: MintJob,
  minted: readonly Minted[],
  access: Access,
  state: MintState
): MintedLogin {
  const [first] = minted
  const end = new Date(Math.min(...minted.map((one) => one.end.getTime())))
  return {
    logins: minted.map(({ host, username, secret }) =>
      username === undefined ? { host, registryToken: secret } : { host, credential: { username, secret } }
    ),
    state: { end: formatTime(end), mint: state },
    report: {
      username: first?.username ?? '',
      password: first?.secret,
      minted: { way: mint.way, id: first?.id ?? '', access, repositories: namesOf(mint.repositories) }
    }
  }
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

function warnIfShort({ way, lifetimeMs }: MintInputs, minted: readonly Minted[], context: Context): void {
  const shortest = minted.toSorted((a, b) => lastsMs(a) - lastsMs(b))[0]
  if (lifetimeMs === undefined || shortest === undefined || lastsMs(shortest) + SLACK_MS >= lifetimeMs) return
  context.warn(
    `lifetime: the job needs ${formatMinutes(lifetimeMs)}, and mint: ${way} gave ${formatMinutes(lastsMs(shortest))} ` +
      `(until ${formatTime(shortest.end)}). mint: api-key lasts up to 24h.`
  )
}

function lastsMs({ start, end }: Minted): number {
  return end.getTime() - start.getTime()
}

function formatMinutes(milliseconds: number): string {
  return `${Math.floor(milliseconds / 6_000) / 10} min`
}
