// A thousand jobs at once: what docs/performance.md says of them holds, in simulated time.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { summarize, type Outcome } from './outcome.ts'
import { noBackoff, OURS, policyOf, type Policy } from './policies.ts'
import { runFleet, type Job } from './run.ts'
import { COUNTS, createIam, type Limits } from './simulated-iam.ts'

const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8')

/** The requests of a job, as the page tells them for a thousand jobs. */
function toldFor(count: string): number {
  const cells = page
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .find(([, jobs, counted]) => jobs === '1,000' && counted === count)
  return Number(cells?.[4])
}

async function runThousand(limits: Limits, policy?: Policy): Promise<Outcome> {
  const jobs: Job[] = []
  for (const seed of [1, 2, 3]) jobs.push(...(await runFleet({ jobs: 1000, seed, ...limits }, policy)))
  return summarize(jobs)
}

describe.each(COUNTS)('a thousand jobs, where IAM serves a hundred a second by %s,', (count) => {
  test.each([undefined, 1, 10])(
    'all get in within a minute, with no more requests than is told: Retry-After %s',
    async (retryAfter) => {
      const limits = retryAfter === undefined ? { count } : { count, retryAfter }
      const { leftOut, of, requestsPerJob } = await runThousand(limits)
      expect([leftOut, of]).toEqual([0, 3000])
      expect(requestsPerJob).toBeLessThanOrEqual(toldFor(count))
    }
  )

  test('do not all get in that try again at once', async () => {
    expect((await runThousand({ count }, noBackoff)).leftOut).toBeGreaterThan(1000)
  })

  test('do the same in each run of a seed', async () => {
    const world = { jobs: 1000, seed: 7, count }
    expect(await runFleet(world)).toEqual(await runFleet(world))
  })

  test('wait as the sweep takes it that they do', async () => {
    const own = await runThousand({ count, retryAfter: 1 })
    const model = await runThousand({ count, retryAfter: 1 }, policyOf(OURS))
    expect(Math.abs(own.requestsPerJob - model.requestsPerJob)).toBeLessThan(0.02)
    expect(Math.abs(own.p99 - model.p99)).toBeLessThan(0.5)
  })
})

describe('the simulated IAM', () => {
  /** How many of 300 requests are served, spread over a second from `start` on. */
  const serve = (answer: ReturnType<typeof createIam>, start: number): number =>
    Array.from({ length: 300 }, (_, at) => answer(start + at * (1000 / 300))).filter(
      ({ status }) => status === 200
    ).length
  const never = (): number => 0.5

  test('serves 100 in each second of a fixed window', () => {
    const answer = createIam({ count: 'fixed window' }, never)
    expect([0, 1000, 2000].map((start) => serve(answer, start))).toEqual([100, 100, 100])
  })

  test('serves a burst of 100, and then one each 10 ms, of a token bucket', () => {
    const answer = createIam({ count: 'token bucket' }, never)
    const [first = 0, second = 0] = [0, 1000].map((start) => serve(answer, start))
    expect(Math.abs(first - 200)).toBeLessThanOrEqual(1)
    expect(Math.abs(second - 100)).toBeLessThanOrEqual(1)
  })

  test('answers the rest with 429, and Retry-After where it tells one', () => {
    const last = (limits: Limits): unknown => {
      const answer = createIam(limits, never)
      serve(answer, 0)
      const { status, headers } = answer(999)
      return [status, headers]
    }
    expect(last({ count: 'fixed window' })).toEqual([429, {}])
    expect(last({ count: 'fixed window', retryAfter: 1 })).toEqual([429, { 'retry-after': '1' }])
  })

  test.each([
    [0.1, 500],
    [0.5, 503]
  ])('stumbles where chance will have it: %f', (share, status) => {
    const draws = [0.005, share]
    expect(createIam({ count: 'fixed window' }, () => draws.shift() ?? 1)(0).status).toBe(status)
  })

  test('resets a connection where chance will have it', () => {
    const draws = [0.005, 0.9]
    const ask = (): unknown => createIam({ count: 'fixed window' }, () => draws.shift() ?? 1)(0)
    expect(ask).toThrow('closed the connection')
  })
})
