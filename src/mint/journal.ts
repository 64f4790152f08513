import { createHash } from 'node:crypto'
import type { Context } from '../context.ts'
import { formatTime, isTime } from '../errors/quote.ts'
import { isIamOrigin } from '../iam/url.ts'
import { isObject } from '../json.ts'
import { isAllowedHost } from '../registry/hosts.ts'
import type { AuthMethod, MintedId, MintJob, MintMethod, MintRecord } from './method.ts'

/** What post needs to find and revoke what was minted; written down before the first request that makes it. */
export interface MintState {
  readonly method: string
  /** The name that it carries at IBM Cloud. */
  readonly name: string
  readonly iamUrl: string
  readonly authMethod: AuthMethod
  /** The hash of the secret that minted; empty where there was none. */
  readonly digest: string
  /** The trusted profile of a keyless identity, else empty. */
  readonly profile: string
  /** Whose key was made; empty where it was no key. */
  readonly serviceId: string
  /** Whether a request was sent that was not refused, so that there may be something. */
  readonly sent: boolean
  readonly made: readonly MintedId[]
  /** When it ends at the latest, in ISO 8601. */
  readonly expiresAt: string
  /** Until then a request without an answer may still make something; milliseconds since 1970, 0 for none. */
  readonly openUntil: number
}

/** Whether what state holds is what a mint saved: another step can have changed it. */
export function isMintState(state: unknown): state is MintState {
  if (!isObject(state)) return false
  const { method, name, iamUrl, authMethod, digest, profile, serviceId, sent, made, expiresAt, openUntil } =
    state
  return (
    [method, name, iamUrl, authMethod, digest, profile, serviceId, expiresAt].every(
      (value) => typeof value === 'string'
    ) &&
    /^icr-login\/[\w./-]{1,100}$/.test(String(name)) &&
    isIamOrigin(String(iamUrl)) &&
    (serviceId === '' || /^iam-ServiceId-[\w-]+$/.test(String(serviceId))) &&
    Array.isArray(made) &&
    made.every(isMintedId) &&
    typeof sent === 'boolean' &&
    isTime(expiresAt) &&
    typeof openUntil === 'number'
  )
}

function isMintedId(value: unknown): boolean {
  if (!isObject(value)) return false
  const { id, host } = value
  const known = host === undefined || (typeof host === 'string' && isAllowedHost(host))
  return known && typeof id === 'string' && /^[\w-]{1,100}$/.test(id)
}

/** Ends are rounded up to the minute, and clocks differ a little. */
export const SLACK_MS = 60_000

/**
 * For so long after a request was sent, what it asks for may still be made: the 10 s that a try waits for its answer,
 * and as long again for a service that goes on when nobody waits any more.
 */
const ON_ITS_WAY_MS = 20_000

export interface Journal {
  readonly record: MintRecord
  state(): MintState
}

/**
 * Keeps in state what post has to know, from before the first request on.
 * @param save writes it to state
 */
export function openJournal(
  job: MintJob,
  method: MintMethod,
  save: (state: MintState) => void,
  context: Context
): Journal {
  let state = planMint(job, method, context)
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
          if (status === undefined || isDoubtful(status)) return
          request.until = 0
          // A refused request made nothing.
          if (status >= 400) requests.delete(request)
          update()
        }
      },
      made: (id, expiresAt) => {
        update({ made: [...state.made, id], expiresAt: formatTime(expiresAt) })
      }
    }
  }
}

/** A gateway that lost patience, or a service that stumbled: the work on the request may go on behind it. */
function isDoubtful(status: number): boolean {
  return status === 408 || status >= 500
}

function planMint(
  { identity, iamUrl, mint, loginId }: MintJob,
  method: MintMethod,
  context: Context
): MintState {
  const lifetimeMs = mint.lifetimeMs ?? method.defaultLifetimeMs ?? method.maxLifetimeMs
  return {
    method: mint.method,
    name: formatName(loginId, process.env),
    iamUrl,
    authMethod: identity.kind,
    // Post asks for the secret only where it has something to revoke.
    digest: identity.kind === 'keyless' || method.revoker === undefined ? '' : digestOf(identity.secret),
    profile: identity.kind === 'keyless' ? identity.profile.value : '',
    serviceId: mint.serviceId ?? '',
    sent: false,
    made: [],
    expiresAt: formatTime(new Date(context.now() + lifetimeMs + SLACK_MS)),
    openUntil: 0
  }
}

/** The hash by which post knows the secret that main was given. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

const MAX_NAME_LENGTH = 100

/** `icr-login/<owner>/<repo>/<run id>/<attempt>/<nonce>`; a name that is too long loses its middle. */
export function formatName(loginId: string, env: NodeJS.ProcessEnv): string {
  const place = [env['GITHUB_REPOSITORY'], env['GITHUB_RUN_ID'], env['GITHUB_RUN_ATTEMPT']]
  const middle = place
    .filter(Boolean)
    .join('/')
    .replace(/[^\w./-]/g, '-')
  return `icr-login/${middle.slice(-(MAX_NAME_LENGTH - loginId.length - 'icr-login//'.length))}/${loginId}`
}
