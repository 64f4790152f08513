// Ends a main that mints at an exact point, lets post clean up with whatever state there is, and looks at what is left.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startCloud, type Cloud } from '../../cloud/cloud.ts'
import type { Fault } from '../../cloud/faults.ts'
import type { Match, Stage } from '../../cloud/matching.ts'
import { makeRecordingDocker } from '../../support/recording-docker.ts'
import { startJob, type Job, type StepResult } from '../../support/runner.ts'
import { mintInputs } from './mint.ts'
import { leftInTemp } from './promises.ts'

export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const
export type Signal = (typeof SIGNALS)[number]

export type RevocableWay = 'api-key' | 'registry-token'

/** The request that makes something. */
export const MAKING: Readonly<Record<RevocableWay, Match>> = {
  'api-key': { service: 'iam', method: 'POST', path: '/v1/apikeys' },
  'registry-token': { service: 'registry', method: 'POST', path: '/api/v1/tokens' }
}

export interface Point {
  readonly name: string
  readonly way: RevocableWay
  /** What becomes of the requests that make something, one after the other. */
  readonly faults?: readonly (() => Fault)[]
  /** Waits for the moment to end main. `when` is of the request that makes something, unless told another. */
  readonly moment?: (when: (stage: Stage, match?: Match) => Promise<void>) => Promise<void>
  /** For the preload: main ends itself there. */
  readonly haltAt?: string
  /** Main is ended while docker runs. */
  readonly docker?: true
  /** So many milliseconds after the moment, the service may still be at work on the request. */
  readonly lateMs?: number
  /** Post waits until nothing can be on its way any more, so that this takes its time. */
  readonly slow?: true
}

export interface Outcome {
  /** What was made in all, and what of that is left, or has no end. */
  readonly made: number
  readonly alive: number
  readonly endless: number
  /** Whether main was ended before it was done. */
  readonly killed: boolean
  /** Milliseconds from the signal to main's end, and that post took. */
  readonly mainMs: number
  readonly postMs: number
  /** Processes of the job's that outlived main. */
  readonly survivors: readonly string[]
  /** Files and folders that are left in the home and in the temporary folder. */
  readonly leftovers: readonly string[]
  readonly post: StepResult
}

/** Writes down all that is made, even if it is gone by the time that a test looks. */
function countMade({ world }: Cloud): { expiresAt: number | undefined }[] {
  const made: { expiresAt: number | undefined }[] = []
  const [addKey, addToken] = [world.addApiKey.bind(world), world.addRegistryToken.bind(world)]
  world.addApiKey = (given) => {
    const key = addKey(given)
    made.push(key)
    return key
  }
  world.addRegistryToken = (given) => {
    const token = addToken(given)
    made.push(token)
    return token
  }
  return made
}

/** The processes that were started by the job: the runner's folder for it stands in their environment. */
function processesOf(job: Job): string[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(job.home))
    .map((pid) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
    .filter((command) => command !== '')
}

/** What was killed takes a moment to be gone. */
async function survivorsOf(job: Job): Promise<string[]> {
  const until = Date.now() + 1_000
  while (processesOf(job).length > 0 && Date.now() < until) await wait(20)
  return processesOf(job)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it has ended since
  }
}

const preload = join(import.meta.dirname, 'mint-halt.ts')

interface Scene {
  cloud: Cloud
  job: Job
  folder: string
}

/** Runs main, ends it at the point, runs post. */
export async function endAt(point: Point, signal: Signal): Promise<Outcome> {
  const cloud = await startCloud({ registry: { registryTokens: true } })
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-kill-'))
  const docker = point.docker === true ? makeRecordingDocker([{ delay: 10_000 }]) : undefined
  const job = await startJob(docker === undefined ? {} : { docker: docker.directory })
  try {
    return await play({ cloud, job, folder }, point, signal)
  } finally {
    job.close()
    docker?.close()
    rmSync(folder, { recursive: true, force: true })
    await cloud.close()
  }
}

async function play({ cloud, job, folder }: Scene, point: Point, signal: Signal): Promise<Outcome> {
  const made = countMade(cloud)
  const making = MAKING[point.way]
  for (const fault of point.faults ?? []) cloud.faults.push({ ...making, fault: fault(), times: 1 })
  const files = { pid: join(folder, 'pid'), log: join(folder, 'log') }
  const killing = new AbortController()
  let struckAt: number | undefined
  const strike = (): void => {
    struckAt = Date.now()
    if (signal === 'SIGKILL') killing.abort()
    else end(Number(read(files.pid)), signal)
  }
  const moment = point.moment?.((stage, match = making) => cloud.when(match, stage)).then(strike)
  const main = await job.main(
    mintInputs(point.way, { registry: cloud.registryHost, 'iam-url': cloud.iamUrl }),
    {
      env: {
        NODE_OPTIONS: `--import ${preload}`,
        HALT_PID: files.pid,
        HALT_LOG: files.log,
        ...(point.haltAt === undefined ? {} : { HALT_AT: point.haltAt, HALT_SIGNAL: signal })
      },
      signal: killing.signal,
      how: 'kill'
    }
  )
  const endedAt = Date.now()
  await Promise.race([moment, wait(1)])
  const survivors = await survivorsOf(job)
  const post = await job.post()
  await wait(Math.max(0, (struckAt ?? 0) + (point.lateMs ?? 0) + 200 - Date.now()))
  const left = [...cloud.world.apiKeys.filter(isOurs), ...cloud.world.registryTokens.filter(isOurs)]
  return {
    made: made.length,
    alive: left.length,
    endless: made.filter(({ expiresAt }) => expiresAt === undefined).length,
    killed: main.signal !== null || main.exitCode !== 0,
    mainMs: endedAt - (struckAt ?? endedAt),
    postMs: post.milliseconds,
    survivors,
    leftovers: [...Object.keys(job.snapshot()), ...Object.keys(leftInTemp(job))],
    post
  }
}

function isOurs({ name = '', description = '' }: { name?: string; description?: string }): boolean {
  return name.startsWith('icr-login/') || description.startsWith('icr-login/')
}

function end(pid: number, signal: Signal): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The changes to files and to state that a whole main makes, in their order. */
export async function listChanges(way: RevocableWay): Promise<string[]> {
  const cloud = await startCloud({ registry: { registryTokens: true } })
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-kill-'))
  const job = await startJob()
  try {
    const log = join(folder, 'log')
    const main = await job.main(mintInputs(way, { registry: cloud.registryHost, 'iam-url': cloud.iamUrl }), {
      env: { NODE_OPTIONS: `--import ${preload}`, HALT_PID: join(folder, 'pid'), HALT_LOG: log }
    })
    if (main.exitCode !== 0) throw new Error(main.stdout + main.stderr)
    return read(log).trim().split('\n')
  } finally {
    job.close()
    rmSync(folder, { recursive: true, force: true })
    await cloud.close()
  }
}
