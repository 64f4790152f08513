// Jobs that log in with the action as it is committed in dist, each with a home of its own, all gone after each test.
import { afterEach, expect } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  mustEndWell,
  startJob,
  type Inputs,
  type Job,
  type JobOptions,
  type StepResult
} from '../support/runner.ts'
import type { Services } from './services.ts'
import type { Login } from './client-checks.ts'

export interface Jobs {
  /** With the machine's docker CLI unless told otherwise. */
  newJob: (options?: JobOptions) => Promise<Job>
  /** A folder for a home, or for a copy of one. */
  newHome: () => string
  /** What to call after the test; the last one first. */
  later: (close: () => Promise<void> | void) => void
  /** The inputs that lead to the services's first registry. */
  here: () => Inputs
  /** Runs main, which must succeed. */
  logIn: (job: Job, inputs: Inputs) => Promise<StepResult>
  /** The same in a job of its own, whose post must leave the home as it was. */
  loginOf: (options: JobOptions, inputs: Inputs) => Promise<Login>
}

/** Runs post, which must succeed and find nothing to warn of. */
export async function end(job: Job): Promise<StepResult> {
  const result = await job.post()
  mustEndWell(result)
  expect(result.warnings).toEqual([])
  return result
}

/** For a test file: call it once, at the top. */
export function useJobs(services: () => Services): Jobs {
  const closers: (() => Promise<void> | void)[] = []

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close()
  })

  const jobs: Jobs = {
    newJob: async (options = {}) => {
      const job = await startJob({ docker: 'real', ...options })
      closers.push(() => {
        job.close()
      })
      return job
    },
    newHome: () => {
      const home = mkdtempSync(join(tmpdir(), 'icr-login-home-'))
      closers.push(() => {
        rmSync(home, { recursive: true, force: true })
      })
      return home
    },
    later: (close) => {
      closers.push(close)
    },
    here: () => ({ registry: services().cloud.registryHost, 'iam-url': services().cloud.iamUrl }),
    logIn: async (job, inputs) => {
      const result = await job.main({ ...jobs.here(), ...inputs })
      mustEndWell(result)
      return result
    },
    loginOf: async (options, inputs) => {
      const job = await jobs.newJob(options)
      const before = job.snapshot()
      await jobs.logIn(job, inputs)
      return {
        place: { home: job.home },
        end: async () => {
          await end(job)
          expect(job.snapshot()).toEqual(before)
        }
      }
    }
  }
  return jobs
}
