// The stand-in's only HTTP plumbing: a service is a function from a request to a reply.
import { createServer, STATUS_CODES } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { takeFault } from './faults.ts'
import type { FaultRule } from './faults.ts'
import { announce } from './matching.ts'
import type { Watcher } from './matching.ts'
import { headersOf, newRecord, recordBody } from './recorder.ts'
import type { RecordedRequest, ServiceName } from './recorder.ts'

export interface Request {
  service: ServiceName
  method: string
  /** What the client called us: the Host header, or our own address. */
  host: string
  /** The scheme and host under which the client reached us. */
  origin: string
  path: string
  query: URLSearchParams
  headers: Record<string, string>
  clientIp: string
  text: () => Promise<string>
  /** For the one handler that passes the body on as it comes. */
  incoming: IncomingMessage
}

export interface Reply {
  status: number
  headers?: OutgoingHttpHeaders
  body?: string | Buffer | Readable
}

export type Handler = (request: Request) => Reply | Promise<Reply>

/** What all services share: who was asked what, which answers are to go wrong, and who waits for what. */
export interface Wire {
  requests: RecordedRequest[]
  faults: FaultRule[]
  /** Tests that wait for a request to get somewhere. */
  watchers: Watcher[]
  /** How far away it is: milliseconds from a question to its answer, and once more for each new connection. */
  roundTripMs: number
}

/** A reply that a handler gives by throwing it, however deep it is. */
export class Refusal extends Error {
  readonly reply: Reply
  constructor(reply: Reply) {
    super(`refused with ${reply.status}`)
    this.reply = reply
  }
}

export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Reply {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

export async function readForm(request: Request): Promise<URLSearchParams> {
  return new URLSearchParams(await request.text())
}

/** The body as a JSON object; anything else, nothing included, is an empty one. */
export async function readJson(request: Request): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await request.text())
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export interface Basic {
  username: string
  password: string
}

export function basicFrom(header: string | undefined): Basic | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  return username === undefined || password === undefined ? undefined : { username, password }
}

export function bearerFrom(header: string | undefined): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(header ?? '')?.[1]
}

/** Turns a handler into what node calls for each request: recorded, and faulty where a test says so. */
export function listenerFor(service: ServiceName, handler: Handler, wire: Wire): RequestListener {
  return (incoming, outgoing) => {
    void exchange(service, handler, wire, incoming, outgoing)
  }
}

async function exchange(
  service: ServiceName,
  handler: Handler,
  wire: Wire,
  incoming: IncomingMessage,
  outgoing: ServerResponse
): Promise<void> {
  const request = requestFrom(service, incoming)
  const record = newRecord(request)
  const greeted = wire.requests.some(({ connection }) => connection === record.connection)
  wire.requests.push(record)
  recordBody(incoming, record)
  if (wire.roundTripMs > 0) await sleep(wire.roundTripMs * (greeted ? 1 : 2))
  const reply = await settle(wire, request, incoming.socket, () => answerOf(handler, request))
  if (reply === undefined) return
  record.status = reply.status
  const sent = send(reply, outgoing)
  incoming.resume() // what no handler has read is recorded all the same
  if (await sent) await announce(wire.watchers, request, 'answered')
}

/** Reads what the client sends to its end, so that it is here even if the client is gone by the time. */
async function arrived(request: Request): Promise<boolean> {
  if (request.path.startsWith('/v2/')) return true // an image's bytes pass through as they come
  return request.text().then(
    () => true,
    () => false
  )
}

/** The service's reply, or what a fault makes of it. */
export async function settle(
  wire: Wire,
  request: Request,
  socket: Duplex,
  work: () => Reply | Promise<Reply>
): Promise<Reply | undefined> {
  if (await arrived(request)) await announce(wire.watchers, request, 'received')
  const answer = async (): Promise<Reply> => {
    const reply = await work()
    await announce(wire.watchers, request, 'committed')
    return reply
  }
  const fault = takeFault(wire.faults, request)
  return fault ? fault({ request, socket, answer }) : answer()
}

async function answerOf(handler: Handler, request: Request): Promise<Reply> {
  try {
    return await handler(request)
  } catch (error) {
    if (error instanceof Refusal) return error.reply
    return { status: 500, body: `the stand-in itself failed: ${String(error)}` }
  }
}

function requestFrom(service: ServiceName, incoming: IncomingMessage): Request {
  const { localAddress, localPort, remoteAddress } = incoming.socket
  const host = incoming.headers.host ?? `${localAddress ?? ''}:${localPort ?? ''}`
  const origin = `${'encrypted' in incoming.socket ? 'https' : 'http'}://${host}`
  const [path = '/', query = ''] = splitOnce(incoming.url ?? '/', '?')
  let text: Promise<string> | undefined
  return {
    service,
    method: incoming.method ?? 'GET',
    host,
    origin,
    path,
    query: new URLSearchParams(query),
    headers: headersOf(incoming),
    clientIp: remoteAddress ?? '',
    text: () => (text ??= textOf(incoming)),
    incoming
  }
}

function splitOnce(text: string, at: string): string[] {
  const index = text.indexOf(at)
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)]
}

function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'))
    })
    incoming.on('error', reject)
    if (incoming.destroyed) reject(new Error('the client went away'))
    incoming.resume()
  })
}

/** Whether all of it went out. */
async function send(reply: Reply, outgoing: ServerResponse): Promise<boolean> {
  const { status, headers = {}, body = '' } = reply
  if (body instanceof Readable) {
    outgoing.writeHead(status, headers)
    await pipeline(body, outgoing).catch(() => undefined) // the client went away: nobody is left to tell
    return outgoing.writableFinished
  }
  const length = status === 204 ? {} : { 'Content-Length': Buffer.byteLength(body) }
  outgoing.writeHead(status, { ...length, ...headers })
  await new Promise<void>((resolve) => {
    outgoing.on('finish', resolve).on('close', resolve).on('error', resolve).end(body)
  })
  return outgoing.writableFinished
}

/** For sockets that have no ServerResponse, such as those that asked to CONNECT. */
export function rawReply(reply: Reply): string {
  const { status, headers = {}, body = '' } = reply
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`)
  const text = body instanceof Readable ? '' : body.toString()
  const length = status === 200 ? '' : `Content-Length: ${Buffer.byteLength(text)}\r\n`
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}${length}\r\n${text}`
}

export interface Listening {
  /** 127.0.0.1:PORT */
  host: string
  close: () => Promise<void>
}

export async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, close: () => closeServer(server, sockets) }
}

function closeServer(server: Server, sockets: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
    for (const socket of sockets) socket.destroy()
  })
}

export function serve(service: ServiceName, handler: Handler, wire: Wire): Promise<Listening> {
  return listen(createServer(listenerFor(service, handler, wire)))
}
