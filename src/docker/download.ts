import { createWriteStream } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { type Context, timeLeft } from '../context.ts'
import { quote } from '../errors/quote.ts'
import { codeOf, messageOf, UserError } from '../errors/user-error.ts'
import { formatSize, open, readBody, type Reply, type Request } from '../http/client.ts'
import { explainFault, RetryableError } from '../http/fault.ts'
import { isLoopback } from '../http/loopback.ts'
import { fetchReply } from '../http/retry.ts'

const MAX_REDIRECTS = 5
const MAX_FILE_BYTES = 512 * 1024 * 1024
const PROGRESS_MS = 5_000

/**
 * Downloads a public file. No credential is sent, so redirects are followed, to https (or this machine) only. Each
 * attempt starts again from the beginning; attempts and progress are written to the log.
 * @param file is written, and holds the whole body where the status is 200
 * @param maxBytes the maximum size of the file; 512 MiB if not set
 * @returns the status of the last response
 * @throws UserError where there is no whole response until the context's deadline, or `file` can't be written
 */
export async function download(
  url: URL,
  file: string,
  context: Context,
  maxBytes = MAX_FILE_BYTES
): Promise<number> {
  const request: Request = { method: 'GET', url, headers: { accept: '*/*' }, maxBytes }
  const attempt = async (): Promise<Reply> => await save(request, file, maxBytes, context)
  return (await fetchReply(request, (reply) => reply, context, attempt)).status
}

async function save(request: Request, file: string, maxBytes: number, context: Context): Promise<Reply> {
  const timeUp = AbortSignal.timeout(Math.ceil(timeLeft(context)))
  try {
    const incoming = await follow(request, timeUp)
    const { statusCode: status = 0, headers } = incoming
    if (status === 200) await write(readBody(incoming, maxBytes), file, headers, context)
    else incoming.destroy()
    return { status, headers, body: '' }
  } catch (error) {
    throw timeUp.aborted ? new RetryableError('the time is up') : explainFault(error, request.url.host)
  }
}

/** @returns the first response that does not lead elsewhere */
async function follow(request: Request, timeUp: AbortSignal): Promise<IncomingMessage> {
  let { url } = request
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const incoming = await open({ ...request, url }, timeUp)
    const { statusCode = 0, headers } = incoming
    if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) return incoming
    incoming.destroy()
    url = resolveRedirect(url, headers.location)
  }
  throw new RetryableError('it answered with one redirect after the other')
}

/** @throws UserError where the redirect leads out of TLS */
function resolveRedirect(from: URL, location: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined
  if (url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.host))))
    return url
  throw new UserError(
    `${from.host} redirects to "${quote(location)}", which is not https.`,
    'Is there a proxy or a captive portal in between? If it is a mirror, give its https address in docker-url.'
  )
}

async function write(
  body: AsyncIterable<Buffer>,
  file: string,
  headers: IncomingHttpHeaders,
  context: Context
): Promise<void> {
  const total = Number(headers['content-length'] ?? 0)
  let size = 0
  let reportedAt = context.now()
  const reportProgress = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      size += chunk.length
      if (context.now() - reportedAt >= PROGRESS_MS) {
        reportedAt = context.now()
        context.info(`${formatSize(size)}${total === 0 ? '' : ` of ${formatSize(total)}`} downloaded.`)
      }
      yield chunk
    }
  }
  try {
    await pipeline(body, reportProgress, createWriteStream(file, { mode: 0o600 }))
  } catch (error) {
    throw error instanceof RetryableError ? error : notStored(error)
  }
}

/** The error where a file system refused what was downloaded or unpacked. */
export function notStored(error: unknown): UserError {
  const isFull = /^(?:ENOSPC|EDQUOT)$/.test(codeOf(error))
  return new UserError(
    `The docker CLI could not be stored: ${isFull ? 'the disk is full' : quote(messageOf(error))}.`,
    'Check that RUNNER_TEMP and RUNNER_TOOL_CACHE can be written and have free space.'
  )
}
