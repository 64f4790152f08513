// Machines whose clock is wrong, by libfaketime: what is minted ends by IAM's clock, and is revoked all the same.
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import { WRITER_ID } from '../cloud/default-world.ts'
import { madeIn, keysOf, mintInputs, tokensOf, WAYS } from '../e2e/support/mint.ts'
import { expectFailure, expectSuccess } from '../e2e/support/promises.ts'
import { runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { startJob, type Environment, type Inputs, type Job } from '../support/runner.ts'

const HOUR_MS = 3_600_000

/** What libfaketime calls each, and what such a clock shows. */
const CLOCKS: Readonly<Record<string, { fake: string; at: () => number }>> = {
  'an hour late': { fake: '-1h', at: () => Date.now() - HOUR_MS },
  'an hour early': { fake: '+1h', at: () => Date.now() + HOUR_MS },
  'a day early': { fake: '+1d', at: () => Date.now() + 24 * HOUR_MS },
  'in 1970': { fake: '@1970-02-01 00:00:00', at: () => Date.UTC(1970, 1, 1) }
}

let cloud: Cloud
let job: Job

beforeEach(async () => {
  cloud = await startCloud({ registry: { registryTokens: true } })
  job = await startJob()
})

afterEach(async () => {
  job.close()
  await cloud.close()
})

const here = (): Inputs => ({ registry: cloud.registryHost, 'iam-url': cloud.iamUrl })

/** For a step of Node's alone: clocks that only measure how long something takes go on as they are. */
async function clockOf(name: string): Promise<Environment> {
  const { fake = '+0' } = CLOCKS[name] ?? {}
  const told = await runWell(needProgram('faketime'), ['-f', fake, needProgram('env')], {
    env: { PATH: '/usr/bin:/bin' }
  })
  const preload = /^LD_PRELOAD=(.+)$/mu.exec(told)?.[1]
  if (preload === undefined) throw new Error(`faketime names no library:\n${told}`)
  return {
    LD_PRELOAD: preload,
    FAKETIME: fake,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    TZ: 'UTC'
  }
}

test.each(Object.keys(CLOCKS))('A clock that is %s is what the action sees', async (name) => {
  const env = await clockOf(name)
  // An access token that ended long ago, by any of these clocks: the message has the runner's own.
  const token = cloud.accessToken(WRITER_ID, -60 * 365 * 24 * 3600)
  const message = expectFailure(await job.main({ ...here(), 'access-token': token }, { env }), 'clock', token)
  const shown = /clock says (\S+Z)/u.exec(message)?.[1] ?? ''
  expect(Math.abs(Date.parse(shown) - (CLOCKS[name]?.at() ?? 0))).toBeLessThan(120_000)
})

const revocable = ['api-key', 'registry-token']
const cases = Object.keys(CLOCKS).flatMap((clock) => Object.keys(WAYS).map((way) => [clock, way] as const))

test.each(cases)(
  'A clock that is %s: mint: %s works, ends as IAM says, and is revoked',
  async (name, way) => {
    const env = await clockOf(name)
    const began = Date.now()
    const main = await job.main(mintInputs(way, here()), { env })
    expectSuccess(main)
    const made = madeIn(cloud)
    expect(made).toHaveLength(revocable.includes(way) ? 1 : 0)
    if (way !== 'repository-token') {
      // By IAM's clock, which is right: a registry token lasts a day, the others an hour.
      const lasts = Date.parse(main.outputs['expires-at'] ?? '') - began
      expect(Math.abs(lasts - (way === 'registry-token' ? 24 : 1) * HOUR_MS)).toBeLessThan(180_000)
    }
    for (const { expiresAt } of [...keysOf(cloud), ...tokensOf(cloud)])
      expect(Number(expiresAt) * 1000 - began).toBeLessThan(25 * HOUR_MS)
    expectSuccess(await job.post({ env }))
    expect([madeIn(cloud), job.snapshot()]).toEqual([[], {}])
  }
)

test.each(Object.keys(CLOCKS))(
  'A clock that is %s in post alone: what was minted is revoked',
  async (name) => {
    expectSuccess(await job.main(mintInputs('api-key', here())))
    expect(keysOf(cloud)).toHaveLength(1)
    const post = await job.post({ env: await clockOf(name) })
    expectSuccess(post)
    expect([keysOf(cloud), job.snapshot()]).toEqual([[], {}])
  }
)

test.each(['an hour early', 'a day early'])(
  'A clock that is %s: a token that has not ended is said to have, with both clocks',
  async (name) => {
    const token = cloud.accessToken(WRITER_ID, 1800)
    const end = new Date(Math.floor(Date.now() / 1000) * 1000 + 1_800_000)
    const main = await job.main({ ...here(), 'access-token': token }, { env: await clockOf(name) })
    const message = expectFailure(main, 'access-token ended at', token)
    const [ended = '', now = ''] = message.match(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gu) ?? []
    expect(Math.abs(Date.parse(ended) - end.getTime())).toBeLessThan(120_000)
    expect(Math.abs(Date.parse(now) - (CLOCKS[name]?.at() ?? 0))).toBeLessThan(120_000)
    expect(message).toContain("If the runner's clock is wrong, set it.")
    expect(cloud.requests).toEqual([])
  }
)

test.each(['an hour late', 'in 1970'])(
  'A clock that is %s: a token that has ended is refused by the registry',
  async (name) => {
    const token = cloud.accessToken(WRITER_ID, -60)
    const main = await job.main({ ...here(), 'access-token': token }, { env: await clockOf(name) })
    expectFailure(main, 'refused the login as iambearer', token)
    expect(job.snapshot()).toEqual({})
  }
)
