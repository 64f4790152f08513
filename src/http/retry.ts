import { type Context, jitter, timeLeft } from '../context.ts'
import { UserError } from '../errors/user-error.ts'
import { parseObject } from '../json.ts'
import { type Reply, type Request, send } from './client.ts'
import { RetryableError } from './fault.ts'

const ATTEMPTS = 4
/** A wait that is bounded by less than this is not worth another attempt. */
const MIN_ROOM_MS = 50
const AFTER_FAULT = { least: 0, spread: 1_000 }
// IAM's limit is not known (docs/references.md, "IAM errors"). Of all that `npm run bench:fleet` compares, these need the
// fewest requests where a thousand jobs start together (docs/performance.md).
const AFTER_429 = { least: 5_000, spread: 5_000 }

/**
 * Sends a request until there is a response: no redirects, 4 attempts with full jitter between them, all within the
 * context's deadline; in cleanup as many as there is time for. A refusal is never retried.
 * @param read turns a reply into what the caller wants; it throws a RetryableError for a reply that is not the
 *   service's (a captive portal's page, say), or a UserError, which is not retried
 * @param attempt sends once; what takes its place throws as `send` does
 * @throws UserError where no attempt succeeded, or where `read` threw one
 */
export async function fetchReply<T>(
  request: Request,
  read: (reply: Reply) => T,
  context: Context,
  attempt: typeof send = send
): Promise<T> {
  const attempts = context.untilDeadline === true ? Infinity : (request.attempts ?? ATTEMPTS)
  let last: RetryableError | undefined
  for (let count = 1; count <= attempts && timeLeft(context) > 0; count++) {
    try {
      return read(refuseTransient(await watched(attempt, request, context), request))
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      last = error
    }
    const wait = count === attempts ? undefined : chooseWait(last, count, timeLeft(context))
    if (wait === undefined) break
    context.info(`${formatTarget(request)}: ${last.message}. Trying again in ${(wait / 1000).toFixed(1)} s.`)
    await context.sleep(wait)
  }
  throw last?.finalError ?? gaveUp(request, last)
}

async function watched(attempt: typeof send, request: Request, context: Context): Promise<Reply> {
  const finished = request.watch?.()
  let status: number | undefined
  try {
    const reply = await attempt(request, context)
    status = reply.status
    return reply
  } finally {
    finished?.(status)
  }
}

/**
 * How long to wait for the next attempt: full jitter, whose bound doubles from attempt to attempt, on top of what the
 * service asked for. It leaves at least half of the time after that to the attempts.
 * @param left milliseconds until the deadline
 * @returns milliseconds; undefined where the service asked for all that is left, or more
 */
function chooseWait(fault: RetryableError, count: number, left: number): number | undefined {
  const { rateLimited, retryAfter = 0 } = fault
  const { least, spread } = rateLimited ? AFTER_429 : AFTER_FAULT
  const room = (left - retryAfter) / 4
  if (room < MIN_ROOM_MS) return undefined
  return Math.max(retryAfter, Math.min(least, room)) + jitter(Math.min(spread * 2 ** (count - 1), room))
}

function gaveUp(request: Request, last: RetryableError | undefined): UserError {
  const target = formatTarget(request)
  if (last === undefined) {
    const hint = 'Run the job again, or give a longer timeout.'
    return new UserError(`${target} was not asked: the time is up.`, hint)
  }
  return new UserError(
    `${target} could not be reached: ${last.message}.`,
    request.unreachableHint ??
      'Check that this runner can reach the host. If it needs a proxy, set HTTPS_PROXY.'
  )
}

/** What was asked, without anything that may be secret: the method, the host and the path. */
function formatTarget({ method, url }: Request): string {
  return `${method} ${url.host}${url.pathname}`
}

const TRANSIENT = new Set([408, 425, 429])

function refuseTransient(reply: Reply, request: Request): Reply {
  const { status } = reply
  if (status >= 300 && status < 400) {
    throw new UserError(
      `${formatTarget(request)} answered ${status}, a redirect, which is not followed: a secret would go along.`,
      'Is there a proxy or a captive portal in between?'
    )
  }
  // 501 says "never": IBM's own SDK does not retry it either (docs/references.md, "IAM errors").
  if (TRANSIENT.has(status) || (status >= 500 && status !== 501)) {
    const retryAfter = parseRetryAfter(reply.headers['retry-after'])
    throw new RetryableError(`it answered ${status}`, retryAfter, status === 429)
  }
  return reply
}

/** `Retry-After` in milliseconds: seconds, or a date. Undefined where there is none that makes sense. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const wait = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined
}

/**
 * The JSON object in a reply.
 * @throws RetryableError where the body is something else: whoever answered was not the service
 */
export function parseBody(reply: Reply): Record<string, unknown> {
  const body = parseObject(reply.body)
  if (body !== undefined) return body
  throw new RetryableError(`it answered ${reply.status} without JSON`)
}
