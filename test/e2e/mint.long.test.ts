// A new API key takes a while to reach the registry.
import { describe, expect, test } from '@jest/globals'
import { OPERATOR_KEY } from '../cloud/default-world.ts'
import { keysOf, mintInputs } from './support/mint.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { useStage } from './support/stage.ts'

const stage = useStage({ registry: { registryTokens: true } })

const host = (): string => stage.cloud.registryHost

describe('A key that IAM has made and not everybody knows yet', () => {
  test('is waited for', async () => {
    stage.cloud.world.keyDelayMs = 3_000
    const job = await stage.newJob({ docker: 'none' })
    const main = await job.main(stage.here(mintInputs('api-key')))
    expectSuccess(main)
    expect(main.log).toContain(`${host()} does not know the new API key yet.`)
    expect(main.outputs['access']).toBe('pull')
    expectSuccess(await job.post())
    expect(keysOf(stage.cloud)).toEqual([])
  })

  test('for more than ten seconds fails the step, and is revoked', async () => {
    stage.cloud.world.keyDelayMs = 60_000
    const job = await stage.newJob()
    const begun = Date.now()
    const main = await job.main(stage.here(mintInputs('api-key')))
    expectFailure(main, `${host()} refused the login as iamapikey`, OPERATOR_KEY)
    expect(Date.now() - begun).toBeGreaterThan(8_000)
    expect(Date.now() - begun).toBeLessThan(15_000)
    expect(keysOf(stage.cloud)).toHaveLength(1)
    expectSuccess(await job.post())
    expect(keysOf(stage.cloud)).toEqual([])
  })
})
