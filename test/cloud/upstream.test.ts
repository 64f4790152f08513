// How the stand-in's registry passes requests on to a real one. A few lines of server play the real one
// here, so that this needs Node alone; the real docker-registry takes its place in test/real.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import { READER_KEY, REPOSITORY, WRITER_KEY } from './default-world.ts'
import { listen } from './http.ts'
import type { Listening } from './http.ts'

const UPLOADS = `/v2/${REPOSITORY}/blobs/uploads/`

let cloud: Cloud
let upstream: Listening
let answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void

beforeEach(async () => {
  upstream = await listen(
    createServer((incoming, outgoing) => {
      answer(incoming, outgoing)
    })
  )
  cloud = await startCloud({ registry: { upstream: `http://${upstream.host}` } })
})

afterEach(async () => {
  await cloud.close()
  await upstream.close()
})

async function ask(key: string, scope: string, path: string, request: RequestInit = {}): Promise<Response> {
  const basic = { Authorization: `Basic ${btoa(`iamapikey:${key}`)}` }
  const url = `http://${cloud.registryHost}/oauth/token?service=registry&scope=${scope}`
  const { token } = (await (await fetch(url, { headers: basic })).json()) as { token: string }
  const headers = { Authorization: `Bearer ${token}` }
  return fetch(`http://${cloud.registryHost}${path}`, { ...request, headers })
}

it('bodies go through in both directions, large ones too', async () => {
  answer = (incoming, outgoing) => {
    outgoing.writeHead(201, { 'Docker-Distribution-Api-Version': 'registry/2.0' })
    incoming.pipe(outgoing)
  }
  const body = Buffer.alloc(5_000_000, 'layer')
  const response = await ask(WRITER_KEY, `repository:${REPOSITORY}:pull,push`, UPLOADS, {
    method: 'POST',
    body
  })
  expect([response.status, response.headers.get('docker-distribution-api-version')]).toEqual([
    201,
    'registry/2.0'
  ])
  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
})

it('the query goes through, and a Location comes back with our host', async () => {
  answer = (incoming, outgoing) => {
    outgoing.writeHead(202, { Location: `http://${upstream.host}${incoming.url ?? ''}&more` }).end()
  }
  const path = `${UPLOADS}?digest=sha256%3A0`
  const response = await ask(WRITER_KEY, `repository:${REPOSITORY}:pull,push`, path, { method: 'POST' })
  expect(response.headers.get('location')).toBe(`http://${cloud.registryHost}${path}&more`)
})

it.each([
  ['is denied to those who may not, in IBM’s words', READER_KEY, 403, 'insufficient scope', null],
  ['is challenged in our name for those who may', WRITER_KEY, 401, 'Authorization required', 'oauth/token"']
])('what the real registry refuses %s', async (_name, key, status, message, challenge) => {
  answer = (_incoming, outgoing) => {
    outgoing.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="http://elsewhere.test/"' }).end('no')
  }
  const response = await ask(key, `repository:${REPOSITORY}:pull`, UPLOADS, { method: 'POST' })
  expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(message)])
  const header = response.headers.get('www-authenticate')
  if (challenge === null) expect(header).toBeNull()
  else expect(header).toMatch(`realm="http://${cloud.registryHost}/${challenge}`)
})

it('nothing reaches the real registry without a token of ours', async () => {
  let asked = 0
  answer = (_incoming, outgoing) => {
    asked += 1
    outgoing.end()
  }
  const response = await fetch(`http://${cloud.registryHost}/v2/`, { headers: { Authorization: 'Bearer x' } })
  expect([response.status, asked]).toEqual([401, 0])
})

it('a real registry that is gone is a 502', async () => {
  await upstream.close()
  const response = await ask(READER_KEY, `repository:${REPOSITORY}:pull`, `/v2/${REPOSITORY}/manifests/1`)
  expect(response.status).toBe(502)
})
