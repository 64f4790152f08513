import * as http from 'node:http'
import * as https from 'node:https'
import { type Context, jitter, timeLeft } from './context.ts'
import { codeOf, messageOf, quote, UserError } from './errors.ts'
import { parseObject } from './json.ts'
import { isLoopback } from './registry-host.ts'

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Never through a proxy, and few tries: a metadata service, which is near or not there at all. */
  readonly nearby?: boolean
  /** Told before each try; what it returns is told the status of the answer, or that none came. */
  readonly watch?: () => (status: number | undefined) => void
}

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

const TRY_MS = 10_000
const NEARBY_TRY_MS = 3_000
const TRIES = 4
const NEARBY_TRIES = 2
const FIRST_WAIT_MS = 500
// IAM's limit is by the second and not known (facts/ibm-cloud.md section 3.3): come back later than after a fault.
const FIRST_WAIT_AFTER_429_MS = 3_000
const LARGEST_BODY = 64 * 1024

/** An answer, or the lack of one, that another try may mend. */
export class Fault extends Error {
  /** The wait that the service asked for, in milliseconds. */
  readonly retryAfter: number | undefined
  readonly busy: boolean

  constructor(message: string, retryAfter?: number, busy = false) {
    super(message)
    this.retryAfter = retryAfter
    this.busy = busy
  }
}

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
  const tries = request.nearby === true ? NEARBY_TRIES : TRIES
  let last: Fault | undefined
  for (let attempt = 1; attempt <= tries && timeLeft(context) > 0; attempt++) {
    try {
      return read(refuseTransient(await sendWatched(request, context)))
    } catch (error) {
      last = asFault(error, request)
    }
    if (attempt === tries || !(await waitForNextTry(request, last, attempt, context))) break
  }
  throw gaveUp(request, last)
}

async function sendWatched(request: Request, context: Context): Promise<Reply> {
  const told = request.watch?.()
  try {
    const reply = await send(request, context)
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
  fault: Fault,
  attempt: number,
  context: Context
): Promise<boolean> {
  const first = fault.busy ? FIRST_WAIT_AFTER_429_MS : FIRST_WAIT_MS
  const wait = fault.retryAfter ?? jitter(first * 2 ** attempt)
  if (wait >= timeLeft(context)) return false
  context.note(`${formatTarget(request)}: ${fault.message}. Trying again in ${(wait / 1000).toFixed(1)} s.`)
  await context.sleep(wait)
  return true
}

function gaveUp(request: Request, last: Fault | undefined): UserError {
  const target = formatTarget(request)
  return last === undefined
    ? new UserError(
        `${target} was not asked: the time is up.`,
        'Run the job again, or give a longer timeout.'
      )
    : new UserError(
        `${target} could not be reached: ${last.message}.`,
        'Run the job again. If it stays: can this runner reach that host, and does it need a proxy (HTTPS_PROXY)?'
      )
}

/** What was asked, without anything that may be secret: the method, the host and the path. */
function formatTarget({ method, url }: Request): string {
  return `${method} ${url.host}${url.pathname}`
}

const TRANSIENT = new Set([408, 425, 429])

function refuseTransient(reply: Reply): Reply {
  const { status } = reply
  if (status >= 300 && status < 400) {
    throw new UserError(
      `The service answered ${status}, a redirect, which is not followed: a secret would go along.`,
      'Is there a proxy or a captive portal in between?'
    )
  }
  // 501 says "never": IBM's own SDK does not try it again either (facts/ibm-cloud.md section 3.3).
  if (TRANSIENT.has(status) || (status >= 500 && status !== 501)) {
    throw new Fault(`it answered ${status}`, parseRetryAfter(reply.headers['retry-after']), status === 429)
  }
  return reply
}

/** `Retry-After` in milliseconds: seconds, or a date. Undefined where there is none that makes sense. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const wait = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined
}

function asFault(error: unknown, request: Request): Fault {
  if (error instanceof Fault) return error
  if (error instanceof UserError) throw error
  const code = codeOf(error)
  if (/CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED/.test(code)) {
    throw new UserError(
      `The certificate of ${request.url.host} is not trusted (${code}).`,
      "If a proxy of yours opens TLS, name its CA's file in NODE_EXTRA_CA_CERTS, and in SSL_CERT_FILE for docker."
    )
  }
  return new Fault(FAULTS[code] ?? quote(code === '' ? messageOf(error) : code))
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

const httpAgent = new http.Agent({ keepAlive: true })
const httpsAgent = new https.Agent({ keepAlive: true })
const proxyAgents = new Map<string, http.Agent>()

/** Proxies as the runner knows them; like docker, none for this machine. Loaded only where one is set. */
async function agentFor({ url, nearby }: Request, context: Context): Promise<http.Agent> {
  const direct = url.protocol === 'https:' ? httpsAgent : httpAgent
  const proxied = Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name))
  if (nearby === true || isLoopback(url.host) || !proxied) return direct
  const { getProxyForUrl } = await import('proxy-from-env')
  const proxy = getProxyForUrl(url.href)
  if (proxy === '') return direct
  const { password } = new URL(proxy)
  if (password !== '') context.mask(decodeURIComponent(password))
  const agent = proxyAgents.get(proxy) ?? (await connectThrough(proxy))
  proxyAgents.set(proxy, agent)
  return agent
}

async function connectThrough(proxy: string): Promise<http.Agent> {
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  return new HttpsProxyAgent(proxy, { keepAlive: true })
}

/** Sends once. Settles in every case: an event loop that ends with the promise open would end the step green. */
async function send(request: Request, context: Context): Promise<Reply> {
  const { method, url, headers, body } = request
  const limit = request.nearby === true ? NEARBY_TRY_MS : TRY_MS
  const agent = await agentFor(request, context)
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
        receive(incoming).then(resolve, reject)
      }
    )
    const fail = (error: Error): void => {
      reject(error)
      call.destroy()
    }
    const timer = setTimeout(
      () => {
        fail(new Fault('it did not answer in time'))
      },
      Math.min(limit, timeLeft(context))
    )
    call.on('proxyConnect', ({ statusCode }: { statusCode: number }) => {
      if (statusCode !== 200) fail(new Fault(`the proxy answered ${statusCode}`))
    })
    call.on('error', reject)
    let answered = false
    call.on('response', () => {
      answered = true
    })
    call.on('close', () => {
      clearTimeout(timer)
      // After an answer `receive` settles: reading a body ends, or throws where it was cut short.
      if (!answered) reject(new Fault('it closed the connection before it had answered'))
    })
    call.end(body)
  })
}

async function receive(incoming: http.IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new Fault(`its answer is over ${LARGEST_BODY / 1024} KiB`)
    chunks.push(chunk)
  }
  if (!incoming.complete) throw new Fault('its answer was cut short')
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString()
  }
}

/**
 * The JSON object in a reply.
 * @throws Fault where the body is something else: whoever answered was not the service
 */
export function parseBody(reply: Reply): Record<string, unknown> {
  const body = parseObject(reply.body)
  if (body !== undefined) return body
  throw new Fault(`it answered ${reply.status} without JSON`)
}
