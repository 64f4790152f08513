// What docker and credential helpers started does not outlive the step, and stores no login after post.
import { describe, expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { WRITER_KEY } from '../cloud/default-world.ts'
import type { RecordingDocker } from '../support/recording-docker.ts'
import type { Job, StepOptions } from '../support/runner.ts'
import { makeHelper, type StandInHelper } from './support/credential-helper.ts'
import { expectFailure, filesWith } from './support/promises.ts'
import { useStage, writeConfig } from './support/stage.ts'

const stage = useStage()
/** How long docker or the helper takes to store the login. */
const SLOW_MS = 2_000

/** A docker of two processes, a shell and a program, that stores the login late. */
const slowDocker = (): RecordingDocker => stage.newDocker([{ delay: SLOW_MS }])

/** The processes that run with these texts in their command line. */
function processesWith(...texts: string[]): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/u.test(name)) return false
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8')
      return texts.every((text) => line.includes(text))
    } catch {
      return false
    }
  })
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 10_000) throw new Error('It did not come to that')
    await wait(20)
  }
}

/** Runs main until docker, or the helper, is at work, and ends it then. */
async function stopMain(job: Job, how: NonNullable<StepOptions['how']>, ...program: string[]): Promise<void> {
  const abort = new AbortController()
  const main = job.main({ 'api-key': WRITER_KEY, region: 'us-south' }, { signal: abort.signal, how })
  await until(() => processesWith(...program).length > 0)
  abort.abort()
  await main
}

describe('A step that is cancelled', () => {
  test('ends docker and what docker started, before it ends itself', async () => {
    const docker = slowDocker()
    const job = await stage.newJob({ docker: docker.directory })
    await stopMain(job, 'cancel', docker.directory)
    expect(processesWith(docker.directory)).toEqual([])
    expect((await job.post()).warnings).toEqual([])
    expect(filesWith(job, WRITER_KEY)).toEqual([])
  })
})

describe('A step that runs out of time', () => {
  test('ends docker and what docker started', async () => {
    const docker = slowDocker()
    const job = await stage.newJob({ docker: docker.directory })
    const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south', timeout: '1s' })
    expectFailure(main, 'took longer than timeout allows', WRITER_KEY)
    expect(processesWith(docker.directory)).toEqual([])
    await job.post()
    expect(filesWith(job, WRITER_KEY)).toEqual([])
  })
})

describe('A main that is killed', () => {
  test('leaves a docker that can store the login nowhere once post has run', async () => {
    const docker = slowDocker()
    const job = await stage.newJob({ docker: docker.directory })
    await stopMain(job, 'kill-alone', docker.directory)
    expect((await job.post()).warnings).toEqual([])
    await until(() => processesWith(docker.directory).length === 0)
    expect(filesWith(job, WRITER_KEY)).toEqual([])
    expect(job.dockerConfig()).toBeUndefined()
  })

  test('while a helper stores the login leaves none in the helper', async () => {
    const [docker, helper] = [stage.newDocker(), slowHelper()]
    const job = await stage.newJob({ docker: docker.directory, path: [helper.directory] })
    writeConfig(job.home, '{"auths":{},"credsStore":"safe"}')
    await stopMain(job, 'kill-alone', helper.directory, 'store')
    expect((await job.post()).warnings).toEqual([])
    await until(() => processesWith(helper.directory).length === 0)
    expect(helper.held()).toEqual({})
  })
})

function slowHelper(): StandInHelper {
  const helper = makeHelper('safe')
  stage.closeLater(() => {
    helper.close()
  })
  helper.delay('store', SLOW_MS)
  return helper
}

test('The runner can find what the step started: RUNNER_TRACKING_ID is passed on', async () => {
  const docker = stage.newDocker()
  const job = await stage.newJob({ docker: docker.directory, env: { RUNNER_TRACKING_ID: 'github_1' } })
  await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
  expect(docker.calls().map(({ env }) => env['RUNNER_TRACKING_ID'])).toEqual(['github_1'])
})

test('A main that outlives its post writes no login', async () => {
  const docker = stage.newDocker([{ delay: 1_500 }])
  const job = await stage.newJob({ docker: docker.directory })
  const main = job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
  await until(() => processesWith(docker.directory).length > 0)
  // No signal reaches a main in a container.
  expect((await job.post()).errors).toEqual([])
  expectFailure(await main, 'The cleanup of this step has already run', WRITER_KEY)
  expect(filesWith(job, WRITER_KEY)).toEqual([])
  expect(job.dockerConfig()).toBeUndefined()
})
