// Why a job was passed no secrets, where GitHub tells.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { explainMissingSecrets } from '../../../src/runner/event.ts'
import { makeFolder } from '../support/home.ts'

const FORK = /no secrets to jobs of pull requests from forks.*head\.repo\.full_name == github\.repository/
const repo = (name?: string): object => ({ repo: name === undefined ? null : { full_name: name } })

function explain(event: unknown, env: NodeJS.ProcessEnv = {}): string | undefined {
  const path = join(makeFolder(), 'event.json')
  writeFileSync(path, typeof event === 'string' ? event : JSON.stringify(event))
  return explainMissingSecrets({ GITHUB_EVENT_PATH: path, GITHUB_EVENT_NAME: 'pull_request', ...env })
}

test.each([
  ['of a fork', { pull_request: { head: repo('them/app'), base: repo('us/app') } }],
  ['of a fork that is gone', { pull_request: { head: repo(), base: repo('us/app') } }],
  ['that says nothing of where it comes from', { pull_request: { head: {}, base: repo('us/app') } }]
])('a pull request %s is told of', (_, event) => {
  expect(explain(event)).toMatch(FORK)
})

test.each([
  [
    'a pull request of the repository’s own',
    { pull_request: { head: repo('us/app'), base: repo('us/app') } }
  ],
  ['a push', { ref: 'refs/heads/main' }],
  ['a pull_request that is no object', { pull_request: 7 }],
  ['an event that is no object', []],
  ['an event that is no JSON', '{']
])('%s is nothing to blame', (_, event) => {
  expect(explain(event)).toBeUndefined()
})

test('pull_request_target is passed secrets, so a fork is not to blame', () => {
  const event = { pull_request: { head: repo('them/app'), base: repo('us/app') } }
  expect(explain(event, { GITHUB_EVENT_NAME: 'pull_request_target' })).toBeUndefined()
})

test('Dependabot’s jobs have a store of their own, which is named', () => {
  expect(explain({ ref: 'x' }, { GITHUB_ACTOR: 'dependabot[bot]' })).toMatch(
    /Settings, Secrets and variables, Dependabot/
  )
  expect(explain({ ref: 'x' }, { GITHUB_ACTOR: 'dependabot' })).toBeUndefined()
})

test('a job without an event, or with one that can’t be read, is no reason to fail', () => {
  expect(explainMissingSecrets({})).toBeUndefined()
  expect(explainMissingSecrets({ GITHUB_EVENT_PATH: '/nonexistent/event.json' })).toBeUndefined()
  expect(explainMissingSecrets({ GITHUB_EVENT_PATH: makeFolder() })).toBeUndefined()
})

test('an event file that is a pipe does not keep the step waiting', () => {
  const pipe = join(makeFolder(), 'event.json')
  execFileSync('mkfifo', [pipe])
  expect(explainMissingSecrets({ GITHUB_EVENT_PATH: pipe })).toBeUndefined()
})
