// The way through a proxy: which one, that its certificate is checked, and that what it does wrong is said of it.
import { writeFileSync } from 'node:fs'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { fetchReply, parseBody } from '../../../src/http/retry.ts'
import { makeAuthority, makeServerCertificate, type CertificateKind } from '../../cloud/certificates.ts'
import { startCloud, type Cloud } from '../../cloud/cloud.ts'
import { requestsWith } from '../../cloud/recorder.ts'
import { runChild } from '../../support/child.ts'
import { measured } from '../../support/measured.ts'
import { node24 } from '../../support/node24-path.mjs'
import { makeContext } from '../support/context.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { makeFolder } from '../support/home.ts'
import { startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const REGISTRY = { method: 'GET', url: new URL('https://us.icr.io/v2/') } as const

let cloud: Cloud
const closers: (() => void)[] = []

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await cloud.close()
})

/** A proxy that does with each connection what it likes. @returns its host:port, and how often it was asked */
async function startRawProxy(
  answer: (socket: Socket) => void
): Promise<{ host: string; asked: () => number }> {
  let asked = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      asked++
      answer(socket)
    })
    closers.push(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

const program = fileURLToPath(new URL('../support/ask.ts', import.meta.url))

/** Asks in a process of its own, for variables that Node reads when it starts. */
async function askAlone(url: string, env: Record<string, string>): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await runChild(node24(), ['--no-warnings', program, url], { env: measured(env) })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

describe('A proxy', () => {
  test.each(['HTTPS_PROXY', 'https_proxy'])(
    'in %s is gone through, with a scheme and without',
    async (name) => {
      const proxy = await cloud.startProxy()
      for (const address of [proxy.url, proxy.url.replace('http://', '')]) {
        setVariables({ [name]: address })
        const request = { ...REGISTRY, url: new URL('https://not.known.test/v2/') }
        expect(await userError(fetchReply(request, parseBody, makeContext()))).toContain(
          'the proxy answered 403'
        )
      }
      expect(new Set(cloud.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(
        new Set(['CONNECT not.known.test:443'])
      )
    }
  )

  test('is not asked for this machine, nor over plain HTTP', async () => {
    const proxy = await cloud.startProxy()
    setVariables({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, ALL_PROXY: proxy.url })
    const server = await startServer({ body: '{}' })
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]']) {
      const url = new URL(`http://${host}:${server.port}/`)
      expect(await fetchReply({ method: 'GET', url }, parseBody, makeContext())).toEqual({})
    }
    const https = new URL(`https://localhost:${server.port}/`)
    await userError(fetchReply({ method: 'GET', url: https, attempts: 1 }, parseBody, makeContext()))
    expect(cloud.requests).toEqual([])
  })

  test('is not asked where a request is direct', async () => {
    const proxy = await cloud.startProxy()
    setVariables({ HTTPS_PROXY: proxy.url })
    const request = {
      method: 'GET',
      url: new URL('https://nowhere.invalid/'),
      direct: true,
      attempts: 1
    } as const
    expect(await userError(fetchReply(request, parseBody, makeContext()))).toContain('DNS')
    expect(cloud.requests).toEqual([])
  })

  test('that is not there is a fault of the proxy, and retried', async () => {
    const { host } = await startRawProxy(() => undefined)
    closers.pop()?.()
    setVariables({ HTTPS_PROXY: `http://me:word@${host}` })
    const context = makeContext()
    const message = await userError(fetchReply(REGISTRY, parseBody, context))
    expect(message).toContain(`us.icr.io/v2/ could not be reached: the proxy ${host} refused the connection.`)
    expect(context.sleeps).toHaveLength(3)
  })

  test('that wants another password says so, and is sent nothing of the registry’s', async () => {
    const proxy = await cloud.startProxy({ user: 'me', password: 'p@ss' })
    setVariables({ HTTPS_PROXY: proxy.url.replace('//', '//me:wr%40ng@') })
    const request = { ...REGISTRY, headers: { authorization: 'Basic c2VjcmV0' } }
    expect(await userError(fetchReply(request, parseBody, makeContext()))).toContain('the proxy answered 407')
    expect(requestsWith(cloud.requests, 'c2VjcmV0')).toEqual([])
  })

  test('leads to IBM’s real names, with a CA that the runner names', async () => {
    const proxy = await cloud.startProxy({ user: 'me', password: 'p@ss' })
    const ca = join(makeFolder(), 'ca.pem')
    writeFileSync(ca, proxy.caPem)
    const env = { HTTPS_PROXY: proxy.url.replace('//', '//me:p%40ss@'), NODE_EXTRA_CA_CERTS: ca }
    expect(await askAlone('https://us.icr.io/v2/', env)).toMatchObject({ outcome: '401' })
    expect(cloud.requests.map(({ service }) => service)).toEqual(['proxy', 'registry'])
  })
})

describe('A proxy that fails before there is a tunnel is retried:', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['it closes the connection', (socket) => socket.end()],
    ['it resets the connection', (socket) => socket.resetAndDestroy()],
    ['it closes in the middle of its response', (socket) => socket.end('HTTP/1.1 200 Conn')],
    ['it closes after its headers began', (socket) => socket.end('HTTP/1.1 200 OK\r\nVia: x')],
    ['it speaks another protocol', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n')],
    ['it closes once the tunnel is there', (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')],
    ['it answers 503', (socket) => socket.end('HTTP/1.1 503 Busy\r\n\r\n')],
    ['it answers 200 and speaks no TLS', (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nwelcome\r\n\r\n')]
  ])('%s', async (_, answer) => {
    const { host, asked } = await startRawProxy(answer)
    setVariables({ HTTPS_PROXY: `http://${host}` })
    const context = makeContext()
    const message = await userError(fetchReply(REGISTRY, parseBody, context))
    expect(message).toMatch(/^GET us\.icr\.io\/v2\/ could not be reached: .+\.\nCheck that/)
    expect([asked(), context.sleeps.length]).toEqual([4, 3])
  })

  test.each(['HTTP/1.1 200 OK\r\nX: ', 'HTTP/1.1 200 ', 'HTTP/1.1 200 OK\r\n', ''])(
    'it floods its response, which is not kept in memory: %j',
    async (start) => {
      let sent = 0
      const flood = Buffer.alloc(64 * 1024, start.endsWith('\n') ? 'x: y\r\n' : 'x')
      const { host } = await startRawProxy((socket) => {
        socket.write(start)
        const write = (): void => {
          while (socket.write(flood)) sent += flood.length
        }
        socket.on('drain', write)
        write()
      })
      setVariables({ HTTPS_PROXY: `http://${host}` })
      const message = await userError(fetchReply(REGISTRY, parseBody, makeContext()))
      expect(message).toMatch(
        /the proxy 127\.0\.0\.1:\d+ (?:sent headers that are too large|had a connection)/
      )
      // What the sockets' own buffers hold, four times.
      expect(sent).toBeLessThan(64 * 1024 * 1024)
    }
  )
})

describe('An https:// proxy', () => {
  /** Behind it is the stand-in's proxy. */
  const startTlsProxy = async (
    kind: CertificateKind,
    passed: string[]
  ): Promise<{ url: string; ca: string }> => {
    const inner = new URL((await cloud.startProxy()).url)
    const authority = await makeAuthority('proxy CA')
    const certificate = await makeServerCertificate(authority, 'localhost', kind)
    const server: TlsServer = createTlsServer(certificate)
    server.on(
      'connect',
      ({ headers, url }: { headers: NodeJS.Dict<unknown>; url: string }, socket: Socket) => {
        passed.push(String(headers['proxy-authorization']))
        const upstream = connect(Number(inner.port), '127.0.0.1')
        upstream.write(`CONNECT ${url} HTTP/1.1\r\nHost: ${url}\r\n\r\n`)
        upstream.pipe(socket).pipe(upstream)
      }
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const ca = join(makeFolder(), 'ca.pem')
    writeFileSync(ca, authority.pem)
    return { url: `https://me:pr0xy-word@localhost:${(server.address() as AddressInfo).port}`, ca }
  }

  test.each(['good', 'self-signed', 'expired', 'wrong-name'] as const)(
    'whose certificate is %s and not trusted is not sent its password, NODE_TLS_REJECT_UNAUTHORIZED=0 or not',
    async (kind) => {
      const passed: string[] = []
      const { url } = await startTlsProxy(kind, passed)
      const name = `the proxy ${new URL(url).host}`
      for (const unsafe of ['0', '1']) {
        const env = { HTTPS_PROXY: url, NODE_TLS_REJECT_UNAUTHORIZED: unsafe }
        const { outcome } = await askAlone('https://us.icr.io/v2/', env)
        expect(outcome).toMatch(new RegExp(`^The certificate of ${name} is not trusted \\([A-Z_]+\\)\\.\n`))
      }
      expect(passed).toEqual([])
    }
  )

  test('that is trusted is gone through, and the certificate behind it is still checked', async () => {
    const passed: string[] = []
    const { url, ca } = await startTlsProxy('good', passed)
    const { outcome } = await askAlone('https://us.icr.io/v2/', { HTTPS_PROXY: url, NODE_EXTRA_CA_CERTS: ca })
    expect(outcome).toMatch(/^The certificate of us\.icr\.io is not trusted/)
    expect(passed).toEqual([`Basic ${btoa('me:pr0xy-word')}`])
  })
})

describe('A certificate behind a proxy', () => {
  test.each(['good', 'self-signed', 'expired', 'wrong-name'] as const)(
    'that is %s and of no CA that is trusted gets no secret, NODE_TLS_REJECT_UNAUTHORIZED=0 or not',
    async (kind) => {
      const proxy = await cloud.startProxy({ certificates: { 'us.icr.io': kind } })
      const env = { HTTPS_PROXY: proxy.url, NODE_TLS_REJECT_UNAUTHORIZED: '0' }
      const { outcome } = await askAlone('https://us.icr.io/v2/', env)
      expect(outcome).toMatch(
        /^The certificate of us\.icr\.io is not trusted \([A-Z_]+\)\.\n.*NODE_EXTRA_CA_CERTS/
      )
      // It was not retried, and nothing came through.
      expect(cloud.requests.map(({ service }) => service)).toEqual(['proxy'])
    }
  )

  test.each(['expired', 'wrong-name'] as const)(
    'that is %s gets none, even of a CA that is',
    async (kind) => {
      const proxy = await cloud.startProxy({ certificates: { 'us.icr.io': kind } })
      const ca = join(makeFolder(), 'ca.pem')
      writeFileSync(ca, proxy.caPem)
      const env = { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: ca }
      const { outcome } = await askAlone('https://us.icr.io/v2/', env)
      expect(outcome).toMatch(kind === 'expired' ? /CERT_HAS_EXPIRED/ : /ALTNAME_INVALID/)
      expect(cloud.requests.map(({ service }) => service)).toEqual(['proxy'])
    }
  )
})
