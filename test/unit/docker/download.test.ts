// A public file from a mirror: whole, or not at all, and never out of TLS.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { download } from '../../../src/docker/download.ts'
import { makeAuthority, makeServerCertificate } from '../../cloud/certificates.ts'
import { makeContext } from '../support/context.ts'
import { useOwnEnvironment } from '../support/environment.ts'
import { makeFolder } from '../support/home.ts'
import { type Answer, SOCKET_FAULTS, startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const MEGABYTE = 1024 * 1024
const GOOD: Answer = { body: 'whole' }

const urlOf = ({ host }: { host: string }, path = '/docker.tgz'): URL => new URL(`http://${host}${path}`)
const newFile = (): string => join(makeFolder(), 'docker.tgz')
const redirect = (location: string): Answer => ({ status: 302, headers: { location } })

test.each(Object.entries(SOCKET_FAULTS))('%s is no file: the next answer counts', async (_, fault) => {
  const [server, file, context] = [await startServer(fault, GOOD), newFile(), makeContext()]
  expect(await download(urlOf(server), file, context)).toBe(200)
  expect([readFileSync(file, 'utf8'), context.sleeps.length]).toEqual(['whole', 1])
})

test('a file that is not there is told by its status', async () => {
  const server = await startServer({ status: 404, body: 'x'.repeat(1000) })
  expect(await download(urlOf(server), newFile(), makeContext())).toBe(404)
  expect(server.received).toHaveLength(1)
})

test('a redirect is followed, to another path and to another machine’s', async () => {
  const [file, other] = [newFile(), await startServer(GOOD)]
  const server = await startServer(redirect('/elsewhere'), redirect(urlOf(other, '/last').href))
  expect(await download(urlOf(server), file, makeContext())).toBe(200)
  expect([readFileSync(file, 'utf8'), server.received[1]?.url, other.received[0]?.url]).toEqual([
    'whole',
    '/elsewhere',
    '/last'
  ])
})

test.each(['http://mirror.example.test/x', 'ftp://127.0.0.1/x', 'http://[', 'file:///etc/passwd'])(
  'a redirect to %s is not followed',
  async (location) => {
    const server = await startServer(redirect(location))
    expect(await userError(download(urlOf(server), newFile(), makeContext()))).toContain(
      `${server.host} redirects to "${location}", which is not https.`
    )
  }
)

test('redirects without an end are given up', async () => {
  const server = await startServer(redirect('/again'))
  const message = await userError(download(urlOf(server), newFile(), makeContext()))
  expect(message).toContain('it answered with one redirect after the other')
})

test('a redirect that does not say where to is told by its status', async () => {
  const server = await startServer({ status: 304 })
  expect(await userError(download(urlOf(server), newFile(), makeContext()))).toContain('answered 304')
})

test('how far it has come is said, of how much where that is known', async () => {
  const known = await startServer({
    headers: { 'content-length': String(2 * MEGABYTE) },
    body: 'x'.repeat(2 * MEGABYTE)
  })
  const unknown = await startServer({
    headers: { 'transfer-encoding': 'chunked' },
    body: 'x'.repeat(2 * MEGABYTE)
  })
  for (const [server, line] of [
    [known, /^\d+ [KM]iB of 2 MiB downloaded\.$/],
    [unknown, /^\d+ [KM]iB downloaded\.$/]
  ] as const) {
    const context = makeContext()
    let clock = 0
    // Each look at the clock finds it six seconds on.
    const hurried = { ...context, now: () => (clock += 6_000), deadline: 1e9 }
    expect(await download(urlOf(server), newFile(), hurried)).toBe(200)
    expect(context.infos.length).toBeGreaterThan(0)
    for (const note of context.infos) expect(note).toMatch(line)
  }
})

test('more than it may have is not written on', async () => {
  const server = await startServer({ body: 'x'.repeat(3 * MEGABYTE) })
  const file = newFile()
  expect(await userError(download(urlOf(server), file, makeContext(), 2 * MEGABYTE))).toContain(
    'its answer is over 2 MiB'
  )
  expect(readFileSync(file).length).toBeLessThanOrEqual(2 * MEGABYTE)
})

test.each([
  [
    'a directory that is not there',
    'ENOENT: no such file or directory',
    (): string => join(makeFolder(), 'none', 'docker.tgz')
  ],
  ['a full disk', 'the disk is full', (): string => '/dev/full']
])('%s is named as what is wrong, after one attempt', async (_, reason, place) => {
  const server = await startServer({ body: 'x'.repeat(MEGABYTE) })
  expect(await userError(download(urlOf(server), place(), makeContext()))).toContain(
    `The docker CLI could not be stored: ${reason}`
  )
  expect(server.received).toHaveLength(1)
})

test.each([
  ['never answers', (): void => undefined],
  [
    'never ends',
    (socket: { write(text: string): unknown }): void => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
    }
  ]
])('a server that %s is left when the time is up', async (_, raw) => {
  const server = await startServer({ raw })
  const message = await userError(download(urlOf(server), newFile(), makeContext({ budgetMs: 500 })))
  expect(message).toContain('could not be reached: the time is up')
})

test('a certificate that nobody vouches for is refused', async () => {
  const certificate = await makeServerCertificate(await makeAuthority('nobody'), 'localhost', 'good')
  const server = createServer(certificate, (_, response) => response.end('x'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `localhost:${(server.address() as AddressInfo).port}`
  try {
    const message = await userError(download(new URL(`https://${host}/x`), newFile(), makeContext()))
    expect(message).toContain(`The certificate of ${host} is not trusted`)
  } finally {
    server.close()
  }
})
