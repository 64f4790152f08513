// A CONNECT proxy on loopback under which IBM's real names lead to the stand-in, over TLS, with a CA of
// the test's own. Nothing is looked up: a name that is not known is refused.
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server as TlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { makeAuthority, makeServerCertificate } from './certificates.ts'
import type { Authority, CertificateKind } from './certificates.ts'
import { basicFrom, listen, listenerFor, rawReply, settle } from './http.ts'
import type { Handler, Reply, Request, Wire } from './http.ts'
import { headersOf, newRecord } from './recorder.ts'
import type { ServiceName } from './recorder.ts'

export interface ProxyRoute {
  service: ServiceName
  handler: Handler
  certificate?: CertificateKind
}

export interface ProxyOptions {
  /** By name, for port 443: `us.icr.io`. */
  routes: Map<string, ProxyRoute>
  user?: string
  password?: string
}

export interface Proxy {
  /** http://127.0.0.1:PORT, with no user in it. */
  url: string
  /** The test CA, PEM: the content of a file for SSL_CERT_FILE and NODE_EXTRA_CA_CERTS. */
  caPem: string
  close: () => Promise<void>
}

export async function startProxy(options: ProxyOptions, wire: Wire): Promise<Proxy> {
  const authority = await makeAuthority('icr-login test CA')
  const servers = new Map<string, Promise<TlsServer>>()
  const server = createServer(listenerFor('proxy', () => ({ status: 403 }), wire)) // no plain http
  server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined) // a client that hangs up is no failure of ours
    void connect({ options, authority, servers, wire }, incoming, socket, head)
  })
  const { host, close } = await listen(server)
  return { url: `http://${host}`, caPem: authority.pem, close }
}

interface Tunnels {
  options: ProxyOptions
  authority: Authority
  /** One for each name, made when it is first asked for. */
  servers: Map<string, Promise<TlsServer>>
  wire: Wire
}

async function connect(
  tunnels: Tunnels,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer
): Promise<void> {
  const request = connectRequest(incoming)
  const record = newRecord(request)
  tunnels.wire.requests.push(record)
  const reply = await settle(tunnels.wire, request, socket, () => judge(tunnels.options, request))
  if (reply === undefined) return
  record.status = reply.status
  const route = tunnels.options.routes.get(nameOf(request.path))
  if (reply.status !== 200 || route === undefined) {
    socket.end(rawReply(reply))
    return
  }
  const server = await serverFor(tunnels, nameOf(request.path), route)
  socket.write(rawReply(reply))
  if (head.length > 0) socket.unshift(head)
  server.emit('connection', socket)
}

function connectRequest(incoming: IncomingMessage): Request {
  const target = incoming.url ?? ''
  return {
    service: 'proxy',
    method: 'CONNECT',
    host: target,
    origin: '',
    path: target,
    query: new URLSearchParams(),
    headers: headersOf(incoming),
    clientIp: incoming.socket.remoteAddress ?? '',
    text: () => Promise.resolve(''),
    incoming
  }
}

function judge({ routes, user, password }: ProxyOptions, request: Request): Reply {
  const given = basicFrom(request.headers['proxy-authorization'])
  if (user !== undefined && (given?.username !== user || given.password !== (password ?? ''))) {
    return { status: 407, headers: { 'Proxy-Authenticate': 'Basic realm="proxy"' } }
  }
  const known = request.path.endsWith(':443') && routes.has(nameOf(request.path))
  return { status: known ? 200 : 403 }
}

function nameOf(target: string): string {
  return target.replace(/:\d+$/, '').toLowerCase()
}

function serverFor(tunnels: Tunnels, name: string, route: ProxyRoute): Promise<TlsServer> {
  const server = tunnels.servers.get(name) ?? startTls(tunnels, name, route)
  tunnels.servers.set(name, server)
  return server
}

/** Never listens: the proxy hands it the connections. */
async function startTls({ authority, wire }: Tunnels, name: string, route: ProxyRoute): Promise<TlsServer> {
  const certificate = await makeServerCertificate(authority, name, route.certificate ?? 'good')
  const server = createTlsServer(certificate, listenerFor(route.service, route.handler, wire))
  server.on('tlsClientError', (_error, socket) => {
    socket.destroy()
  })
  return server
}
