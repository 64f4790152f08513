// Passes a request on to a real docker-registry, as it comes and as it goes.
import { request as startRequest } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream'
import type { Reply, Request } from './http.ts'

/** RFC 9110, section 7.6.1: these are between two neighbours only. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect']

export function passOn(upstream: string, request: Request): Promise<Reply> {
  return new Promise((resolve) => {
    const outgoing = startRequest(new URL(request.incoming.url ?? '/', upstream), {
      method: request.method,
      headers: { ...forwarded(request.headers), host: new URL(upstream).host },
      agent: false // a socket that is kept would outlive the cloud
    })
    outgoing.on('response', (incoming) => {
      resolve(replyFrom(incoming, upstream, request.origin))
    })
    pipeline(request.incoming, outgoing, (error) => {
      if (error) resolve({ status: 502, body: 'the docker-registry behind the stand-in did not answer' })
    })
  })
}

function forwarded(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)))
}

function replyFrom(incoming: IncomingMessage, upstream: string, origin: string): Reply {
  const headers: OutgoingHttpHeaders = forwarded(flat(incoming))
  const { location } = incoming.headers
  if (location?.startsWith(upstream) === true) headers.location = origin + location.slice(upstream.length)
  return { status: incoming.statusCode ?? 502, headers, body: incoming }
}

function flat(incoming: IncomingMessage): Record<string, string> {
  const pairs = Object.entries(incoming.headersDistinct)
  return Object.fromEntries(pairs.map(([name, values]) => [name, values?.join(', ') ?? '']))
}
