// Our jobs beside people who run `docker login` in the same home, which has no lock: what we say is so when we say it.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import { WRITER_KEY } from '../cloud/default-world.ts'
import { startReader } from '../e2e/support/config-reader.ts'
import { expectSuccess } from '../e2e/support/promises.ts'
import { writeConfig } from '../e2e/support/stage.ts'
import { runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { startJob, type DockerConfig, type Job } from '../support/runner.ts'

const COUNT = 8
const preload = join(import.meta.dirname, '../e2e/support/saying.mjs')

let cloud: Cloud
let hosts: string[]

beforeAll(async () => {
  cloud = await startCloud()
  const more = await Promise.all(Array.from({ length: 2 * COUNT - 1 }, () => cloud.addRegistry()))
  hosts = [cloud.registryHost, ...more.map(({ host }) => host)]
})

afterAll(async () => {
  await cloud.close()
})

const logIn = (home: string, host: string): Promise<string> =>
  runWell(needProgram('docker'), ['login', '--username', 'iamapikey', '--password-stdin', host], {
    env: { HOME: home, PATH: '/usr/bin:/bin', DOCKER_HOST: 'unix:///nonexistent' },
    input: WRITER_KEY
  })

/** Logs in over and over until it is told to stop, and once at least. */
async function keepLoggingIn(home: string, host: string, goOn: () => boolean): Promise<void> {
  do await logIn(home, host)
  while (goOn())
}

const hostsIn = ({ auths = {} }: DockerConfig): string[] => Object.keys(auths)

interface Tally {
  said: number
  /** In config.json at the moment when the step said that it is logged in. */
  thereThen: number
  /** In config.json once all have logged in. */
  thereLater: number
  /** Those that were not, of which post warned. */
  warned: number
}

/** Jobs of ours and docker side by side in one home; `over`: docker logs in over and over for as long as ours do. */
async function sideBySide(over: boolean): Promise<Tally> {
  const home = mkdtempSync(join(tmpdir(), 'icr-login-home-'))
  const jobs: Job[] = []
  // With an empty config docker looks for a store of its own.
  const file = writeConfig(
    home,
    '{\n\t"auths": {\n\t\t"ghcr.io": {\n\t\t\t"auth": "bWU6c2VjcmV0"\n\t\t}\n\t}\n}'
  )
  const reader = startReader(file)
  try {
    const [ours, theirs] = [hosts.slice(0, COUNT), hosts.slice(COUNT)]
    const saidFile = (at: number): string => join(home, `said-${at}`)
    for (const at of ours.keys()) {
      const env = { NODE_OPTIONS: `--import ${preload}`, SAID: saidFile(at) }
      jobs.push(await startJob({ docker: 'real', home, env }))
    }
    let going = over
    const dockers = theirs.map((host) => keepLoggingIn(home, host, () => going))
    const mains = await Promise.all(
      jobs.map((job, at) => job.main({ 'api-key': WRITER_KEY, registry: ours[at] ?? '' }))
    )
    going = false
    await Promise.all(dockers)
    mains.forEach((main) => {
      expectSuccess(main)
    })
    const later = hostsIn(jobs[0]?.dockerConfig() ?? {})
    const tally = { said: COUNT, thereThen: 0, thereLater: 0, warned: 0 }
    for (const [at, host] of ours.entries()) {
      const then = hostsIn(JSON.parse(readFileSync(saidFile(at), 'utf8')) as DockerConfig)
      if (then.includes(host)) tally.thereThen += 1
      if (later.includes(host)) tally.thereLater += 1
      const lost = later.includes(host) ? [] : [`${host}: its login was gone before the job was over`]
      const post = await jobs[at]?.post()
      if (post !== undefined) expectSuccess(post, lost)
      tally.warned += lost.length
    }
    expect((await reader.stop()).invalid).toEqual([])
    // Of ours nothing stays; docker's logins are docker's.
    const left = hostsIn(jobs[0]?.dockerConfig() ?? {})
    expect(left.filter((host) => ours.includes(host))).toEqual([])
    return tally
  } finally {
    await reader.stop()
    for (const job of jobs) job.close()
    rmSync(home, { recursive: true, force: true })
  }
}

test.each([
  ['once each', false, 5],
  ['over and over', true, 3]
])(
  `${COUNT} jobs beside ${COUNT} that run docker login %s: a login is there when it is said to be, or post tells of it`,
  async (_, over, rounds) => {
    const sum: Tally = { said: 0, thereThen: 0, thereLater: 0, warned: 0 }
    for (let round = 0; round < rounds; round++) {
      const tally = await sideBySide(over)
      for (const key of ['said', 'thereThen', 'thereLater', 'warned'] as const) sum[key] += tally[key]
    }
    process.stdout.write(`${JSON.stringify(sum)}\n`)
    expect(sum.thereLater + sum.warned).toBe(sum.said)
    // docker may write between our last look and our word, and does so on a busy machine. Alone it loses most.
    expect(sum.thereThen).toBeGreaterThan(sum.said / 2)
  }
)
