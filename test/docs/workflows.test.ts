// What the project's own workflows may do. The linters, which see more, run in test/real/workflows.test.ts.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'

interface Step {
  uses?: string
  with?: Record<string, unknown>
}

interface Job {
  'timeout-minutes'?: number
  permissions?: object
  steps: Step[]
}

interface Workflow {
  permissions?: object
  concurrency?: { group: string }
  jobs: Record<string, Job>
}

const folder = new URL('../../.github/workflows/', import.meta.url)
const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(new URL(name, folder), 'utf8')
  return [name, { text, ...(parse(text) as Workflow) }] as const
})

/** What a job may write, by the workflow and the job's name. */
const WRITES: Record<string, object> = {
  'codeql.yml analyze': { 'security-events': 'write' },
  'release.yml build': { 'id-token': 'write', attestations: 'write' },
  'release.yml release': { contents: 'write' }
}

describe.each(workflows)('%s', (name, { text, permissions, concurrency, jobs }) => {
  test('may do nothing but what a job asks for, and only those write that have to', () => {
    expect(permissions).toEqual({})
    for (const [job, { permissions: asked = { all: 'write' } }] of Object.entries(jobs)) {
      const writes = Object.entries(asked).filter(([, right]) => right !== 'read')
      expect([job, Object.fromEntries(writes)]).toEqual([job, WRITES[`${name} ${job}`] ?? {}])
    }
  })

  test('ends in time, and is not run twice at once', () => {
    expect(concurrency?.group).toBeTruthy()
    for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeLessThanOrEqual(90)
  })

  test('names each action by its commit, with the version beside it', () => {
    const lines = text.split('\n').filter((line) => /^\s*(?:- )?uses:/.test(line))
    const steps = Object.values(jobs).flatMap((job) => job.steps)
    expect(lines).toHaveLength(steps.filter(({ uses }) => uses !== undefined).length)
    for (const line of lines) expect(line).toMatch(/uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test('leaves no token of GitHub in the tree that it checks out', () => {
    const checkouts = Object.values(jobs).flatMap(({ steps }) =>
      steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    )
    expect(checkouts).not.toEqual([])
    for (const step of checkouts) expect(step.with).toMatchObject({ 'persist-credentials': false })
  })
})

test('one version of an action is used everywhere', () => {
  const text = workflows.map(([, workflow]) => workflow.text).join('')
  const pins = new Set([...text.matchAll(/uses: ([\w-]+\/[\w-]+)\S*(@.*)$/gm)].map(([, , pin]) => pin))
  const actions = new Set([...text.matchAll(/uses: ([\w-]+\/[\w-]+)/g)].map(([, action]) => action))
  expect(actions.size).toBeGreaterThan(3)
  expect(pins.size).toBe(actions.size)
})
