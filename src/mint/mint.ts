import { createHash } from 'node:crypto'
import type { Context } from '../context.ts'
import type { Identity } from '../credential/identity.ts'
import { formatTime } from '../errors/quote.ts'
import { fetchAccessToken, resolveCredential } from '../iam/access-token.ts'
import type { MintInputs } from './inputs.ts'
import { type MintState, openJournal } from './journal.ts'
import type { Minted, MintMethod } from './method.ts'
import { METHODS } from './methods.ts'
import { type Access, verifyMinted } from './verify.ts'

interface Login {
  readonly hosts: readonly string[]
  readonly identity: Identity
  readonly iamUrl: string
  readonly mint: MintInputs
  readonly loginId: string
}

/**
 * Mints one credential for each host, and verifies them with the registry before the job goes on.
 * @param save writes to state what post has to revoke; called before each request that can mint something
 * @throws UserError if it can't be minted, can't pull, or can push and should not
 */
export async function mintForJob(
  login: Login,
  save: (state: MintState) => void,
  context: Context
): Promise<{ readonly minted: readonly Minted[]; readonly access: Access; readonly state: MintState }> {
  const { hosts, identity, iamUrl, mint } = login
  const method = METHODS[mint.method]
  const plan = planMint(login, method, context)
  const journal = openJournal(plan, method.revoker === undefined ? () => undefined : save, context)
  context.checkActive()
  const job = {
    ...mint,
    name: plan.name,
    hosts,
    iamUrl,
    credential: async () => await resolveCredential(identity, iamUrl, context),
    accessToken: async () => await fetchAccessToken(identity, iamUrl, context)
  }
  const minted = await method.mint(job, journal, context)
  warnIfShort(mint, minted, context)
  const access = await verifyMinted(mint, method, minted, context)
  return { minted, access, state: journal.state() }
}

/** `expires_at` is rounded up to the minute, and clocks differ a little. */
const SLACK_MS = 60_000

function planMint(
  { identity, iamUrl, mint, loginId }: Login,
  method: MintMethod,
  context: Context
): MintState {
  const lifetimeMs = mint.lifetimeMs ?? method.defaultLifetimeMs ?? method.maxLifetimeMs
  return {
    method: mint.method,
    name: formatName(loginId, process.env),
    iamUrl,
    authMethod: identity.kind,
    // Post reads the secret only if there is something to revoke.
    digest: identity.kind === 'keyless' || method.revoker === undefined ? '' : digestOf(identity.secret),
    profile: identity.kind === 'keyless' ? identity.profile.value : '',
    serviceId: mint.serviceId,
    sent: false,
    unanswered: 0,
    lastSentAt: 0,
    made: [],
    expiresAt: formatTime(new Date(context.now() + lifetimeMs + SLACK_MS)),
    openUntil: 0
  }
}

/** The hash by which post recognizes the secret that main used. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

const MAX_NAME_LENGTH = 100

/** `icr-login/<owner>/<repo>/<run id>/<attempt>/<login ID>`; a name that is too long is cut at the owner. */
export function formatName(loginId: string, env: NodeJS.ProcessEnv): string {
  const run = [env['GITHUB_REPOSITORY'], env['GITHUB_RUN_ID'], env['GITHUB_RUN_ATTEMPT']]
  const middle = run.filter(Boolean).join('/')
  const space = MAX_NAME_LENGTH - loginId.length - 'icr-login//'.length
  return `icr-login/${middle.replace(/[^\w./-]/g, '-').slice(-space)}/${loginId}`
}

function warnIfShort({ method, lifetimeMs }: MintInputs, minted: readonly Minted[], context: Context): void {
  const lifetimeOf = ({ issuedAt, expiresAt }: Minted): number => expiresAt.getTime() - issuedAt.getTime()
  const shortest = minted.toSorted((a, b) => lifetimeOf(a) - lifetimeOf(b))[0]
  if (lifetimeMs === undefined || shortest === undefined || lifetimeOf(shortest) + SLACK_MS >= lifetimeMs)
    return
  const minutes = (milliseconds: number): string => `${Math.floor(milliseconds / 6_000) / 10} min`
  context.warning(
    `lifetime: the job needs ${minutes(lifetimeMs)}, and mint: ${method} gave ${minutes(lifetimeOf(shortest))} ` +
      `(until ${formatTime(shortest.expiresAt)}). mint: api-key lasts up to 24h.`
  )
}
