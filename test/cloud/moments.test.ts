// A test can stop a request at a known moment, and knows what was done of it by then: who dies at which
// moment leaves what behind.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import type { ApiKey } from './data.ts'
import { OPERATOR_ID, READER_ID, REGION, REPOSITORY } from './default-world.ts'
import {
  cutAnswerFault,
  delayAnswerFault,
  delayFault,
  dropAnswerFault,
  holdAnswerFault,
  holdFault,
  makeGate,
  stallAnswerFault,
  statusAfterFault
} from './faults.ts'
import type { Fault } from './faults.ts'

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(() => cloud.close())

const MINT = { service: 'iam', method: 'POST', path: '/v1/apikeys' } as const

const body = JSON.stringify({ name: 'job', iam_id: `iam-${READER_ID}` })

function mint(signal?: AbortSignal): Promise<Response> {
  const headers = { Authorization: `Bearer ${cloud.accessToken(OPERATOR_ID)}` }
  const init = { method: 'POST', headers, body }
  return fetch(`${cloud.iamUrl}/v1/apikeys`, signal === undefined ? init : { ...init, signal })
}

const minted = (): ApiKey[] => cloud.world.apiKeys.filter(({ name }) => name === 'job')

function order(fault: Fault): void {
  cloud.faults.push({ ...MINT, fault })
}

/** A client of its own process, such as a main that is killed. It prints the status that it got. */
function startClient(): { kill: () => void; said: Promise<string> } {
  const script = `fetch('${cloud.iamUrl}/v1/apikeys', {
    method: 'POST',
    headers: { Authorization: 'Bearer ${cloud.accessToken(OPERATOR_ID)}' },
    body: ${JSON.stringify(body)}
  }).then(async (response) => console.log(response.status, (await response.json()).name))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const said = new Promise<string>((resolve) =>
    child.on('close', () => {
      resolve(out.trim())
    })
  )
  return { kill: () => child.kill('SIGKILL'), said }
}

describe('before the service does its work, a request', () => {
  it('is held until the gate opens', async () => {
    const gate = makeGate()
    order(holdFault(gate))
    const received = cloud.when(MINT, 'received')
    const answered = mint()
    await received
    await sleep(50)
    expect(minted()).toHaveLength(0)
    gate.open()
    expect((await answered).status).toBe(201)
    expect(minted()).toHaveLength(1)
  })

  it('leaves nothing when its client dies and the gate never opens', async () => {
    order(holdFault())
    const received = cloud.when(MINT, 'received')
    const { kill, said } = startClient()
    await received
    kill()
    expect([await said, minted().length]).toEqual(['', 0])
  })

  it('that has not come to its end is never done', async () => {
    const failed = cloud.when(MINT, 'committed')
    const [host = '', port = ''] = new URL(cloud.iamUrl).host.split(':')
    const socket = connect(Number(port), host)
    const token = cloud.accessToken(OPERATOR_ID)
    socket.write(`POST /v1/apikeys HTTP/1.1\r\nHost: iam\r\nAuthorization: Bearer ${token}\r\n`)
    socket.write(`Content-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`, () => socket.destroy())
    await failed
    expect(minted()).toHaveLength(0)
  })

  it('is done after its client has died', async () => {
    const gate = makeGate()
    order(holdFault(gate))
    const [received, committed] = [cloud.when(MINT, 'received'), cloud.when(MINT, 'committed')]
    const { kill, said } = startClient()
    await received
    kill()
    expect([await said, minted().length]).toEqual(['', 0])
    gate.open()
    await committed
    expect(minted()).toHaveLength(1)
  })

  it('is done late, and answered, while its client waits', async () => {
    order(delayFault(100))
    const received = cloud.when(MINT, 'received')
    const answered = mint()
    await received
    expect(minted()).toHaveLength(0)
    expect((await answered).status).toBe(201)
  })
})

describe('after the service has done its work, the answer', () => {
  it('is held until the gate opens', async () => {
    const gate = makeGate()
    order(holdAnswerFault(gate))
    const committed = cloud.when(MINT, 'committed')
    const answered = mint()
    await committed
    expect(minted()).toHaveLength(1)
    gate.open()
    expect((await answered).status).toBe(201)
  })

  it('does not reach a client that is killed at that moment', async () => {
    const committed = cloud.when(MINT, 'committed')
    const { kill, said } = startClient()
    await committed
    kill()
    expect([await said, minted().length]).toEqual(['', 1])
  })

  it('is dropped', async () => {
    order(dropAnswerFault())
    await expect(mint()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(minted()).toHaveLength(1)
  })

  it('is cut in the middle', async () => {
    order(cutAnswerFault())
    const response = await mint()
    expect([response.status, minted().length]).toEqual([201, 1])
    await expect(response.json()).rejects.toThrow()
  })

  it('is cut in its head if it has no body', async () => {
    cloud.faults.push({ service: 'iam', method: 'DELETE', fault: cutAnswerFault() })
    const { id } = cloud.world.addApiKey({ iamId: `iam-${READER_ID}`, name: 'job' })
    const headers = { Authorization: `Bearer ${cloud.accessToken(OPERATOR_ID)}` }
    await expect(fetch(`${cloud.iamUrl}/v1/apikeys/${id}`, { method: 'DELETE', headers })).rejects.toThrow()
    expect(minted()).toHaveLength(0)
  })

  it('stops in the middle', async () => {
    order(stallAnswerFault())
    const client = new AbortController()
    const response = await mint(client.signal)
    expect([response.status, minted().length]).toEqual([201, 1])
    setTimeout(() => {
      client.abort()
    }, 50)
    await expect(response.json()).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('is late', async () => {
    order(delayAnswerFault(100))
    const committed = cloud.when(MINT, 'committed')
    const answered = mint()
    await committed
    const start = Date.now()
    expect(minted()).toHaveLength(1)
    expect((await answered).status).toBe(201)
    expect(Date.now() - start).toBeGreaterThanOrEqual(95)
  })

  it('is another’s, who lost patience', async () => {
    order(statusAfterFault(504))
    expect([(await mint()).status, minted().length]).toEqual([504, 1])
  })
})

describe('when', () => {
  it('tells of an answer once it has been sent', async () => {
    const answered = cloud.when(MINT, 'answered')
    const { said } = startClient()
    await answered
    expect(await said).toBe('201 job')
  })

  it('does not tell of an answer that nobody got', async () => {
    order(cutAnswerFault())
    let told = false
    void cloud.when(MINT, 'answered').then(() => (told = true))
    await expect((await mint()).text()).rejects.toThrow()
    await sleep(50)
    expect(told).toBe(false)
  })

  it('tells of the request that was meant, and of it once', async () => {
    let count = 0
    const path = /^\/v2\/.+\/tags\/list$/
    const tags = `/v2/${REPOSITORY}/tags/list`
    void cloud.when({ service: 'registry', path }, 'answered').then(() => (count += 1))
    const ask = async (rest: string): Promise<void> => {
      await (await fetch(`http://${cloud.registryHost}${rest}`)).text()
      await sleep(10)
    }
    await ask('/v2/')
    expect(count).toBe(0)
    await ask(tags)
    await ask(tags)
    expect([count, cloud.registries[0]?.region]).toEqual([1, REGION])
  })

  it('tells of the proxy’s requests too', async () => {
    const { url } = await cloud.startProxy()
    const asked = cloud.when({ service: 'proxy', method: 'CONNECT' }, 'received')
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('CONNECT us.icr.io:443 HTTP/1.1\r\nHost: us.icr.io:443\r\n\r\n')
    await asked
    socket.destroy()
  })
})
