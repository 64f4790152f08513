// IAM as far as a crowd meets it: so many tokens a second, 429 for the rest, and now and then a fault.
import type { Reply } from '../../src/http/client.ts'
import { RetryableError } from '../../src/http/fault.ts'

/** How "100 a second" is counted: afresh with each second, or by tokens that come back one by one. */
export const COUNTS = ['fixed window', 'token bucket'] as const

export interface Limits {
  readonly count: (typeof COUNTS)[number]
  /** Seconds, told with each 429. */
  readonly retryAfter?: number
}

const PER_SECOND = 100
const FAULTY = 0.01

/** An IAM that answers a request by when it comes, in milliseconds; it throws where it resets the connection. */
export function createIam({ count, retryAfter }: Limits, chance: () => number): (now: number) => Reply {
  const admits = count === 'fixed window' ? createWindow() : createBucket()
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  return (now) => {
    if (chance() < FAULTY) return stumble(chance())
    if (!admits(now)) return { status: 429, headers, body: '' }
    return { status: 200, headers: {}, body: '{"access_token":"simulated","expires_in":3600}' }
  }
}

function createWindow(): (now: number) => boolean {
  let [window, asked] = [0, 0]
  return (now) => {
    const current = Math.floor(now / 1000)
    asked = current === window ? asked + 1 : 1
    window = current
    return asked <= PER_SECOND
  }
}

function createBucket(): (now: number) => boolean {
  let [tokens, filled] = [PER_SECOND, 0]
  return (now) => {
    tokens = Math.min(PER_SECOND, tokens + ((now - filled) / 1000) * PER_SECOND)
    filled = now
    if (tokens < 1) return false
    tokens--
    return true
  }
}

/** A third each: 500, 503, a connection that is reset. */
function stumble(share: number): Reply {
  if (share < 1 / 3) return { status: 500, headers: {}, body: '' }
  if (share < 2 / 3) return { status: 503, headers: {}, body: '' }
  throw new RetryableError('it closed the connection before it had answered')
}
