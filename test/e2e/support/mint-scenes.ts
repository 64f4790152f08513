// Tests that spend their time waiting, run side by side: each with an IBM Cloud and a job of its own.
import { beforeAll, test } from '@jest/globals'
import { startCloud, type Cloud } from '../../cloud/cloud.ts'
import { startJob, type Inputs, type Job, type JobOptions } from '../../support/runner.ts'

export interface Scene {
  readonly cloud: Cloud
  readonly host: string
  newJob(options?: JobOptions): Promise<Job>
  /** The inputs that lead to the scene's first registry. */
  here(inputs?: Inputs): Inputs
}

type Body = (scene: Scene) => Promise<void>

async function play(body: Body): Promise<void> {
  const cloud = await startCloud({ registry: { registryTokens: true } })
  const jobs: Job[] = []
  const host = cloud.registryHost
  try {
    await body({
      cloud,
      host,
      newJob: async (options) => {
        const job = await startJob(options)
        jobs.push(job)
        return job
      },
      here: (inputs = {}) => ({ registry: host, 'iam-url': cloud.iamUrl, ...inputs })
    })
  } finally {
    for (const job of jobs) job.close()
    await cloud.close()
  }
}

/** Like jest's `test`, for one file; so many at once. */
export function sideBySide(count: number, timeout: number): (name: string, body: Body) => void {
  const waiting: (() => Promise<void>)[] = []
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next()
  }
  beforeAll(() => {
    for (let index = 0; index < count; index++) void work()
  })
  return (name, body) => {
    const ended = new Promise<void>((resolve, reject) => {
      waiting.push(async () => {
        await play(body).then(resolve, reject)
      })
    })
    // A failure is told by the test, when its turn comes.
    ended.catch(() => undefined)
    test(name, async () => ended, timeout)
  }
}
