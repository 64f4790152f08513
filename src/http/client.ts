import * as http from 'node:http'
import * as https from 'node:https'
import { type Context, timeLeft } from '../context.ts'
import { codeOf, UserError } from '../errors/user-error.ts'
import type { Reply, Request } from './message.ts'
import { isLoopback } from './loopback.ts'

const ATTEMPT_MS = 10_000
const LINK_LOCAL_ATTEMPT_MS = 3_000
const MAX_BODY_BYTES = 64 * 1024
/** Lists of an account's keys and tokens grow with it: a hundred keys alone are over 64 KiB. */
export const MAX_LIST_BYTES = 8 * 1024 * 1024

/** An answer, or the lack of one, that another try may mend. */
export class RetryableError extends Error {
  /** The wait that the service asked for, in milliseconds. */
  readonly retryAfter: number | undefined
  readonly rateLimited: boolean
  /** What to say where no try mended it, if that is known better than "could not be reached". */
  readonly finalError: UserError | undefined

  constructor(message: string, retryAfter?: number, rateLimited = false, finalError?: UserError) {
    super(message)
    this.retryAfter = retryAfter
    this.rateLimited = rateLimited
    this.finalError = finalError
  }
}

// Made where they are needed: node:https takes twice as long to load as node:http.
let httpAgent: http.Agent | undefined
let httpsAgent: https.Agent | undefined
const proxyAgents = new Map<string, http.Agent>()

/** Proxies as the runner knows them; like docker, none for this machine. Loaded only where one is set. */
export async function agentFor({ url, linkLocal }: Request): Promise<http.Agent> {
  const direct =
    url.protocol === 'https:'
      ? (httpsAgent ??= new https.Agent({ keepAlive: true }))
      : (httpAgent ??= new http.Agent({ keepAlive: true }))
  const proxied = Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name))
  if (linkLocal === true || isLoopback(url.host) || !proxied) return direct
  const { getProxyForUrl } = await import('proxy-from-env')
  const proxy = getProxyForUrl(url.href)
  if (proxy === '') return direct
  if (!URL.canParse(proxy)) {
    throw new UserError(
      'The address of the proxy in HTTPS_PROXY is not one.',
      'Write it as http://host:port or http://user:password@host:port.'
    )
  }
  const agent = proxyAgents.get(proxy) ?? (await connectThrough(proxy))
  proxyAgents.set(proxy, agent)
  return agent
}

async function connectThrough(proxy: string): Promise<http.Agent> {
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  return new HttpsProxyAgent(proxy, { keepAlive: true })
}

const MIN_ATTEMPT_MS = 1_000

/** Half of the time that is left, so that a try that hangs leaves room for another; all of it where that is little. */
function shareOf(left: number): number {
  return Math.min(left, Math.max(left / 2, MIN_ATTEMPT_MS))
}

/**
 * Sends once, and reads the whole answer. Settles in every case: an event loop that ends with the promise open would
 * end the step green.
 * @throws Fault, or the system's error, where no whole answer came
 */
export async function send(request: Request, context: Context): Promise<Reply> {
  const { method, url, headers, body } = request
  const limit = request.linkLocal === true ? LINK_LOCAL_ATTEMPT_MS : ATTEMPT_MS
  const agent = await agentFor(request)
  return await new Promise<Reply>((resolve, reject) => {
    const client = url.protocol === 'https:' ? https : http
    const call = client.request(
      url,
      {
        method,
        agent,
        headers: {
          'user-agent': 'icr-login',
          accept: 'application/json',
          'accept-encoding': 'identity',
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...headers
        },
        // NODE_TLS_REJECT_UNAUTHORIZED=0 would be honoured otherwise (facts/clients-and-runner.md, "HTTP from Node").
        rejectUnauthorized: true
      },
      (incoming) => {
        receive(incoming, request.maxBytes ?? MAX_BODY_BYTES).then(resolve, reject)
      }
    )
    const fail = (error: Error): void => {
      reject(error)
      call.destroy()
    }
    const timer = setTimeout(
      () => {
        fail(new RetryableError('it did not answer in time'))
      },
      Math.min(limit, shareOf(timeLeft(context)))
    )
    call.on('proxyConnect', ({ statusCode }: { statusCode: number }) => {
      if (statusCode !== 200) fail(new RetryableError(`the proxy answered ${statusCode}`))
    })
    call.on('error', reject)
    let answered = false
    call.on('response', () => {
      answered = true
    })
    call.on('close', () => {
      clearTimeout(timer)
      // After an answer `receive` settles: reading a body ends, or throws where it was cut short.
      if (!answered) reject(new RetryableError('it closed the connection before it had answered'))
    })
    call.end(body)
  })
}

async function receive(incoming: http.IncomingMessage, largest: number): Promise<Reply> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > largest) throw new RetryableError(`its answer is over ${largest / 1024} KiB`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw codeOf(error) === 'ECONNRESET' ? new RetryableError('its answer was cut short') : error
  }
  return {
    status: Number(incoming.statusCode),
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString()
  }
}
