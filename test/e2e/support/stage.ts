// What a test of the action stands on: an IBM Cloud of its own, jobs, homes and stand-ins that go away with it.
import { afterEach, beforeEach, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startCloud, type Cloud, type CloudOptions } from '../../cloud/cloud.ts'
import {
  makeRecordingDocker,
  type DockerAnswer,
  type RecordingDocker
} from '../../support/recording-docker.ts'
import { startJob, type Inputs, type Job, type JobOptions } from '../../support/runner.ts'
import { testWith } from '../../support/test-with.ts'

export interface Stage {
  readonly cloud: Cloud
  newJob(options?: JobOptions): Promise<Job>
  newDocker(answers?: DockerAnswer[]): RecordingDocker
  /** A folder of the test's own: a home that several jobs share, a place for files. */
  newFolder(): string
  /** Something to be closed after the test. */
  closeLater(close: () => void | Promise<void>): void
  /** The inputs that lead to the stand-in's first registry. */
  here(inputs?: Inputs): Inputs
}

/** Sets a stage up for each test of the file, and clears it after the test. */
export function useStage(options: CloudOptions = {}): Stage {
  let cloud: Cloud | undefined
  const closers: (() => void | Promise<void>)[] = []

  beforeEach(async () => {
    cloud = await startCloud(options)
  })

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close()
    await cloud?.close()
  })

  const stage: Stage = {
    get cloud() {
      if (cloud === undefined) throw new Error('The stage is set up by beforeEach, and no test has begun')
      return cloud
    },
    async newJob(given) {
      const job = await startJob(given)
      closers.push(() => {
        job.close()
      })
      return job
    },
    newDocker(answers) {
      const docker = makeRecordingDocker(answers)
      closers.push(() => {
        docker.close()
      })
      return docker
    },
    newFolder() {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'icr-login-e2e-')))
      closers.push(() => {
        rmSync(folder, { recursive: true, force: true })
      })
      return folder
    },
    closeLater(close) {
      closers.push(close)
    },
    here: (inputs = {}) => ({
      registry: stage.cloud.registryHost,
      'iam-url': stage.cloud.iamUrl,
      ...inputs
    })
  }
  return stage
}

export type Way = 'real' | 'none'

/** One promise, kept with the machine's docker (where there is one) and without any docker. */
export function testBothWays(name: string, body: (docker: Way) => Promise<void>, timeout?: number): void {
  testWith('docker')(`${name} (with docker)`, () => body('real'), timeout)
  test(`${name} (without docker)`, () => body('none'), timeout)
}

/** Writes the config.json of a home before a job. */
export function writeConfig(home: string, text: string | Buffer, mode = 0o600): string {
  const file = join(home, '.docker', 'config.json')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, text, { mode })
  return file
}

export function readText(file: string): string {
  return readFileSync(file, 'utf8')
}

/** As docker keeps a credential. */
export const authOf = (username: string, secret: string): string =>
  Buffer.from(`${username}:${secret}`).toString('base64')
