// Each fault of the table, as a client sees it.
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createGunzip } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import { READER_KEY } from './default-world.ts'
import { FAULTS } from './faults.ts'
import type { Fault } from './faults.ts'

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(() => cloud.close())

function order(fault: Fault): void {
  cloud.faults.push({ service: 'iam', times: 1, fault })
}

function askToken(signal: AbortSignal = AbortSignal.timeout(5000)): Promise<Response> {
  const grant = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: READER_KEY }
  const body = new URLSearchParams(grant)
  return fetch(`${cloud.iamUrl}/identity/token`, { method: 'POST', body, signal })
}

/** In place of the answer: what fetch says of it. */
async function failure(asked: Promise<unknown>): Promise<string> {
  try {
    await asked
    return 'none'
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string; name?: string } }
    // Node 24's parser gives its name where Node 20's gives a code.
    return cause?.code ?? cause?.name ?? name
  }
}

it('has all of the faults that a client is to get over, or to give up on', () => {
  expect(Object.keys(FAULTS)).toHaveLength(23)
})

describe('no answer', () => {
  it.each([
    ['reset', 'ECONNRESET'],
    ['close before an answer', 'UND_ERR_SOCKET'],
    ['garbage status line', /^(?:HPE_INVALID_CONSTANT|HTTPParserError)$/]
  ] as const)('%s', async (name, code) => {
    order(FAULTS[name]())
    expect(await failure(askToken())).toMatch(code)
    expect((await askToken()).status).toBe(200)
  })

  it.each(['hang before headers', 'late'] as const)('%s', async (name) => {
    order(FAULTS[name]())
    expect(await failure(askToken(AbortSignal.timeout(100)))).toBe('TimeoutError')
  })
})

describe('half an answer', () => {
  it('body cut short', async () => {
    order(FAULTS['body cut short']())
    const response = await askToken()
    expect(response.status).toBe(200)
    expect(await failure(response.text())).toBe('UND_ERR_SOCKET')
  })

  it('hang in the body', async () => {
    order(FAULTS['hang in the body']())
    const client = new AbortController()
    const response = await askToken(client.signal)
    expect(response.status).toBe(200)
    setTimeout(() => {
      client.abort()
    }, 50)
    expect(await failure(response.text())).toBe('AbortError')
  })

  it('one byte a second', async () => {
    order(FAULTS['one byte a second']())
    const response = await askToken()
    expect((await response.body?.getReader().read())?.value).toEqual(new Uint8Array([123]))
  })
})

describe('another answer', () => {
  it.each([
    ['empty 200', 200, '', null],
    ['HTML 200', 200, '<!DOCTYPE html>', null],
    ['408', 408, '', null],
    ['425', 425, '', null],
    ['429', 429, '', null],
    ['429 with Retry-After', 429, '', '1'],
    ['500', 500, '', null],
    ['502', 502, '<!DOCTYPE html>', null],
    ['503', 503, '', null],
    ['503 with Retry-After', 503, '', '1'],
    ['504', 504, '', null],
    ['520', 520, '', null]
  ] as const)('%s', async (name, status, start, retryAfter) => {
    order(FAULTS[name]())
    const response = await askToken()
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter])
    expect((await response.text()).startsWith(start)).toBe(true)
  })

  it('wrong JSON types', async () => {
    order(FAULTS['wrong JSON types']())
    expect(await (await askToken()).json()).toMatchObject({ access_token: 42, expires_in: '3600' })
  })
})

describe('too much of an answer', () => {
  it('10 MiB body, with no word of its length, and good JSON at last', async () => {
    order(FAULTS['10 MiB body']())
    const response = await askToken()
    expect(response.headers.get('content-length')).toBeNull()
    const text = await response.text()
    expect(text.length).toBeGreaterThan(10 * 1024 * 1024)
    expect(JSON.parse(text)).toMatchObject({ access_token: expect.any(String) })
  })

  it('gzip bomb', async () => {
    order(FAULTS['gzip bomb']())
    const response = await new Promise<IncomingMessage>((resolve) =>
      get(`${cloud.iamUrl}/identity/keys`, { agent: false }, resolve)
    )
    expect(response.headers['content-encoding']).toBe('gzip')
    expect(Number(response.headers['content-length'])).toBeLessThan(300 * 1024)
    let size = 0
    for await (const chunk of response.pipe(createGunzip({ chunkSize: 1024 * 1024 }))) {
      size += (chunk as Buffer).length
    }
    expect(size).toBeGreaterThan(256 * 1024 * 1024)
  })
})
