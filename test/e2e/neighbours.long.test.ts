// A main that is killed at any moment leaves nothing: each of its changes to files is a moment.
import { expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { USER_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { leftInTemp } from './support/promises.ts'
import { authOf, useStage, writeConfig } from './support/stage.ts'

const stage = useStage()

const ofTheUser = (): string =>
  JSON.stringify(
    { auths: { [stage.cloud.registryHost]: { auth: authOf('iamapikey', USER_KEY) } } },
    undefined,
    '\t'
  )

const preload = join(import.meta.dirname, 'support', 'dying.mjs')

async function dieAt(step: number, text: string | undefined): Promise<'died' | 'done'> {
  const job = await stage.newJob()
  if (text !== undefined) writeConfig(job.home, text)
  const before = [job.snapshot(), job.snapshot(job.temp)]
  const log = join(stage.newFolder(), 'log')
  const env = { NODE_OPTIONS: `--import ${preload}`, DIE_AT: String(step), DIE_LOG: log }
  const main = await job.main(stage.here({ 'api-key': WRITER_KEY }), { env })
  const post = await job.post()
  const steps = readFileSync(log, { encoding: 'utf8', flag: 'a+' }).trim().split('\n')
  const where = `killed before step ${step}, after:\n${steps.join('\n')}\n`
  expect([where, post.exitCode, post.warnings]).toEqual([where, 0, []])
  expect([where, job.snapshot(), leftInTemp(job)]).toEqual([where, ...before])
  return main.signal === 'SIGKILL' ? 'died' : 'done'
}

test('A main that is killed before any of its changes to files leaves all as it was after post', async () => {
  // A fresh home and one with a login of the user's; every step of both, four at a time.
  const cases = Array.from({ length: 48 }, (_, index) => ({
    step: Math.floor(index / 2) + 1,
    text: index % 2 === 0 ? undefined : ofTheUser()
  }))
  const ends: string[] = []
  const failures: string[] = []
  const row = async (): Promise<void> => {
    for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
      try {
        ends.push(await dieAt(next.step, next.text))
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
  }
  await Promise.all([row(), row(), row(), row()])
  expect(failures.join('\n\n')).toBe('')
  // Some came to their end: no step of a login was left out.
  expect(ends).toContain('done')
  expect(ends.filter((end) => end === 'died').length).toBeGreaterThan(20)
}, 120_000)
