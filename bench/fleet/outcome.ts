// What came of the jobs of one or more runs.
import type { Job } from './run.ts'

export interface Outcome {
  /** Jobs that got no token within the timeout. */
  readonly leftOut: number
  /** All jobs, of all runs. */
  readonly of: number
  readonly requestsPerJob: number
  /** Of those that got one, in seconds; NaN if none did. */
  readonly p50: number
  readonly p99: number
  readonly mostTries: number
}

export function summarize(jobs: readonly Job[]): Outcome {
  const times = jobs.flatMap(({ took }) => took ?? []).sort((a, b) => a - b)
  const secondsAt = (share: number): number => (times[Math.ceil(times.length * share) - 1] ?? NaN) / 1000
  return {
    leftOut: jobs.length - times.length,
    of: jobs.length,
    requestsPerJob: jobs.reduce((sum, { tries }) => sum + tries, 0) / jobs.length,
    p50: secondsAt(0.5),
    p99: secondsAt(0.99),
    mostTries: jobs.reduce((most, { tries }) => Math.max(most, tries), 0)
  }
}
