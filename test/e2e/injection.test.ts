// Hostile strings through the action as it is shipped: in its inputs, and in all that a server answers. The runner reads
// our commands and our keys and no others.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { REPOSITORY, WRITER_KEY } from '../cloud/default-world.ts'
import type { Fault } from '../cloud/faults.ts'
import { HOSTILE_STRINGS } from '../support/hostile-strings.ts'
import type { Inputs, StepResult } from '../support/runner.ts'
import { useStage } from './support/stage.ts'

const stage = useStage()

/** Longer than a mask must be, so that each is one; without a NUL, which no variable can hold. */
const hostile = fc
  .array(
    fc.oneof(fc.constantFrom(...HOSTILE_STRINGS), fc.string({ unit: 'binary', minLength: 2, maxLength: 6 })),
    {
      minLength: 2,
      maxLength: 6
    }
  )
  .map((parts) => parts.join('').replaceAll('\0', ''))
  // What can't stand in a variable or in JSON: half a character.
  .map((text) => Buffer.from(text).toString())

const OUTPUTS = [
  'access',
  'docker-config',
  'expires-at',
  'password',
  'registries',
  'registry',
  'token-id',
  'username'
]

/** Only ours: a mask, or one error or warning without properties; and everything in it is plain text. */
function expectOnlyOurs(result: StepResult, ends: number): void {
  const { events, outputs, state, env, path, summary, exitCode, stderr } = result
  expect({ exitCode, stderr, env, path }).toEqual({ exitCode: ends, stderr: '', env: {}, path: [] })
  const commands = events.flatMap((event) => (event.kind === 'command' ? [event] : []))
  expect(commands.filter(({ properties }) => Object.keys(properties).length > 0)).toEqual([])
  const said = commands.filter(({ command }) => command !== 'add-mask')
  expect(said.map(({ command }) => command)).toEqual(ends === 0 ? [] : ['error'])
  const lines = events.flatMap((event) => (event.kind === 'line' ? [event.text] : []))
  for (const line of [...lines, ...said.flatMap(({ value }) => value.split('\n'))]) {
    expect(line).toMatch(/^[\x20-\x7e…]*$/u)
  }
  expect(Object.keys(outputs).sort()).toEqual(ends === 0 ? OUTPUTS : [])
  expect(Object.keys(state).sort()).toEqual(['login', 'main'])
  expect(summary).not.toMatch(/<(?!\/?(?:h3|table|tr|th|td|code|br)>)/u)
}

async function inFours<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all]
  const go = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) await work(one)
  }
  await Promise.all([go(), go(), go(), go()])
}

/** So many strings, several in each of the jobs. */
function inGroups(count: number, size: number): string[][] {
  const texts = fc.sample(hostile, count)
  return Array.from({ length: count / size }, (_, at) => texts.slice(at * size, (at + 1) * size))
}

describe('The runner reads nothing but what is ours,', () => {
  test('with hostile secrets, all at once', async () => {
    await inFours(
      inGroups(60, 4),
      async ([apiKey = '', accessToken = '', refreshToken = '', registryToken = '']) => {
        const job = await stage.newJob()
        const secrets = { 'api-key': apiKey, 'access-token': accessToken }
        const inputs = { ...secrets, 'refresh-token': refreshToken, 'registry-token': registryToken }
        expectOnlyOurs(await job.main(stage.here(inputs)), 1)
        expect((await job.post()).log).toBe('')
      }
    )
  }, 120_000)

  test('with hostile places and choices', async () => {
    const names = [
      'region',
      'registry',
      'endpoint',
      'mint',
      'repositories',
      'service-id',
      'lifetime',
      'read-only'
    ]
    const more = ['logout', 'iam-url', 'timeout', 'trusted-profile']
    const groups = [...names, ...more].flatMap((name) =>
      fc.sample(hostile, 3).map((text) => [name, text] as const)
    )
    await inFours(groups, async ([name, text]) => {
      const job = await stage.newJob()
      const beside: Inputs = name === 'service-id' ? { mint: 'api-key', repositories: REPOSITORY } : {}
      // What nobody could mistake for a value: blanks alone would be none.
      const main = await job.main(stage.here({ 'api-key': WRITER_KEY, ...beside, [name]: `x${text}x` }))
      expectOnlyOurs(main, 1)
      expect((await job.post()).log).toBe('')
    })
  }, 120_000)

  const answers: [string, 'none' | 'real', 'registry' | 'iam', RegExp, number, Inputs][] = [
    ['a registry', 'none', 'registry', /oauth/u, 401, {}],
    ['a registry that docker asks', 'real', 'registry', /oauth/u, 401, {}],
    ['an IAM', 'none', 'iam', /token/u, 400, { mint: 'iam-token' }]
  ]
  test.each(answers)(
    'with %s that answers so',
    async (_, docker, service, path, status, inputs) => {
      const waiting = inGroups(40, 4)
      const fault: Fault = () => {
        const [code = '', message = '', other = '', realm = ''] = waiting.pop() ?? []
        const line = realm.replace(/[^\x20-\x7e]/gu, ' ')
        const body = {
          errors: [{ code, message }, { message: other }],
          errorCode: code,
          errorMessage: `${message}${other}`,
          error_description: other
        }
        const headers = { 'WWW-Authenticate': `Bearer realm="${line}"`, 'Retry-After': line }
        return Promise.resolve({ status, headers, body: JSON.stringify(body) })
      }
      stage.cloud.faults.push({ service, path, fault })
      await inFours([...waiting.keys()], async () => {
        const job = await stage.newJob({ docker })
        expectOnlyOurs(await job.main(stage.here({ 'api-key': WRITER_KEY, ...inputs })), 1)
        await job.post()
      })
      expect(waiting).toEqual([])
    },
    120_000
  )
})
