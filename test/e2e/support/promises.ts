// What every step of the action promises, whatever it does.
import { expect } from '@jest/globals'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Job, mustEndWell, type StepResult } from '../../support/runner.ts'

const isMask = (event: StepResult['events'][number]): boolean =>
  event.kind === 'command' && event.command === 'add-mask'

/** All that a step said or left behind, but for the masks and the output that is meant to hold a secret. */
function sayings(result: StepResult): string {
  const outputs = { ...result.outputs, password: '' }
  const events = result.events.filter((event) => !isMask(event))
  return JSON.stringify([events, outputs, result.state, result.env, result.path, result.summary])
}

/** The plain secret, and what base64 makes of it at each of its three alignments. */
function formsOf(secret: string): string[] {
  const shifted = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]).toString('base64')
    return text.slice(4, -4)
  })
  return [secret, ...shifted, encodeURIComponent(secret)]
}

export function expectNotSaid(result: StepResult, ...secrets: string[]): void {
  const said = sayings(result)
  for (const secret of secrets)
    for (const form of formsOf(secret)) if (said.includes(form)) throw new Error(`A secret was said: ${said}`)
}

/** The step ended well: green, and without a word of failure. */
export function expectSuccess(result: StepResult, warnings: (string | RegExp)[] = []): void {
  mustEndWell(result)
  expect(result.warnings).toEqual(
    warnings.map((wanted): unknown =>
      typeof wanted === 'string' ? expect.stringContaining(wanted) : expect.stringMatching(wanted)
    )
  )
  expect(result.stderr).toBe('')
}

/** The step failed as a user can read it: exit code 1, one error without a stack, and no output to go on with. */
export function expectFailure(result: StepResult, wanted: string | RegExp, ...secrets: string[]): string {
  const [message = ''] = result.errors
  if (result.exitCode !== 1 || result.errors.length !== 1)
    throw new Error(`exit code ${result.exitCode ?? 'none'}\n${result.stdout}${result.stderr}`)
  if (typeof wanted === 'string') expect(message).toContain(wanted)
  else expect(message).toMatch(wanted)
  // What failed, and what to do about it.
  expect(message.split('\n').length).toBeGreaterThanOrEqual(2)
  expect(`${result.stdout}${result.stderr}`).not.toMatch(/^\s+at .+:\d+/mu)
  expect(result.stdout).not.toMatch(/(?<!")\b(?:undefined|NaN|\[object)\b/u)
  expect(result.stderr).toBe('')
  expect(result.outputs).toEqual({})
  expectNotSaid(result, ...secrets)
  return message
}

function* filesUnder(directory: string): Generator<string> {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const file = join(directory, name)
    if (statSync(file).isFile()) yield file
  }
}

/** The files of a job that hold a secret in any form. */
export function filesWith(job: Job, secret: string): string[] {
  const folders = [job.home, job.temp, job.workspace, job.env['TMPDIR'] ?? job.temp]
  const files = folders.flatMap((folder) => [...filesUnder(folder)])
  return files.filter((file) => {
    const text = readFileSync(file, 'utf8')
    return formsOf(secret).some((form) => text.includes(form))
  })
}

/**
 * What a job has left in RUNNER_TEMP, but for the empty file that post puts in the place of the scratch directory where
 * main was killed: the runner empties RUNNER_TEMP when the job ends.
 */
export function leftInTemp(job: Job): Record<string, string> {
  const isMark = (name: string): boolean =>
    /^icr-login-[0-9a-f]{16}$/u.test(name) && readFileSync(join(job.temp, name), 'utf8') === ''
  const left = Object.entries(job.snapshot(job.temp))
  return Object.fromEntries(left.filter(([name, kind]) => !(kind.startsWith('file') && isMark(name))))
}
