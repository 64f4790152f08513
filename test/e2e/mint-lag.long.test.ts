// An IAM and a registry of which one part does not know yet what another has done: nothing is called revoked that lives.
import { describe, expect } from '@jest/globals'
import { OPERATOR_KEY } from '../cloud/default-world.ts'
import { dropAnswerFault, statusAfterFault, statusFault } from '../cloud/faults.ts'
import { keysOf, mintInputs } from './support/mint.ts'
import { MAKING } from './support/mint-kill.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { sideBySide } from './support/mint-scenes.ts'

const test = sideBySide(8, 120_000)

describe('mint: api-key', () => {
  test('of an unanswered request that no list shows is a warning with its name and end', async (stage) => {
    stage.cloud.world.keyListDelayMs = 60_000
    stage.cloud.faults.push({ ...MAKING['api-key'], fault: dropAnswerFault() })
    const job = await stage.newJob()
    expectFailure(await job.main(stage.here(mintInputs('api-key'))), 'could not be reached', OPERATOR_KEY)
    const [key] = keysOf(stage.cloud)
    const post = await job.post()
    expectSuccess(post, [String(key?.name)])
    expect(post.warnings[0]).toMatch(/it ends \d{4}-\d\d-\d\dT[\d:]+Z at the latest/u)
  })

  for (const answer of [404, 204] as const) {
    test(`that lives on after a ${answer} is deleted again, and then called revoked`, async (stage) => {
      const job = await stage.newJob()
      expectSuccess(await job.main(stage.here(mintInputs('api-key'))))
      Object.assign(stage.cloud.world, { keyListDelayMs: 0, lostDeletions: { answer, times: 2 } })
      for (const key of keysOf(stage.cloud)) key.listedFrom = Infinity
      const post = await job.post()
      expectSuccess(post)
      expect(post.log).toContain('Revoked the minted api-key')
      expect(keysOf(stage.cloud)).toEqual([])
    })

    test(`that stays after a ${answer} is a warning, and not called revoked`, async (stage) => {
      const job = await stage.newJob()
      const main = await job.main(stage.here(mintInputs('api-key')))
      stage.cloud.world.lostDeletions = { answer, times: 1_000 }
      for (const key of keysOf(stage.cloud)) key.listedFrom = Infinity
      const post = await job.post()
      expectSuccess(post, ['accepted the deletion, but still has it'])
      expect(post.warnings[0]).toContain(main.outputs['expires-at'])
      expect(post.log).not.toContain('Revoked')
    })
  }

  test('that a filtering proxy called refused, although it was made, is deleted', async (stage) => {
    stage.cloud.faults.push({ ...MAKING['api-key'], fault: statusAfterFault(403) })
    const job = await stage.newJob()
    expectFailure(await job.main(stage.here(mintInputs('api-key'))), '(403)', OPERATOR_KEY)
    expect(keysOf(stage.cloud)).toHaveLength(1)
    expectSuccess(await job.post())
    expect(keysOf(stage.cloud)).toEqual([])
  })

  test('is revoked by a post for which IAM is down for 12 s', async (stage) => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here(mintInputs('api-key'))))
    const down = { service: 'iam', fault: statusFault(503) } as const
    stage.cloud.faults.push(down)
    setTimeout(() => stage.cloud.faults.splice(0), 12_000)
    const post = await job.post()
    expectSuccess(post)
    expect(keysOf(stage.cloud)).toEqual([])
  })

  test('accepted once, and then unknown for 3 s, does not fail the step', async (stage) => {
    stage.cloud.world.keyRelapseMs = 3_000
    const job = await stage.newJob({ docker: 'none' })
    const main = await job.main(stage.here(mintInputs('api-key')))
    expectSuccess(main)
    expect(main.outputs['access']).toBe('pull')
  })

  test('nor where no repositories are given, and nothing is verified', async (stage) => {
    stage.cloud.world.keyRelapseMs = 3_000
    const job = await stage.newJob({ docker: 'none' })
    const main = await job.main(stage.here(mintInputs('api-key', { repositories: '' })))
    expectSuccess(main, ['give repositories to have it shown to the registry'])
  })

  test('that is locked is a warning that says so', async (stage) => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here(mintInputs('api-key'))))
    for (const key of keysOf(stage.cloud)) key.locked = true
    const post = await job.post()
    expectSuccess(post, ['(409): it is locked'])
    expect(post.warnings[0]).toMatch(/Transaction-Id: [\w-]+/u)
  })
})

test('A repository token that the registry does not accept fails the step', async (stage) => {
  const { host } = await stage.cloud.addRegistry({ refusesBearers: true })
  const job = await stage.newJob()
  const main = await job.main(stage.here(mintInputs('repository-token', { registry: host })))
  expectFailure(main, `${host} refused the login as the repository token (401)`, OPERATOR_KEY)
  expect(job.snapshot()).toEqual({})
})

test('Too many repositories for one token are said before any request', async (stage) => {
  const repositories = Array.from({ length: 101 }, (_, at) => `team/repository-${at}`).join(' ')
  const job = await stage.newJob()
  const main = await job.main(stage.here(mintInputs('repository-token', { repositories })))
  expectFailure(main, /a token for the 101 repositories on .* is too long.*\nSet at most \d+ of these/u)
  expect(stage.cloud.requests).toEqual([])
})
