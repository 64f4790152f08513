// A stumble of the network is no failure of the job; a refusal is none of the network.
import { expect, test } from '@jest/globals'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { WRITER_KEY } from '../cloud/default-world.ts'
import { hangFault, resetFault, statusFault, type Fault, type FaultRule } from '../cloud/faults.ts'
import type { Job, StepResult } from '../support/runner.ts'
import { expectFailure, expectNotSaid, expectSuccess } from './support/promises.ts'
import { authOf, testBothWays, useStage, type Way } from './support/stage.ts'

const stage = useStage()

const now = { 'retry-after': '0' }
const faults: [string, () => Fault][] = [
  ['a reset connection', resetFault],
  ['503', () => statusFault(503, now)],
  ['502', () => statusFault(502, now)],
  ['500', () => statusFault(500, now)],
  ['429', () => statusFault(429, now)]
]

/** One job for each fault, side by side, each with a registry of its own; `check` sees how it ended. */
async function withEachFault(
  docker: Way,
  rule: Omit<FaultRule, 'service' | 'fault'>,
  check: (main: StepResult, job: Job, host: string) => void
): Promise<void> {
  await Promise.all(
    faults.map(async ([name, fault]) => {
      const { host } = await stage.cloud.addRegistry()
      stage.cloud.faults.push({ service: 'registry', host, fault: fault(), ...rule })
      const job = await stage.newJob({ docker })
      const main = await job.main({ 'api-key': WRITER_KEY, registry: host })
      if (main.exitCode !== 0) throw new Error(`${name}: ${main.stdout}`)
      expectSuccess(main)
      check(main, job, host)
      expectSuccess(await job.post())
      expect(job.snapshot()).toEqual({})
    })
  )
}

const names = faults.map(([name]) => name).join(', ')

testBothWays(`A registry whose first answer fails (${names}) is asked again`, async (docker) => {
  await withEachFault(docker, { path: '/v2/', times: 1 }, (_, job, host) => {
    expect(job.dockerConfig()?.auths?.[host]).toEqual({ auth: authOf('iamapikey', WRITER_KEY) })
  })
})

// Two 429 cost up to 25 s: 5 to 10, then 5 to 15.
testBothWays(
  `A token service that fails twice (${names}) is asked again`,
  async (docker) => {
    await withEachFault(docker, { path: '/oauth/token', times: 2 }, (main, job, host) => {
      expectNotSaid(main, WRITER_KEY)
      expect(main.log).toMatch(/again in \d+\.\d s\.$/mu)
      expect(job.dockerConfig()?.auths?.[host]).toEqual({ auth: authOf('iamapikey', WRITER_KEY) })
    })
  },
  60_000
)

testBothWays('A fault that stays ends the step, and says what it was', async (docker) => {
  stage.cloud.faults.push({ service: 'registry', path: '/oauth/token', fault: statusFault(503, now) })
  const job = await stage.newJob({ docker })
  const main = await job.main(stage.here({ 'api-key': WRITER_KEY, timeout: '20s' }))
  const message = expectFailure(main, 'could not be reached', WRITER_KEY)
  expect(message).toContain('503')
  expect(message).toContain(stage.cloud.registryHost)
  const tries = stage.cloud.requests.filter(({ path }) => path === '/oauth/token').length
  expect(tries).toBeGreaterThanOrEqual(3)
  expect(tries).toBeLessThanOrEqual(4)
})

testBothWays('No try begins that the timeout has no room for', async (docker) => {
  stage.cloud.faults.push({
    service: 'registry',
    path: '/oauth/token',
    fault: statusFault(503, { 'retry-after': '3600' })
  })
  const job = await stage.newJob({ docker })
  const began = Date.now()
  const main = await job.main(stage.here({ 'api-key': WRITER_KEY, timeout: '4s' }))
  expectFailure(main, stage.cloud.registryHost, WRITER_KEY)
  expect(Date.now() - began).toBeLessThan(6_000)
})

testBothWays('One of two hosts that stumbles holds the other up, and no more', async (docker) => {
  const { host: second } = await stage.cloud.addRegistry({ region: 'eu-de' })
  stage.cloud.faults.push({ service: 'registry', host: second, fault: resetFault(), times: 2 })
  const job = await stage.newJob({ docker })
  const first = stage.cloud.registryHost
  expectSuccess(await job.main({ 'api-key': WRITER_KEY, registry: `${first} ${second}` }))
  const tokens = stage.cloud.requests.filter(({ path, host }) => path === '/oauth/token' && host === first)
  expect(tokens).toHaveLength(1)
})

test('docker’s words decide: a fault is tried three times, a refusal or an unknown word once', async () => {
  const words: [string, number][] = [
    ['Error response from daemon: Get "https://us.icr.io/v2/": dial tcp: lookup us.icr.io: no such host', 3],
    ['Error response from daemon: Get "https://us.icr.io/v2/": net/http: TLS handshake timeout', 3],
    [
      'Error response from daemon: Get "https://us.icr.io/v2/": unauthorized: The login credentials are not valid',
      1
    ],
    ['Something that nobody has heard yet', 1]
  ]
  await Promise.all(
    words.map(async ([stderr, tries]) => {
      const docker = stage.newDocker([{ exitCode: 1, stderr: `${stderr}\n` }])
      const job = await stage.newJob({ docker: docker.directory })
      const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
      expectFailure(main, 'us.icr.io', WRITER_KEY)
      expect([stderr, docker.calls().length]).toEqual([stderr, tries])
    })
  )
})

/** The processes that were started with this text in an argument. */
function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter((line) => line.includes(text))
}

testBothWays(
  'A registry that hangs ends the step within timeout, and no docker is left running',
  async (docker) => {
    stage.cloud.faults.push({ service: 'registry', path: '/oauth/token', fault: hangFault() })
    const job = await stage.newJob({ docker })
    const began = Date.now()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY, timeout: '2s' }))
    const took = Date.now() - began
    const message = expectFailure(main, stage.cloud.registryHost, WRITER_KEY)
    expect(message).toMatch(/timeout|in time/u)
    expect(took).toBeGreaterThan(1_900)
    expect(took).toBeLessThan(3_500)
    if (existsSync('/proc/self/cmdline')) expect(processesWith(stage.cloud.registryHost)).toEqual([])
    expect(job.snapshot()).toEqual({})
    expect(job.snapshot(job.temp)).toEqual({})
    expectSuccess(await job.post())
  }
)

test('A docker that hangs and one that is quick: the quick one’s login is not kept, and neither is left running', async () => {
  const docker = stage.newDocker()
  docker.answer([{ delay: 60_000 }], 'de.icr.io')
  const job = await stage.newJob({ docker: docker.directory })
  const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south eu-de', timeout: '2s' })
  const message = expectFailure(main, '1 of 2 logins failed', WRITER_KEY)
  expect(message).toContain('docker login for de.icr.io took longer than timeout allows')
  if (existsSync('/proc/self/cmdline')) expect(processesWith(docker.directory)).toEqual([])
  expect(job.snapshot()).toEqual({})
  expect(job.snapshot(job.temp)).toEqual({})
})
