// A real proxy that wants a password: tinyproxy. It hands everything on to the stand-in's own proxy, which knows
// IBM's names, so that nothing is looked up.
import { afterAll, beforeAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import { OPERATOR_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { requestsWith } from '../cloud/recorder.ts'
import { madeIn, mintInputs, WAYS } from '../e2e/support/mint.ts'
import { expectFailure, expectNotSaid, expectSuccess } from '../e2e/support/promises.ts'
import { killGroup } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { startJob, type Environment, type Job, type StepResult } from '../support/runner.ts'

const USER = 'runner'
const PASSWORD = 'pr0xy-Pa55.word_9xQ'

let cloud: Cloud
let folder: string
let proxy: { port: number; child: ChildProcess }
const jobs: Job[] = []

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })

/** tinyproxy in front of another proxy. */
async function startTinyproxy(upstream: string): Promise<typeof proxy> {
  const port = await freePort()
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'Allow 127.0.0.1',
    'Timeout 60',
    'LogLevel Connect',
    `LogFile "${join(folder, 'log')}"`,
    'ConnectPort 443',
    `BasicAuth ${USER} ${PASSWORD}`,
    `Upstream http ${upstream}`
  ]
  writeFileSync(join(folder, 'log'), '')
  writeFileSync(join(folder, 'tinyproxy.conf'), `${lines.join('\n')}\n`)
  const child = spawn(needProgram('tinyproxy'), ['-d', '-c', join(folder, 'tinyproxy.conf')], {
    detached: true,
    stdio: 'ignore'
  })
  for (let tries = 0; tries < 200; tries++) {
    if (await answers(port)) return { port, child }
    if (child.exitCode !== null) break
    await sleep(50)
  }
  killGroup(child, 'SIGKILL')
  throw new Error(`tinyproxy did not start:\n${readFileSync(join(folder, 'log'), 'utf8')}`)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'icr-login-tinyproxy-'))
  cloud = await startCloud({ registry: { registryTokens: true } })
  const standIn = await cloud.startProxy()
  writeFileSync(join(folder, 'ca.pem'), standIn.caPem)
  proxy = await startTinyproxy(new URL(standIn.url).host)
})

afterAll(async () => {
  killGroup(proxy.child, 'SIGKILL')
  await cloud.close()
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(() => {
  cloud.requests.splice(0)
  writeFileSync(join(folder, 'log'), '')
})

afterEach(() => {
  for (const job of jobs.splice(0)) job.close()
})

async function newJob(docker: 'real' | 'none', password = PASSWORD): Promise<Job> {
  const ca = join(folder, 'ca.pem')
  const url = `http://${USER}:${password}@127.0.0.1:${proxy.port}`
  const env: Environment = { HTTPS_PROXY: url, HTTP_PROXY: url, NODE_EXTRA_CA_CERTS: ca, SSL_CERT_FILE: ca }
  const job = await startJob({ docker, env })
  jobs.push(job)
  return job
}

/** Hidden before it could be shown, and not shown. */
function expectHidden(result: StepResult, password = PASSWORD): void {
  expect(result.masks).toContain(password)
  expectNotSaid(result, password)
}

/** The names that the real proxy was asked for. */
function wayThere(): string[] {
  const log = readFileSync(join(folder, 'log'), 'utf8')
  return [...new Set([...log.matchAll(/CONNECT (\S+:\d+) HTTP/gu)].map(([, name = '']) => name))].sort()
}

describe.each(['real', 'none'] as const)(
  'docker on the PATH: %s: through a proxy with a password',
  (docker) => {
    test('a login goes, and the proxy learns nothing of the secret', async () => {
      const job = await newJob(docker)
      const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
      expectSuccess(main)
      expectHidden(main)
      expect(wayThere()).toEqual(['us.icr.io:443'])
      const seen = requestsWith(cloud.requests, WRITER_KEY).map(({ service, host }) => `${service} ${host}`)
      expect(new Set(seen)).toEqual(new Set(['registry us.icr.io']))
      expect(requestsWith(cloud.requests, PASSWORD)).toEqual([])
      expectSuccess(await job.post())
      expect(job.snapshot()).toEqual({})
    })

    test.each(Object.keys(WAYS))('mint: %s goes, and so does its end', async (way) => {
      const job = await newJob(docker)
      const main = await job.main(mintInputs(way, { region: 'us-south' }))
      expectSuccess(main)
      expectHidden(main)
      expect(wayThere()).toContain('us.icr.io:443')
      expect(cloud.requests.filter(({ service }) => service === 'proxy').length).toBeGreaterThan(0)
      const post = await job.post()
      expectSuccess(post)
      expectHidden(post)
      expect([madeIn(cloud), job.snapshot()]).toEqual([[], {}])
    })

    test('a wrong password is an error about the proxy, without any password', async () => {
      const wrong = 'wr0ng-Pa55.word_8zK'
      const job = await newJob(docker, wrong)
      const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south', timeout: '20s' })
      const message = expectFailure(main, /proxy/iu, WRITER_KEY)
      expect(message).not.toMatch(/refused the login|Check the secret/u)
      expectHidden(main, wrong)
      expect(cloud.requests).toEqual([])
    })

    test('a wrong password at a mint is one, too', async () => {
      const wrong = 'wr0ng-Pa55.word_8zK'
      const job = await newJob(docker, wrong)
      const main = await job.main(mintInputs('api-key', { region: 'us-south', timeout: '20s' }))
      expectFailure(main, /proxy/iu, OPERATOR_KEY)
      expectHidden(main, wrong)
      expect(cloud.requests).toEqual([])
      expectSuccess(await job.post())
    })

    test('a host that the proxy does not let through is an error about the proxy', async () => {
      const job = await newJob(docker)
      // Nobody here knows another region than us-south.
      const main = await job.main({ 'api-key': WRITER_KEY, region: 'eu-gb', timeout: '20s' })
      expect(expectFailure(main, 'uk.icr.io', WRITER_KEY)).toMatch(/proxy/iu)
      expectHidden(main)
    })
  }
)
