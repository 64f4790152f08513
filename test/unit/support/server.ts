// A server on loopback that answers each request with the next of its answers, and the last one from then on.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach } from '@jest/globals'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string | string[]>
  readonly body?: string
}

/** Below HTTP: does with the socket what it likes. */
export interface SocketAnswer {
  readonly raw: (socket: Socket) => void
}

type AnyAnswer = Answer | SocketAnswer | ((request: Received) => Answer)

export interface Server {
  /** 127.0.0.1:PORT */
  readonly host: string
  readonly port: number
  readonly received: Received[]
  close(): Promise<void>
}

const open: Server[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

export async function startServer(...answers: readonly AnyAnswer[]): Promise<Server> {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    void readBody(incoming).then((body) => {
      const { method = '', url = '', headers } = incoming
      const request = { method, url, headers, body }
      const answer = answers[Math.min(received.length, answers.length - 1)] ?? {}
      received.push(request)
      const given = typeof answer === 'function' ? answer(request) : answer
      if ('raw' in given) given.raw(incoming.socket)
      else response.writeHead(given.status ?? 200, given.headers).end(given.body)
    })
  }
  const server = createServer(listener)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const started: Server = {
    host: `127.0.0.1:${port}`,
    port,
    received,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }
  open.push(started)
  return started
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** What can happen to a connection before there is an answer, or in the middle of one. */
export const SOCKET_FAULTS: Readonly<Record<string, SocketAnswer>> = {
  'a reset': { raw: (socket) => socket.resetAndDestroy() },
  'a close': { raw: (socket) => socket.end() },
  'a status line that is none': { raw: (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n') },
  'half a status line': { raw: (socket) => socket.end('HTTP/1.1 2') },
  'headers without an end': { raw: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Type: appl') },
  'a body that is cut': {
    raw: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"token":"x"}')
  },
  'a chunk that is cut': {
    raw: (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"token":"x"}')
  },
  'a body that is reset': {
    raw: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"tok', () => socket.resetAndDestroy())
    }
  },
  'another protocol than asked for': {
    raw: (socket) =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
  }
}
