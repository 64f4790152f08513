import { once } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP, isIPv6, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import { urlToHttpOptions } from 'node:url'
import { explainFault, RetryableError } from './fault.ts'
import { findProxy } from './find-proxy.ts'

const plain = new http.Agent({ keepAlive: true })
const secure = new https.Agent({ keepAlive: true })
const tunnels = new Map<string, https.Agent>()

/**
 * The agent for an address: through the proxy that the job's environment names for it. Plain HTTP, which only this
 * machine and metadata services are asked over, is never sent through a proxy.
 * @param direct whether the environment is passed over
 * @throws UserError where the environment names a proxy that can't be used
 */
export function agentFor(url: URL, direct: boolean): http.Agent {
  if (url.protocol === 'http:') return plain
  const proxy = direct ? undefined : findProxy(url, process.env)
  if (proxy === undefined) return secure
  const tunnel = tunnels.get(proxy.href) ?? new TunnelAgent(proxy)
  tunnels.set(proxy.href, tunnel)
  return tunnel
}

/**
 * Sends https through an HTTP proxy. https-proxy-agent is not used: it reads a proxy's response without a limit, does
 * not say which of two TLS connections failed, and has no code for a proxy that closes the connection.
 */
class TunnelAgent extends https.Agent {
  readonly #proxy: URL

  constructor(proxy: URL) {
    super({ keepAlive: true })
    this.#proxy = proxy
  }

  override createConnection(
    options: https.RequestOptions,
    done?: (error: Error | null, socket: Duplex) => void
  ): undefined {
    const host = String(options.host)
    connectThrough(this.#proxy, `${isIPv6(host) ? `[${host}]` : host}:${options.port}`).then(
      (socket) => done?.(null, tls.connect({ ...options, socket } as tls.ConnectionOptions)),
      (error: unknown) => {
        const name = `the proxy ${this.#proxy.host}`
        const fail = done as (error: Error) => void
        fail(explainFault(error, name, name))
      }
    )
  }
}

const CONNECT_MS = 10_000

/** @returns the connection to the target, over which nothing was sent yet */
async function connectThrough(proxy: URL, target: string): Promise<Socket> {
  const { auth, ...address } = urlToHttpOptions(proxy)
  const login =
    typeof auth === 'string' ? { 'proxy-authorization': `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  const call = (proxy.protocol === 'https:' ? https : http).request({
    ...address,
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...login },
    // Node would take it from the header: the certificate is the proxy's.
    servername: isIP(String(address.hostname)) === 0 ? address.hostname : '',
    agent: false,
    signal: AbortSignal.timeout(CONNECT_MS),
    // NODE_TLS_REJECT_UNAUTHORIZED=0 would have the proxy's password sent to anyone.
    rejectUnauthorized: true
  } as https.RequestOptions)
  call.end()
  const [response, socket] = (await once(call, 'connect')) as [http.IncomingMessage, Socket]
  if (response.statusCode === 200) return socket
  socket.destroy()
  throw new RetryableError(`the proxy answered ${response.statusCode}`)
}
