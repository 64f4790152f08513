// Many jobs on one machine, in one home: no login is lost, none stays, and nobody waits for the dead.
import { describe, expect, test } from '@jest/globals'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { READER_KEY, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { snapshot, type Inputs, type Job, type StepResult } from '../support/runner.ts'
import { startReader, type Readings } from './support/config-reader.ts'
import { grantsOf } from './support/mint.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { runCells } from './support/rows.ts'
import { authOf, readText, useStage, writeConfig } from './support/stage.ts'

const stage = useStage()

const COUNT = 32
const ROUNDS = 20
const MINUTES = 60_000

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function addHosts(count: number): Promise<string[]> {
  const more = await Promise.all(Array.from({ length: count - 1 }, () => stage.cloud.addRegistry()))
  return [stage.cloud.registryHost, ...more.map(({ host }) => host)]
}

/** As docker lays it out: a login of the user's for one host, another for a registry of nobody's here. */
const ofTheUser = (host: string): string =>
  `{\n\t"auths": {\n\t\t"${host}": {\n\t\t\t"auth": "${authOf('iamapikey', READER_KEY)}"\n\t\t},\n\t\t"ghcr.io": {\n\t\t\t"auth": "bWU6c2VjcmV0"\n\t\t}\n\t},\n\t"currentContext": "default"\n}`

function expectValid({ reads, texts, invalid }: Readings, atLeast: number): void {
  expect(invalid).toEqual([])
  // It did read, and saw the file change.
  expect([reads > atLeast, texts > atLeast]).toEqual([true, true])
}

/** What each round finds; a reader finds it whole. */
function beginAnew(home: string, text: string | undefined): void {
  rmSync(join(home, '.docker'), { recursive: true, force: true })
  if (text === undefined) return
  const draft = writeConfig(stage.newFolder(), text)
  mkdirSync(join(home, '.docker'), { mode: 0o700 })
  renameSync(draft, join(home, '.docker', 'config.json'))
}

test(
  `${COUNT} main steps side by side, ${ROUNDS} times: no login is lost, and config.json can be read at each moment`,
  async () => {
    const hosts = await addHosts(COUNT)
    const home = stage.newFolder()
    const file = join(home, '.docker', 'config.json')
    const jobs = await Promise.all(hosts.map(() => stage.newJob({ home })))
    const reader = startReader(file)
    const times: number[] = []
    let lost = 0
    for (let round = 0; round < ROUNDS; round++) {
      // Every other time the user has a config.json already.
      beginAnew(home, round % 2 === 1 ? ofTheUser(hosts[0] ?? '') : undefined)
      const began = Date.now()
      const mains = await Promise.all(
        jobs.map((job, at) => job.main({ 'api-key': WRITER_KEY, registry: hosts[at] ?? '' }))
      )
      times.push(Date.now() - began)
      mains.forEach((main) => {
        expectSuccess(main)
      })
      const auths = jobs[0]?.dockerConfig()?.auths ?? {}
      const wanted = { auth: authOf('iamapikey', WRITER_KEY) }
      lost += hosts.filter((host) => auths[host]?.['auth'] !== wanted.auth).length
      if (round % 2 === 1) expect(auths['ghcr.io']).toEqual({ auth: 'bWU6c2VjcmV0' })
    }
    const readings = await reader.stop()
    times.sort((a, b) => a - b)
    say(
      `${ROUNDS} × ${COUNT} main steps side by side: ${lost} logins lost; median ${times[ROUNDS / 2] ?? 0} ms, ` +
        `longest ${times.at(-1) ?? 0} ms a round; read ${readings.reads} times, invalid ${readings.invalid.length}`
    )
    expect(lost).toBe(0)
    expectValid(readings, ROUNDS)
  },
  15 * MINUTES
)

/** A job with a key of its own, and what it must find while it runs. */
interface Work {
  readonly job: Job
  readonly host: string
  readonly key: string
  ended: boolean
}

async function hire(home: string): Promise<Work[]> {
  const hosts = await addHosts(3)
  const iamId = stage.cloud.world.identity(WRITER_ID)?.iamId ?? ''
  const works = Array.from({ length: COUNT }, async (_, at) => {
    const key = stage.cloud.world.addApiKey({ iamId }).value
    return { job: await stage.newJob({ home }), host: hosts[at % hosts.length] ?? '', key, ended: false }
  })
  return await Promise.all(works)
}

async function begin({ job, host, key }: Work): Promise<void> {
  expectSuccess(await job.main({ 'api-key': key, registry: host }))
}

/** The host shows a login of a job that is not over, and the registry takes it. */
async function check({ job, host }: Work, all: readonly Work[]): Promise<void> {
  const theirs = all.filter((other) => other.host === host && !other.ended).map((other) => other.key)
  const auth = String(job.dockerConfig()?.auths?.[host]?.['auth'])
  const [user = '', key = ''] = Buffer.from(auth, 'base64').toString().split(':')
  expect(theirs).toContain(key)
  expect(await grantsOf(host, user, key)).toEqual(['pull', 'push'])
}

async function end(work: Work): Promise<void> {
  expectSuccess(await work.job.post())
  work.ended = true
  expect(JSON.stringify(work.job.dockerConfig() ?? {})).not.toContain(authOf('iamapikey', work.key))
}

function shuffle<T>(things: readonly T[]): T[] {
  return things
    .map((thing) => ({ thing, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ thing }) => thing)
}

const orders: ((works: readonly Work[]) => Work[])[] = [
  (works) => [...works],
  (works) => [...works].reverse(),
  shuffle
]

test(
  `${COUNT} jobs over 3 hosts begin side by side and end in turn, as a queue, as a stack, as they like: each host works, and in the end all is as it was`,
  async () => {
    const run = async (order: (typeof orders)[number]): Promise<void> => {
      const home = stage.newFolder()
      const all = await hire(home)
      writeConfig(home, ofTheUser(all[0]?.host ?? ''))
      const before = snapshot(home)
      await Promise.all(all.map(begin))
      for (const work of order(all)) {
        await check(work, all)
        await end(work)
      }
      expect(snapshot(home)).toEqual(before)
    }
    await Promise.all(orders.map(run))
  },
  10 * MINUTES
)

test.each([
  ['nothing', undefined],
  ['a config.json of the user’s', ofTheUser]
])(
  `${COUNT} jobs over 3 hosts come and go as they like, over %s: each host works, and in the end all is as it was`,
  async (_, text) => {
    const home = stage.newFolder()
    const works = await hire(home)
    if (text !== undefined) writeConfig(home, text(works[0]?.host ?? ''))
    const before = snapshot(home)
    const reader = startReader(join(home, '.docker', 'config.json'))
    await Promise.all(
      works.map(async (work) => {
        await wait(Math.random() * 2_000)
        await begin(work)
        await check(work, works)
        await wait(Math.random() * 2_000)
        await check(work, works)
        await end(work)
      })
    )
    expectValid(await reader.stop(), COUNT / 2)
    expect(snapshot(home)).toEqual(before)
  },
  10 * MINUTES
)

describe('A lock', () => {
  const lockOf = (home: string): string => join(home, '.docker', 'icr-login.lock')

  function plant(home: string, text: string): void {
    mkdirSync(join(home, '.docker'), { mode: 0o700 })
    writeFileSync(lockOf(home), text)
  }

  const elsewhere = JSON.stringify({ owner: 'another', pid: 1, host: `not-${hostname()}` })

  /** How long main took, and what came of it. */
  async function timed(job: Job, inputs: Inputs): Promise<[number, StepResult]> {
    const began = Date.now()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY, ...inputs }))
    return [Date.now() - began, main]
  }

  describe('of a job that was killed, with no cleanup ever', () => {
    const preload = join(import.meta.dirname, 'support', 'dying.mjs')

    /** Kills main just before the change to files of that number; 0 lets it live. Gives back the changes so far. */
    async function dieAt(job: Job, step: number): Promise<string[]> {
      const log = join(stage.newFolder(), 'log')
      const env = { NODE_OPTIONS: `--import ${preload}`, DIE_AT: String(step), DIE_LOG: log }
      const { signal } = await job.main(stage.here({ 'api-key': READER_KEY }), { env })
      expect(signal).toBe(step === 0 ? null : 'SIGKILL')
      return readFileSync(log, { encoding: 'utf8', flag: 'a+' }).trim().split('\n')
    }

    const stray = (home: string): string[] =>
      Object.keys(snapshot(home)).filter((name) => /\.(?:lock|icr-login-)/u.test(name))

    async function outlive(step: number): Promise<{ took: number; left: string[] }> {
      const home = stage.newFolder()
      writeConfig(home, ofTheUser(stage.cloud.registryHost))
      const before = snapshot(home)
      const [killed, next] = [await stage.newJob({ home }), await stage.newJob({ home })]
      await dieAt(killed, step)
      const left = stray(home)
      // Not long enough for a lock that nobody can be held to account for.
      const [took, main] = await timed(next, { timeout: '8s' })
      expectSuccess(main)
      expect(stray(home)).toEqual([])
      expect(next.dockerConfig()?.auths?.[stage.cloud.registryHost]).toEqual({
        auth: authOf('iamapikey', WRITER_KEY)
      })
      expectSuccess(await next.post())
      // Its cleanup comes after all, and finds all that is left: its login in the ledger.
      expectSuccess(await killed.post())
      expect(snapshot(home)).toEqual(before)
      return { took, left }
    }

    test('before any change to a file, is taken over long before 10 s; no draft with its secret stays', async () => {
      const steps = (await dieAt(await stage.newJob(), 0)).length
      const results: Awaited<ReturnType<typeof outlive>>[] = []
      const cells = Array.from({ length: steps }, (_, at) => [`step ${at + 1}`, at + 1] as const)
      const failures = await runCells(cells, async (step) => {
        results.push(await outlive(step))
      })
      expect(failures).toEqual([])
      const held = results.filter(({ left }) => left.includes('.docker/icr-login.lock'))
      const drafts = results.flatMap(({ left }) => left).filter((name) => name !== '.docker/icr-login.lock')
      const longest = Math.max(...held.map(({ took }) => took))
      say(
        `Killed before each of ${steps} changes to files: ${held.length} locks and ${drafts.length} drafts left; ` +
          `the next main took ${longest} ms at most`
      )
      expect([held.length > 5, drafts.length > 3]).toEqual([true, true])
    }, 120_000)
  })

  test('is kept where the file system has no links, too', async () => {
    const home = stage.newFolder()
    const hosts = await addHosts(4)
    const env = { NODE_OPTIONS: `--import ${join(import.meta.dirname, 'support', 'linkless.mjs')}` }
    const jobs = await Promise.all(hosts.map(() => stage.newJob({ home, env })))
    const mains = await Promise.all(
      jobs.map((job, at) => job.main({ 'api-key': WRITER_KEY, registry: hosts[at] ?? '' }))
    )
    mains.forEach((main) => {
      expectSuccess(main)
    })
    expect(Object.keys(jobs[0]?.dockerConfig()?.auths ?? {}).sort()).toEqual(hosts.sort())
    for (const job of jobs) expectSuccess(await job.post())
    expect(snapshot(home)).toEqual({})
  })

  test('of another machine’s is taken over after 10 s', async () => {
    const home = stage.newFolder()
    plant(home, elsewhere)
    const job = await stage.newJob({ home })
    const [took, main] = await timed(job, { timeout: '60s' })
    say(`Another machine's lock: main beside it took ${took} ms`)
    expectSuccess(main)
    expect(took).toBeGreaterThan(9_000)
    expectSuccess(await job.post())
    expect(existsSync(lockOf(home))).toBe(false)
  })

  test('is waited for no longer than the timeout; the error names it', async () => {
    const home = stage.newFolder()
    plant(home, elsewhere)
    const job = await stage.newJob({ home })
    const [took, main] = await timed(job, { timeout: '2s' })
    say(`Another machine's lock and timeout: 2s: main took ${took} ms`)
    expectFailure(main, `Another job holds ${lockOf(home)}, and the time is up.`, WRITER_KEY)
    expect(took).toBeLessThan(9_000)
    expect(readText(lockOf(home))).toBe(elsewhere)
  })

  test('that is a folder is refused, and left', async () => {
    const home = stage.newFolder()
    mkdirSync(lockOf(home), { recursive: true })
    const job = await stage.newJob({ home })
    const [, main] = await timed(job, {})
    expectFailure(main, `${lockOf(home)} is not the file that icr-login makes there`, WRITER_KEY)
    expect(Object.keys(snapshot(home))).toEqual(['.docker', '.docker/icr-login.lock'])
  })
})

describe('Another program that writes config.json without a lock', () => {
  const preload = join(import.meta.dirname, 'support', 'overwriting.mjs')

  async function logIn(job: Job, times: number, timeout: string): Promise<StepResult> {
    const env = { NODE_OPTIONS: `--import ${preload}`, OVERWRITE: String(times) }
    return await job.main(stage.here({ 'api-key': WRITER_KEY, timeout }), { env })
  }

  test.each([
    ['nothing', undefined],
    ['a login of the user’s', ofTheUser]
  ])('over the login in the same moment, where there was %s: it is put back first', async (_, text) => {
    const host = stage.cloud.registryHost
    const job = await stage.newJob()
    if (text !== undefined) writeConfig(job.home, text(host))
    const before = job.snapshot()
    expectSuccess(await logIn(job, 3, '60s'))
    expect(job.dockerConfig()?.auths?.[host]).toEqual({ auth: authOf('iamapikey', WRITER_KEY) })
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual(before)
  })

  test('each time: the step does not say that it is logged in', async () => {
    const job = await stage.newJob()
    const before = job.snapshot()
    const main = await logIn(job, Infinity, '3s')
    const message = expectFailure(main, 'lost the change for', WRITER_KEY)
    expect(message).toContain('isolate: true')
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual(before)
  })

  test('and drops the login later: post warns, and names the host', async () => {
    const host = stage.cloud.registryHost
    const job = await stage.newJob()
    const file = writeConfig(job.home, ofTheUser(host))
    const before = job.snapshot()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    writeFileSync(file, ofTheUser(host))
    expectSuccess(await job.post(), [`${host}: its login was gone before the job was over`])
    expect(job.snapshot()).toEqual(before)
  })
})
