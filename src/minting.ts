import { createHash } from 'node:crypto'
import type { Context } from './context.ts'
import { formatTime } from './credential.ts'
import { formatList, UserError } from './errors.ts'
import { fetchAccessToken, type Identity, resolveCredential } from './identity.ts'
import type { MintInputs } from './mint-inputs.ts'
import { findWay } from './mint/ways.ts'
import type { Minted, MintOrder, MintRecord, MintWay } from './mint/way.ts'
import { type Access, proveCredential, proveToken } from './proof.ts'
import type { WantedLogin } from './registry-login.ts'
import type { LoginReport } from './report.ts'
import type { MintState } from './state.ts'

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
  const way = findWay(job.mint.way)
  if (way === undefined) throw new Error(`There is no mint ${job.mint.way}.`)
  const revocable = way.revoker !== undefined
  const journal = openJournal(job, way, revocable ? save : () => undefined, context)
  const minted = await way.mint(orderOf(job, journal.state().name, context), journal.record, context)
  warnIfShort(job.mint, minted, context)
  const access = await prove(job.mint, way, minted, context)
  return describe(job, minted, access, revocable ? journal.state() : undefined)
}

/** What was minted, as the rest of the login takes it. */
export interface MintedLogin {
  readonly logins: readonly WantedLogin[]
  readonly state: { readonly end: string; readonly mint?: MintState }
  readonly report: LoginReport
}

function describe(
  { mint }: MintJob,
  minted: readonly Minted[],
  access: Access,
  state: MintState | undefined
): MintedLogin {
  const [first] = minted
  const end = new Date(Math.min(...minted.map((one) => one.end.getTime())))
  return {
    logins: minted.map(({ host, username, secret }) =>
      username === undefined ? { host, registryToken: secret } : { host, credential: { username, secret } }
    ),
    state: { end: formatTime(end), ...(state === undefined ? {} : { mint: state }) },
    report: {
      username: first?.username ?? '',
      password: first?.secret ?? '',
      minted: { way: mint.way, id: first?.id ?? '', access, repositories: namesOf(mint.repositories) }
    }
  }
}

/** Every repository once, whatever its hosts. */
function namesOf(repositories: MintInputs['repositories']): string[] {
  return [...new Set([...repositories.values()].flat())]
}

function planMint({ identity, iamUrl, mint, nonce }: MintJob, way: MintWay, context: Context): MintState {
  const lifetimeMs = mint.lifetimeMs ?? way.usualMs ?? way.longestMs
  return {
    way: mint.way,
    name: formatName(nonce, process.env),
    iamUrl,
    minter: identity.kind,
    digest: identity.kind === 'keyless' ? '' : digestOf(identity.secret),
    profile: identity.kind === 'keyless' ? identity.profile.value : '',
    serviceId: mint.serviceId ?? '',
    sent: false,
    made: [],
    ends: formatTime(new Date(context.now() + lifetimeMs + SLACK_MS)),
    openUntil: 0
  }
}

/** The hash by which post knows the secret that main was given. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Ends are rounded up to the minute, and clocks differ a little. */
const SLACK_MS = 60_000

const LONGEST_NAME = 100

/** `icr-login/<owner>/<repo>/<run id>/<attempt>/<nonce>`; a name that is too long loses its middle. */
export function formatName(nonce: string, env: NodeJS.ProcessEnv): string {
  const place = [env['GITHUB_REPOSITORY'], env['GITHUB_RUN_ID'], env['GITHUB_RUN_ATTEMPT']]
  const middle = place
    .filter(Boolean)
    .join('/')
    .replace(/[^\w./-]/g, '-')
  return `icr-login/${middle.slice(-(LONGEST_NAME - nonce.length - 'icr-login//'.length))}/${nonce}`
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

/**
 * For so long after a request was sent, what it asks for may still be made: the 10 s that a try waits for its answer,
 * and as long again for a service that goes on when nobody waits any more.
 */
const ON_ITS_WAY_MS = 20_000

interface Journal {
  readonly record: MintRecord
  state(): MintState
}

/** Keeps in state what post has to know, from before the first request on. */
function openJournal(
  job: MintJob,
  way: MintWay,
  save: (state: MintState) => void,
  context: Context
): Journal {
  let state = planMint(job, way, context)
  save(state)
  const requests = new Set<{ until: number }>()
  const update = (change: Partial<MintState> = {}): void => {
    const openUntil = Math.max(0, ...[...requests].map(({ until }) => until))
    state = { ...state, ...change, sent: requests.size > 0, openUntil }
    save(state)
  }
  return {
    state: () => state,
    record: {
      watch: () => {
        const request = { until: context.now() + ON_ITS_WAY_MS }
        requests.add(request)
        update()
        return (status) => {
          if (status === undefined) return
          request.until = 0
          if (isRefusal(status)) requests.delete(request)
          update()
        }
      },
      made: (id, end) => {
        update({ made: [...state.made, id], ends: formatTime(end) })
      }
    }
  }
}

/** A refused request made nothing. 408 is none: the service gave up waiting, and says no more than that. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408
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

async function prove(
  { way: name, repositories, readOnly }: MintInputs,
  way: MintWay,
  minted: readonly Minted[],
  context: Context
): Promise<Access> {
  const found = await Promise.all(
    minted
      .filter(({ host }) => (repositories.get(host) ?? []).length > 0)
      .map(async ({ host, username, secret }) => {
        const wanted = repositories.get(host) ?? []
        return username === undefined
          ? await proveToken(host, secret, wanted, context)
          : await proveCredential(host, { username, secret }, wanted, context)
      })
  )
  const access = found.length < minted.length || found.includes(undefined) ? undefined : widest(found)
  const canPush = found.includes('pull,push')
  if (readOnly && canPush) throw mayPush(name, way, repositories)
  if (access === undefined) {
    context.warn(`mint: ${name}: that the credential can only pull is not proven${whyNot(found, minted)}.`)
  } else if (!readOnly && !canPush) {
    context.warn('read-only: false: push was asked for, and the registry does not grant it.')
  }
  return access
}

function widest(found: readonly Access[]): Access {
  return found.includes('pull,push') ? 'pull,push' : 'pull'
}

function whyNot(found: readonly Access[], minted: readonly Minted[]): string {
  return found.length < minted.length
    ? ': give repositories to have it shown to the registry'
    : ': the registry does not say what its token grants. It can pull'
}

function mayPush(name: string, way: MintWay, repositories: MintInputs['repositories']): UserError {
  const names = formatList(namesOf(repositories))
  return new UserError(
    `mint: ${name}: the registry would let the minted credential push to ${names}.`,
    `${way.policy} Or give read-only: false, if the job is to push.`
  )
}
