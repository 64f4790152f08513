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

/** Kills one main after the other, each one change later, until one comes to its end. */
async function countSteps(text: string | undefined): Promise<number> {
  let step = 1
  while ((await dieAt(step, text)) === 'died') step++
  return step
}

test('A main that is killed before any of its changes to files leaves all as it was after post', async () => {
  const steps = await Promise.all([countSteps(undefined), countSteps(ofTheUser())])
  expect(Math.min(...steps)).toBeGreaterThan(10)
}, 120_000)
