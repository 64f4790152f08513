import { createWriteStream } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Context, timeLeft } from '../context.ts'
import { codeOf, UserError } from '../errors/user-error.ts'
import { quote } from '../errors/quote.ts'
import { Fault, fetchReply, type Reply, type Request } from '../http/retry.ts'
import { isLoopback } from '../http/loopback.ts'
import { agentFor } from '../http/client.ts'

const MAX_REDIRECTS = 5
/** A server that says nothing for so long has gone away. */
const IDLE_MS = 10_000
const MAX_FILE_BYTES = 512 * 1024 * 1024
const PROGRESS_MS = 5_000

/**
 * Downloads a public file: no credential goes along, so redirects are followed, to https (or this machine) alone.
 * Faults are tried again from the start; each try, and how far one has come, is a line in the log.
 * @param file is written, and holds the whole body where the status is 200
 * @param largest the most bytes that the file may have; 512 MiB if not given
 * @returns the status of the last answer
 * @throws UserError where there is no whole answer until the context's deadline
 */
export async function download(
  url: URL,
  file: string,
  context: Context,
  largest = MAX_FILE_BYTES
): Promise<number> {
  const request: Request = { method: 'GET', url, headers: { accept: '*/*' } }
  const send = async (): Promise<Reply> => await save(request, { file, largest }, context, MAX_REDIRECTS)
  const { status } = await fetchReply(request, (reply) => reply, { ...context, send })
  return status
}

interface Target {
  readonly file: string
  /** In bytes. */
  readonly largest: number
}

async function save(request: Request, target: Target, context: Context, redirects: number): Promise<Reply> {
  const timeUp = AbortSignal.timeout(Math.ceil(timeLeft(context)))
  const incoming = await open(request, timeUp)
  const status = Number(incoming.statusCode)
  const { location } = incoming.headers
  if (status === 200) await write(incoming, target, context, timeUp)
  else incoming.destroy()
  if (status < 300 || status >= 400 || location === undefined)
    return { status, headers: incoming.headers, body: '' }
  const url = resolveRedirect(request.url, location)
  if (redirects === 0) throw new Fault('it answered with one redirect after the other')
  return await save({ ...request, url }, target, context, redirects - 1)
}

/** @throws UserError where the way leads out of TLS */
function resolveRedirect(from: URL, location: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined
  if (url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.host))))
    return url
  throw new UserError(
    `${from.host} redirects to "${quote(location)}", which is not https.`,
    'Is there a proxy or a captive portal in between? If it is a mirror, give its https address in docker-url.'
  )
}

async function open({ url, headers }: Request, timeUp: AbortSignal): Promise<http.IncomingMessage> {
  const agent = await agentFor({ method: 'GET', url })
  const client = url.protocol === 'https:' ? https : http
  return await new Promise((resolve, reject) => {
    const call = client.request(url, {
      agent,
      headers: { 'user-agent': 'icr-login', ...headers },
      rejectUnauthorized: true,
      signal: timeUp
    })
    call.setTimeout(IDLE_MS, () => call.destroy(new Fault(`it said nothing for ${IDLE_MS / 1000} s`)))
    call.on('response', resolve)
    call.on('error', (error) => {
      reject(explain(error, timeUp))
    })
    call.on('close', () => {
      // Too late where there was an answer; a switch to another protocol is none, and no error either.
      reject(new Fault('it closed the connection before it had answered'))
    })
    call.end()
  })
}

async function write(
  incoming: http.IncomingMessage,
  { file, largest }: Target,
  context: Context,
  timeUp: AbortSignal
): Promise<void> {
  try {
    const counter = countBytes(incoming, largest, context)
    await pipeline(incoming, counter, createWriteStream(file, { mode: 0o600 }))
  } catch (error) {
    throw explain(error, timeUp)
  }
}

function explain(error: unknown, timeUp: AbortSignal): Error {
  // The time may run out in the middle of a body, which looks as if the other side had cut it short.
  if (timeUp.aborted) return new Fault('the time for it is up')
  const code = codeOf(error)
  // Node's name for a body that ends too early.
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
    ? new Fault('its answer was cut short')
    : (error as Error)
}

/** Lets the bytes through, says now and then how many, and stops where they are too many. */
function countBytes(incoming: http.IncomingMessage, largest: number, context: Context): Transform {
  const total = Number(incoming.headers['content-length'] ?? 0)
  let count = 0
  let reportedAt = context.now()
  return new Transform({
    transform: (chunk: Buffer, _, done) => {
      count += chunk.length
      if (context.now() - reportedAt >= PROGRESS_MS) {
        reportedAt = context.now()
        context.info(
          `${formatMegabytes(count)}${total === 0 ? '' : ` of ${formatMegabytes(total)}`} are here.`
        )
      }
      done(count > largest ? new Fault(`it is over ${formatMegabytes(largest)}`) : null, chunk)
    }
  })
}

function formatMegabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`
}
