import type { Context } from '../context.ts'
import type { Identity } from '../credential/identity.ts'
import { formatTime, isTime } from '../errors/quote.ts'
import { isIamOrigin } from '../iam/url.ts'
import { isObject } from '../json.ts'
import { isAllowedHost } from '../registry/hosts.ts'

/** What was minted and can be revoked: its ID, and its host if it belongs to one. */
export interface MintedId {
  readonly id: string
  readonly host?: string
}

/** What post needs to find and revoke what was minted; saved before the first request that mints. */
export interface MintState {
  readonly method: string
  /** Its name at IBM Cloud. */
  readonly name: string
  readonly iamUrl: string
  readonly authMethod: Identity['kind']
  /** The SHA-256 of the secret that minted; empty for a keyless identity. */
  readonly digest: string
  /** The trusted profile of a keyless identity, else empty. */
  readonly profile: string
  /** Whose API key it is; empty if it is not an API key. */
  readonly serviceId: string
  /** Whether a request was sent. */
  readonly sent: boolean
  /** How many requests may have minted something that is not in `made`: no response, or none that can be read. */
  readonly unanswered: number
  /** When the last request was sent; milliseconds since 1970, 0 for none. */
  readonly lastSentAt: number
  readonly made: readonly MintedId[]
  /** When it expires at the latest, in ISO 8601. */
  readonly expiresAt: string
  /** Until then a request without a response may still mint something; milliseconds since 1970, 0 for none. */
  readonly openUntil: number
}

const isString = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const matches = (pattern: RegExp) => (value: unknown) => isString(value) && pattern.test(value)
const isId = matches(/^[\w-]{1,100}$/)

const CHECKS: Readonly<Record<keyof MintState, (value: unknown) => boolean>> = {
  method: isString,
  name: matches(/^icr-login\/[\w./-]{1,100}$/),
  iamUrl: (value) => isString(value) && isIamOrigin(value),
  authMethod: isString,
  digest: isString,
  profile: isString,
  serviceId: matches(/^(?:iam-ServiceId-[\w-]+)?$/),
  sent: (value) => typeof value === 'boolean',
  unanswered: isNumber,
  lastSentAt: isNumber,
  made: (value) => Array.isArray(value) && value.every(isMintedId),
  expiresAt: isTime,
  openUntil: isNumber
}

/** Whether a value in state is what a mint saved: another step can have changed it. */
export function isMintState(state: unknown): state is MintState {
  return isObject(state) && Object.entries(CHECKS).every(([key, isValid]) => isValid(state[key]))
}

function isMintedId(value: unknown): boolean {
  if (!isObject(value) || !isId(value['id'])) return false
  const { host } = value
  return host === undefined || (isString(host) && isAllowedHost(host))
}

/** A request may mint for the 10 s that an attempt waits, and as long again for a service that goes on without it. */
const IN_FLIGHT_MS = 20_000

/** Saves to state, before and after each request, what post may have to revoke. */
export interface Journal {
  /**
   * For `Request.watch`: called before each attempt that mints, it returns a function to call with the status of the
   * response, or undefined if none came.
   * @throws UserError if the job's post step has begun
   */
  readonly watch: () => (status: number | undefined) => void
  /** Records what was minted, and when it expires. */
  readonly made: (id: MintedId, expiresAt: Date) => void
  readonly state: () => MintState
}

/** @param save writes the state; called at once, before anything is sent */
export function openJournal(plan: MintState, save: (state: MintState) => void, context: Context): Journal {
  let state = plan
  save(state)
  const requests: { until: number; refused: boolean }[] = []
  const update = (change: Partial<MintState> = {}): void => {
    const made = (change.made ?? state.made).length
    state = {
      ...state,
      ...change,
      sent: requests.length > 0,
      unanswered: Math.max(0, requests.filter(({ refused }) => !refused).length - made),
      openUntil: Math.max(0, ...requests.map(({ until }) => until))
    }
    save(state)
  }
  return {
    state: () => state,
    watch: () => {
      context.checkActive()
      const request = { until: context.now() + IN_FLIGHT_MS, refused: false }
      requests.push(request)
      update({ lastSentAt: context.now() })
      return (status) => {
        if (status === undefined || isDoubtful(status)) return
        request.until = 0
        request.refused = status >= 400
        update()
      }
    },
    made: (id, expiresAt) => {
      update({ made: [...state.made, id], expiresAt: formatTime(expiresAt) })
    }
  }
}

/** A gateway's timeout, or an error of the service: it may still work on the request. */
function isDoubtful(status: number): boolean {
  return status === 408 || status >= 500
}
