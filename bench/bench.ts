// `npm run bench`: how fast a step is, as ratios to a floor that is measured beside it, and what it costs besides. Prints
// tables and writes bench/results/bench.json. A report, never a gate. `-- --rounds 3` for a quick look.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { startCloud, type Cloud } from '../test/cloud/cloud.ts'
import { countAsked, ownRequests, PACKET_CASES } from '../test/e2e/support/packets.ts'
import { findProgram } from '../test/support/programs.ts'
import { formatSpread, interleave, ratioOf, spreadOf } from './measure.ts'
import * as step from './step.ts'

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } })
const rounds = Number(options.rounds)
const docker = findProgram('docker') === undefined ? 'none' : 'real'
const FAR_MS = 100
const REGIONS = [1, 2, 5, 10, 13]
const JOBS = [1, 2, 4, 8, 16, 32, 64]

/** What must not be exceeded (docs/performance.md), by row: ratios, and kB of the download. */
const LIMITS: Readonly<Record<string, number>> = {
  'main, plain login': 1.75,
  'main, mint: iam-token': 2.1,
  'post (to bare Node)': 1.75,
  '10': 1.5,
  'git archive HEAD, gzipped': 200
}

type Table = Readonly<Record<string, Readonly<Record<string, string | number>>>>

const results: Record<string, Table> = {}

function report(title: string, table: Table): void {
  results[title] = table
  console.log(`\n${title}`)
  console.table(table)
}

/** The table with the limit of each row that has one. */
function withLimits(table: Table): Table {
  return Object.fromEntries(
    Object.entries(table).map(([name, row]) => [name, { ...row, 'at most': LIMITS[name] ?? '' }])
  )
}

async function withCloud<T>(
  roundTripMs: number,
  registries: number,
  use: (cloud: Cloud) => Promise<T>
): Promise<T> {
  const cloud = await startCloud({ roundTripMs, registry: { registryTokens: true } })
  try {
    for (let more = 1; more < registries; more++) await cloud.addRegistry({ registryTokens: true })
    return await use(cloud)
  } finally {
    await cloud.close()
  }
}

/** The steps that are held against the floor; without docker there is no floor, and Node alone is the base. */
const STEPS: Readonly<Record<string, step.StepOptions>> = {
  'main, plain login': { docker },
  'main, mint: iam-token': { docker, inputs: { mint: 'iam-token' } },
  'main, without docker': { docker: 'none' }
}

async function benchSteps(cloud: Cloud): Promise<Table> {
  const posts: number[] = []
  const parts = ['bare Node', ...(docker === 'real' ? ['bare docker login'] : []), ...Object.keys(STEPS)]
  const times = await interleave(parts, rounds, async (part) => {
    if (part === 'bare Node') return await step.timeNode()
    if (part === 'bare docker login') return await step.timeDocker(cloud)
    const { main, post } = await step.timeJob(cloud, STEPS[part] ?? { docker })
    if (part === 'main, plain login') posts.push(post)
    return main
  })
  const node = times.get('bare Node') ?? []
  const floor = node.map((value, round) => value + (times.get('bare docker login')?.[round] ?? 0))
  const row = (values: readonly number[], base: readonly number[]): Table[string] => ({
    milliseconds: formatSpread(spreadOf(values), 1),
    ratio: formatSpread(ratioOf(values, base))
  })
  const rows = [...times].map(([part, values]) => [part, row(values, floor)] as const)
  // The first is of the round that does not count.
  return { ...Object.fromEntries(rows), 'post (to bare Node)': row(posts.slice(1), node) }
}

async function benchMemory(cloud: Cloud): Promise<Table> {
  const table: Record<string, Table[string]> = {}
  for (const [name, options] of Object.entries(STEPS)) {
    const peaks: step.StepTimes[] = []
    for (let round = 0; round < rounds; round++) peaks.push(await step.measureMemory(cloud, options))
    table[name] = {
      'main, MiB': formatSpread(spreadOf(peaks.map(({ main }) => main)), 1),
      'post, MiB': formatSpread(spreadOf(peaks.map(({ post }) => post)), 1)
    }
  }
  return table
}

/** What the runner downloads: the archive of the commit, gzipped. */
function benchDownload(): Table {
  const archive = execFileSync('git', ['archive', 'HEAD'], { cwd: step.root, maxBuffer: 2 ** 28 })
  return { 'git archive HEAD, gzipped': { kB: Number((gzipSync(archive).length / 1000).toFixed(1)) } }
}

async function benchLoaded(cloud: Cloud): Promise<Table> {
  const table: Record<string, Table[string]> = {}
  for (const [name, options] of Object.entries(STEPS)) {
    const files = await step.listLoaded(cloud, options)
    const bytes = files.reduce((sum, [, size]) => sum + size, 0)
    table[name.replace('main, ', '')] = {
      kB: Number((bytes / 1000).toFixed(1)),
      files: files.map(([file]) => file.replace('dist/', '').replace('.index', '')).join(' ')
    }
  }
  return table
}

/** Requests of our own by mint, and what they cost near and far. */
async function benchPackets(): Promise<Table> {
  const cases = PACKET_CASES.filter(({ hosts }) => hosts === 1)
  const measure = async (roundTripMs: number): Promise<Map<string, [string, string]>> =>
    await withCloud(roundTripMs, 1, async (cloud) => {
      const asked = new Map<string, string>()
      const times = await interleave(cases, rounds, async ({ name, inputs }) => {
        cloud.requests.length = 0
        const { main } = await step.timeJob(cloud, { docker, inputs })
        const { iam, registry } = countAsked(ownRequests(cloud.requests))
        asked.set(name, `${iam} + ${registry}`)
        return main
      })
      return new Map(
        [...times].map(([{ name }, values]) => [
          name,
          [asked.get(name) ?? '', formatSpread(spreadOf(values), 0)]
        ])
      )
    })
  const [near, far] = [await measure(0), await measure(FAR_MS)]
  const rows = [...near].map(([name, [asked, time]]) => [
    name,
    { 'IAM + registry': asked, 'ms, near': time, [`ms, ${FAR_MS} ms away`]: far.get(name)?.[1] ?? '' }
  ])
  return Object.fromEntries(rows) as Table
}

async function benchRegions(): Promise<Table> {
  const measure = async (roundTripMs: number): Promise<Map<number, readonly number[]>> =>
    await withCloud(
      roundTripMs,
      Math.max(...REGIONS),
      async (cloud) =>
        await interleave(
          REGIONS,
          rounds,
          async (hosts) => (await step.timeJob(cloud, { docker, hosts })).main
        )
    )
  const [near, far] = [await measure(0), await measure(FAR_MS)]
  const ratio = (times: Map<number, readonly number[]>, hosts: number): string =>
    formatSpread(ratioOf(times.get(hosts), times.get(1)))
  const rows = REGIONS.map((hosts) => [
    `${hosts}`,
    { 'to one, near': ratio(near, hosts), [`to one, ${FAR_MS} ms away`]: ratio(far, hosts) }
  ])
  return Object.fromEntries(rows) as Table
}

async function benchSideBySide(): Promise<Table> {
  return await withCloud(0, Math.max(...JOBS), async (cloud) => {
    const lost = new Map<number, number>()
    const times = await interleave(JOBS, rounds, async (jobs) => {
      const result = await step.timeSideBySide(cloud, docker, jobs)
      lost.set(jobs, (lost.get(jobs) ?? 0) + result.lost)
      return result.all
    })
    const rows = JOBS.map((jobs) => {
      const each = times.get(jobs)?.map((all) => all / jobs)
      const row = {
        'all, to one': formatSpread(ratioOf(times.get(jobs), times.get(1))),
        'each, to one alone': formatSpread(ratioOf(each, times.get(1))),
        'entries lost': lost.get(jobs) ?? 0
      }
      return [`${jobs}`, row]
    })
    return Object.fromEntries(rows) as Table
  })
}

if (docker === 'none')
  console.log('No docker on this machine: the floor is Node alone, and the steps log in without docker.')
await withCloud(0, 1, async (cloud) => {
  report('Steps, and their ratio to the floor', withLimits(await benchSteps(cloud)))
  report('Memory', await benchMemory(cloud))
  report('What is loaded of dist', await benchLoaded(cloud))
})
report('Download', withLimits(benchDownload()))
report('Requests of our own by mint', await benchPackets())
report('Registries at once', withLimits(await benchRegions()))
report('Jobs side by side in one home', await benchSideBySide())

const folder = join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'bench.json'), `${JSON.stringify({ rounds, docker, results }, undefined, 2)}\n`)
