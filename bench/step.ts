// What is measured: the action's steps as the runner runs them, and the floor that no action can be below.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cloud } from '../test/cloud/cloud.ts'
import { WRITER_KEY } from '../test/cloud/default-world.ts'
import { runChild } from '../test/support/child.ts'
import { node24 } from '../test/support/node24-path.mjs'
import { needProgram } from '../test/support/programs.ts'
import { type Environment, type Inputs, type Job, mustEndWell, startJob } from '../test/support/runner.ts'
import { watchScripts } from '../test/support/scripts.ts'

export const root = join(import.meta.dirname, '..')

/** Milliseconds of each part. */
export interface StepTimes {
  readonly main: number
  readonly post: number
}

/** The host of the stand-in's first registry, or of its first few. */
function inputsFor(cloud: Cloud, inputs: Inputs, hosts = 1): Inputs {
  const registry = cloud.registries.slice(0, hosts).map(({ host }) => host)
  return { 'api-key': WRITER_KEY, registry: registry.join(' '), 'iam-url': cloud.iamUrl, ...inputs }
}

async function inJob<T>(docker: string, env: Environment, use: (job: Job) => Promise<T>): Promise<T> {
  const job = await startJob({ docker, env })
  try {
    return await use(job)
  } finally {
    job.close()
  }
}

export interface StepOptions {
  readonly docker: string
  readonly inputs?: Inputs
  readonly hosts?: number
}

/** One job: main and post, in a home of its own. */
export async function timeJob(
  cloud: Cloud,
  { docker, inputs = {}, hosts = 1 }: StepOptions
): Promise<StepTimes> {
  return await inJob(docker, {}, async (job) => {
    const main = await job.main(inputsFor(cloud, inputs, hosts))
    const post = await job.post()
    mustEndWell(main)
    mustEndWell(post)
    return { main: main.milliseconds, post: post.milliseconds }
  })
}

/** A Node of the same version that does nothing. */
export async function timeNode(): Promise<number> {
  return (await runChild(node24(), ['--eval', '0'], { env: { PATH: '' } })).milliseconds
}

/** A `docker login` as a user types it, in a home of its own. */
export async function timeDocker(cloud: Cloud): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'icr-login-bench-'))
  try {
    const result = await runChild(
      needProgram('docker'),
      ['login', '--username', 'iamapikey', '--password-stdin', cloud.registryHost],
      { env: { HOME: home, PATH: '', DOCKER_HOST: 'unix:///nonexistent' }, input: WRITER_KEY }
    )
    if (result.exitCode !== 0) throw new Error(`docker login failed: ${result.stderr}`)
    return result.milliseconds
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Steps of many jobs at once that share a home, one host each; from the first start to the last end. */
export async function timeSideBySide(
  cloud: Cloud,
  docker: string,
  jobs: number
): Promise<{ all: number; lost: number }> {
  const home = mkdtempSync(join(tmpdir(), 'icr-login-bench-'))
  try {
    const all = await Promise.all(Array.from({ length: jobs }, () => startJob({ docker, home })))
    const began = performance.now()
    await Promise.all(
      all.map(async (job, at) => {
        const registry = cloud.registries[at]?.host ?? ''
        mustEndWell(await job.main({ ...inputsFor(cloud, {}), registry }))
      })
    )
    const took = performance.now() - began
    const held = Object.keys(all[0]?.dockerConfig()?.auths ?? {}).length
    for (const job of all) mustEndWell(await job.post())
    for (const job of all) job.close()
    return { all: took, lost: jobs - held }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** The most memory that Node had in main and in post, in MiB. */
export async function measureMemory(cloud: Cloud, options: StepOptions): Promise<StepTimes> {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-bench-'))
  const peak = join(root, 'test', 'e2e', 'support', 'peak.mjs')
  const file = join(folder, 'peak')
  const readPeak = (): number => Number(readFileSync(file, 'utf8')) / 1024
  try {
    const env = { NODE_OPTIONS: `--import ${peak}`, PEAK_FILE: file }
    return await inJob(options.docker, env, async (job) => {
      mustEndWell(await job.main(inputsFor(cloud, options.inputs ?? {})))
      const main = readPeak()
      mustEndWell(await job.post())
      return { main, post: readPeak() }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The files of dist that a job loads, and their bytes: Node itself says which scripts it ran. */
export async function listLoaded(
  cloud: Cloud,
  { docker, inputs = {} }: StepOptions
): Promise<[string, number][]> {
  const scripts = await watchScripts((env) =>
    inJob(docker, env, async (job) => {
      mustEndWell(await job.main(inputsFor(cloud, inputs)))
      mustEndWell(await job.post())
    })
  )
  const files = scripts
    .filter(({ url }) => url.startsWith('file:') && url.includes('/dist/'))
    .map(({ url }) => fileURLToPath(url))
  return [...new Set(files)].sort().map((file) => [file.slice(root.length + 1), statSync(file).size])
}
