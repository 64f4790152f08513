// Each request that reached the stand-in, so that a test can ask where a secret went.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Request } from './http.ts'

export type ServiceName = 'iam' | 'registry' | 'metadata' | 'proxy'

export interface RecordedRequest {
  service: ServiceName
  host: string
  method: string
  path: string
  query: string
  headers: Record<string, string>
  body: string
  /** Missing while there is no answer, and for good if a fault gave none. */
  status: number | undefined
  /** Milliseconds since 1970, by the machine's clock. */
  at: number
  /** The same number for all that came over one connection. */
  connection: number
}

/** Layers of images pass through here; their start is enough. */
const BODY_LIMIT = 1024 * 1024

export function newRecord(request: Request): RecordedRequest {
  return {
    service: request.service,
    host: request.host,
    method: request.method,
    path: request.path,
    query: request.query.toString(),
    headers: request.headers,
    body: '',
    status: undefined,
    at: Date.now(),
    connection: connectionOf(request.incoming.socket)
  }
}

const connections = new WeakMap<Duplex, number>()
let newest = 0

function connectionOf(socket: Duplex): number {
  const connection = connections.get(socket) ?? (newest += 1)
  connections.set(socket, connection)
  return connection
}

/** Listens in without letting the body flow: when that happens is for the handler to say. */
export function recordBody(incoming: IncomingMessage, record: RecordedRequest): void {
  incoming.pause()
  incoming.on('data', (chunk: Buffer) => {
    if (record.body.length < BODY_LIMIT) record.body += chunk.toString('utf8')
  })
}

export function headersOf(incoming: IncomingMessage): Record<string, string> {
  const pairs = Object.entries(incoming.headersDistinct).map(([name, values]) => [
    name,
    values?.join(', ') ?? ''
  ])
  return Object.fromEntries(pairs) as Record<string, string>
}

/** The requests that carried a secret: as it is, percent-encoded, or within Basic credentials. */
export function requestsWith(requests: RecordedRequest[], secret: string): RecordedRequest[] {
  return requests.filter((request) => textsOf(request).some((text) => text.includes(secret)))
}

function textsOf(request: RecordedRequest): string[] {
  const raw = [request.path, request.query, request.body, ...Object.values(request.headers)]
  return [...raw, ...raw.map(percentDecoded), ...Object.values(request.headers).map(basicDecoded)]
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

function basicDecoded(header: string): string {
  const encoded = /^Basic\s+(\S+)$/i.exec(header)?.[1] ?? ''
  return Buffer.from(encoded, 'base64').toString('utf8')
}
