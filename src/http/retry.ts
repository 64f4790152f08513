import { type Context, jitter, timeLeft } from '../context.ts'
import { codeOf, UserError } from '../errors/user-error.ts'
import { quote } from '../errors/quote.ts'
import { parseObject } from '../json.ts'
import type { Reply, Request } from './message.ts'
import { RetryableError, send } from './client.ts'

export type { Reply, Request } from './message.ts'
export { RetryableError as Fault, MAX_LIST_BYTES as LARGEST_LIST } from './client.ts'

const ATTEMPTS = 4
const LINK_LOCAL_ATTEMPTS = 2
const AFTER_FAULT = { least: 0, spread: 1_000 }
// IAM's limit is not known (facts/ibm-cloud.md section 3.3). Of all that `npm run bench:fleet` compares, these need the
// fewest requests where a thousand jobs start together (docs/performance.md).
const AFTER_429 = { least: 5_000, spread: 5_000 }

/**
 * The one door to the network: no redirects, TLS always checked, bodies of at most 64 KiB, 4 tries of at most 10 s
 * with full jitter between them, all within the context's deadline. Never tries again what was refused.
 * @param read turns a reply into what the caller wants; it throws a Fault for an answer that is no answer (a captive
 *   portal's page, a body cut short), which is tried again, or a UserError, which is not
 * @throws UserError where no try succeeded, or where `read` threw one
 */
export async function fetchReply<T>(
  request: Request,
  read: (reply: Reply) => T,
  context: Context
): Promise<T> {
  const tries = request.linkLocal === true ? LINK_LOCAL_ATTEMPTS : ATTEMPTS
  let last: RetryableError | undefined
  for (let attempt = 1; attempt <= tries && timeLeft(context) > 0; attempt++) {
    try {
      return read(refuseTransient(await sendWatched(request, context), request))
    } catch (error) {
      last = asFault(error, request)
    }
    if (attempt === tries || !(await waitForNextTry(request, last, attempt, context))) break
  }
  throw last?.finalError ?? gaveUp(request, last)
}

async function sendWatched(request: Request, context: Context): Promise<Reply> {
  const told = request.watch?.()
  try {
    const reply = await (context.send ?? send)(request, context)
    told?.(reply.status)
    return reply
  } catch (error) {
    told?.(undefined)
    throw error
  }
}

/** Waits before the next try; false where the budget has no room for it. */
async function waitForNextTry(
  request: Request,
  fault: RetryableError,
  attempt: number,
  context: Context
): Promise<boolean> {
  const wait = chooseWait(fault, attempt, timeLeft(context))
  if (wait === undefined) return false
  context.info(`${formatTarget(request)}: ${fault.message}. Trying again in ${(wait / 1000).toFixed(1)} s.`)
  await context.sleep(wait)
  return true
}

/**
 * Full jitter, whose bound doubles from try to try, on top of what the service asked for: those that were told the
 * same do not come back together. It leaves at least half of the time after that to the tries.
 * @param left milliseconds of the budget
 * @returns milliseconds; undefined where the service asked for all that is left, or more
 */
function chooseWait(
  { rateLimited, retryAfter = 0 }: RetryableError,
  attempt: number,
  left: number
): number | undefined {
  const { least, spread } = rateLimited ? AFTER_429 : AFTER_FAULT
  const room = (left - retryAfter) / 4
  if (room <= 0) return undefined
  return Math.max(retryAfter, Math.min(least, room)) + jitter(Math.min(spread * 2 ** (attempt - 1), room))
}

function gaveUp(request: Request, last: RetryableError | undefined): UserError {
  const target = formatTarget(request)
  if (last === undefined) {
    return new UserError(
      `${target} was not asked: the time is up.`,
      'Run the job again, or give a longer timeout.'
    )
  }
  const hint =
    request.linkLocal === true
      ? 'Is this machine inside IBM Cloud, with its metadata service switched on? If not, give an api-key.'
      : 'Run the job again. If it stays: can this runner reach that host, and does it need a proxy (HTTPS_PROXY)?'
  return new UserError(`${target} could not be reached: ${last.message}.`, hint)
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
  // 501 says "never": IBM's own SDK does not try it again either (facts/ibm-cloud.md section 3.3).
  if (TRANSIENT.has(status) || (status >= 500 && status !== 501)) {
    throw new RetryableError(
      `it answered ${status}`,
      parseRetryAfter(reply.headers['retry-after']),
      status === 429
    )
  }
  return reply
}

/** `Retry-After` in milliseconds: seconds, or a date. Undefined where there is none that makes sense. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const wait = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined
}

function asFault(error: unknown, request: Request): RetryableError {
  if (error instanceof RetryableError) return error
  const code = codeOf(error)
  // Whatever the network throws has a code; the rest is for the user, or a mistake of ours.
  if (code === '') throw error
  if (/CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED/.test(code)) {
    throw new UserError(
      `The certificate of ${request.url.host} is not trusted (${code}).`,
      "If a proxy of yours opens TLS, name its CA's file in NODE_EXTRA_CA_CERTS, and in SSL_CERT_FILE for docker."
    )
  }
  return new RetryableError(FAULTS[code] ?? quote(code))
}

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'it closed the connection before it had answered',
  EPIPE: 'it closed the connection before it had answered',
  ENOTFOUND: 'its name was not found',
  EAI_AGAIN: 'the look-up of its name failed',
  ETIMEDOUT: 'the connection timed out',
  EPROTO: 'it did not speak TLS'
}

/**
 * The JSON object in a reply.
 * @throws Fault where the body is something else: whoever answered was not the service
 */
export function parseBody(reply: Reply): Record<string, unknown> {
  const body = parseObject(reply.body)
  if (body !== undefined) return body
  throw new RetryableError(`it answered ${reply.status} without JSON`)
}
