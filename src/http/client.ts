import { once } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import { type Context, timeLeft } from '../context.ts'
import { explainFault, RetryableError } from './fault.ts'
import { agentFor } from './proxy.ts'

/** What is asked of a service over HTTP. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Never through a proxy. */
  readonly direct?: boolean
  /** Attempts in all; 4 if not set. */
  readonly attempts?: number
  /** The maximum time for one attempt; 10 s if not set. */
  readonly timeoutMs?: number
  /** The maximum size of the response; 64 KiB if not set. */
  readonly maxBytes?: number
  /** What to do where no attempt reaches the host, if that is not to look at the network. */
  readonly unreachableHint?: string
  /** Called before each attempt; what it returns is called with the status of the response, or undefined for none. */
  readonly watch?: () => (status: number | undefined) => void
}

/** A whole response. */
export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

const ATTEMPT_MS = 10_000
const IDLE_MS = 10_000
const MIN_ATTEMPT_MS = 1_000
const MAX_BODY_BYTES = 64 * 1024
/** Lists of an account's keys and tokens grow with it: a hundred keys alone are over 64 KiB. */
export const MAX_LIST_BYTES = 8 * 1024 * 1024

/**
 * One attempt: sends a request and reads the whole response, within the request's time and the context's.
 * @throws RetryableError where no whole response came
 * @throws UserError for a certificate that is not trusted, or a proxy that can't be used
 */
export async function send(request: Request, context: Context): Promise<Reply> {
  const { url, timeoutMs = ATTEMPT_MS, maxBytes = MAX_BODY_BYTES } = request
  const left = timeLeft(context)
  // Half of the time that is left, so that an attempt that hangs leaves time for another; all where that is little.
  const share = Math.min(left, Math.max(left / 2, MIN_ATTEMPT_MS))
  const timeUp = AbortSignal.timeout(Math.ceil(Math.min(timeoutMs, share)))
  try {
    const incoming = await open(request, timeUp)
    const chunks: Buffer[] = []
    for await (const chunk of readBody(incoming, maxBytes)) chunks.push(chunk)
    const { statusCode, headers } = incoming
    return { status: Number(statusCode), headers, body: Buffer.concat(chunks).toString() }
  } catch (error) {
    throw timeUp.aborted ? new RetryableError('it did not answer in time') : explainFault(error, url.host)
  }
}

/**
 * Sends a request, and returns the response with its body still to be read.
 * @param signal ends the connection, the body's too
 * @throws the system's error, or as `send`
 */
export async function open(request: Request, signal: AbortSignal): Promise<http.IncomingMessage> {
  const { method, url, headers, body, direct = false } = request
  const call = (url.protocol === 'https:' ? https : http).request(url, {
    method,
    agent: agentFor(url, direct),
    headers: {
      'user-agent': 'icr-login',
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers
    },
    signal,
    timeout: IDLE_MS,
    // NODE_TLS_REJECT_UNAUTHORIZED=0 would be honoured otherwise (docs/references.md, "Node").
    rejectUnauthorized: true
  })
  call.once('timeout', () => call.destroy(new RetryableError(`it sent nothing for ${IDLE_MS / 1000} s`)))
  call.end(body)
  // A switch to another protocol closes the connection without a response or an error.
  const [incoming] = await Promise.race<http.IncomingMessage[]>([once(call, 'response'), once(call, 'close')])
  if (incoming === undefined) throw new RetryableError('it closed the connection before it had answered')
  return incoming
}

/**
 * Reads the body of a response.
 * @throws RetryableError where it is cut short, or larger than `maxBytes`
 */
export async function* readBody(incoming: http.IncomingMessage, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw new RetryableError(`its answer is over ${formatSize(maxBytes)}`)
      yield chunk
    }
  } catch (error) {
    throw error instanceof RetryableError ? error : new RetryableError('its answer was cut short')
  }
}

/** A number of bytes in KiB or MiB. */
export function formatSize(bytes: number): string {
  const kibibytes = bytes / 1024
  return kibibytes < 1024 ? `${kibibytes.toFixed(0)} KiB` : `${(kibibytes / 1024).toFixed(0)} MiB`
}
