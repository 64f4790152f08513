// `npm run bench:fleet`: how many jobs get a token where IAM serves a hundred a second, how fast, with how many
// requests; with the client's own waits, and with others. Time is simulated, and chance has a seed: the same figures on
// every machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { summarize, type Outcome } from './fleet/outcome.ts'
import * as policies from './fleet/policies.ts'
import { runFleet, type Job } from './fleet/run.ts'
import { COUNTS, type Limits } from './fleet/simulated-iam.ts'

const SEEDS = [1, 2, 3]
/** To find out what happens to one job in ten thousand. */
const MANY_SEEDS = Array.from({ length: 20 }, (_, at) => at + 1)
const COUNTED: readonly Limits[] = COUNTS.map((count) => ({ count }))
const LIMITS: readonly Limits[] = COUNTED.flatMap((limits) => [limits, { ...limits, retryAfter: 1 }])

/** One run for each limit and seed, taken together. */
async function runAll(
  jobs: number,
  limits: readonly Limits[],
  seeds: readonly number[],
  policy?: policies.Policy
): Promise<Outcome> {
  const all: Job[] = []
  for (const each of limits)
    for (const seed of seeds) all.push(...(await runFleet({ jobs, seed, ...each }, policy)))
  return summarize(all)
}

async function compareSizes(): Promise<object[]> {
  const rows: object[] = []
  const rivals = { ours: undefined, 'no jitter': policies.noJitter, 'no backoff': policies.noBackoff }
  for (const [policy, waits] of Object.entries(rivals))
    for (const limits of LIMITS)
      for (const jobs of [10, 100, 300, 1000, 2000])
        rows.push({ policy, jobs, ...limits, ...(await runAll(jobs, [limits], SEEDS, waits)) })
  return rows
}

type Row = policies.Candidate & Outcome

async function compareCandidates(): Promise<Row[]> {
  const rows: Row[] = []
  for (const candidate of policies.CANDIDATES)
    rows.push({ ...candidate, ...(await runAll(1000, COUNTED, SEEDS, policies.policyOf(candidate))) })
  return rows.sort((a, b) => a.requestsPerJob - b.requestsPerJob)
}

/** Of those that leave nobody out and send within 1 % of the fewest requests: twice as many jobs. */
async function compareBest(rows: readonly Row[]): Promise<object[]> {
  const all = rows.filter(({ leftOut }) => leftOut === 0)
  const best = all.filter(({ requestsPerJob }) => requestsPerJob <= (all[0]?.requestsPerJob ?? 0) * 1.01)
  const found: (Row & { readonly p99For1000: number })[] = []
  for (const { jitter, first, growth, use, p99 } of best) {
    const candidate = { jitter, first, growth, use }
    const outcome = await runAll(2000, COUNTED, SEEDS, policies.policyOf(candidate))
    found.push({ ...candidate, p99For1000: p99, ...outcome })
  }
  return found.sort((a, b) => Math.sign(a.leftOut) - Math.sign(b.leftOut) || a.p99For1000 - b.p99For1000)
}

async function compareUses(): Promise<object[]> {
  const rows: object[] = []
  for (const retryAfter of [1, 10])
    for (const use of policies.USES) {
      const limits = COUNTED.map((each) => ({ ...each, retryAfter }))
      const policy = policies.policyOf({ ...policies.OURS, use })
      rows.push({ retryAfter, use, ...(await runAll(1000, limits, SEEDS, policy)) })
    }
  return rows
}

async function countTries(): Promise<object[]> {
  const rows: object[] = []
  for (const jobs of [1000, 2000]) rows.push({ jobs, ...(await runAll(jobs, LIMITS, MANY_SEEDS)) })
  return rows
}

/** Numbers of at most three digits after the point. */
const short = (row: object): object =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'number' ? Number(value.toFixed(3)) : value
    ])
  )

const results: Record<string, object[]> = {}

function report(title: string, rows: readonly object[]): void {
  results[title] = rows.map(short)
  console.log(title)
  console.table(results[title])
}

report('Policies, by the number of jobs', await compareSizes())
const candidates = await compareCandidates()
report('Waits after 429: 1,000 jobs, no Retry-After', candidates)
report('The best of them: 2,000 jobs', await compareBest(candidates))
report('Uses of Retry-After: 1,000 jobs', await compareUses())
report('Ours, with many seeds', await countTries())

const folder = join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'fleet.json'), `${JSON.stringify(results, undefined, 2)}\n`)
