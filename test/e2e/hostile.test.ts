// Names that would get a secret elsewhere: none is accepted, and nothing is started or sent to find that out.
import { describe, expect, test } from '@jest/globals'
import { PROFILE_ID, WRITER_KEY } from '../cloud/default-world.ts'
import type { Environment, Inputs } from '../support/runner.ts'
import { HOSTILE_IAM_URLS, HOSTILE_METADATA_URLS, HOSTILE_PLACES } from '../unit/support/hostile.ts'
import { expectFailure } from './support/promises.ts'
import { useStage } from './support/stage.ts'

const stage = useStage()

/** Each value that came through, and what came of it: an empty list is what is promised. */
async function refuseAll(
  values: readonly string[],
  inputsFor: (value: string) => Inputs,
  envFor: (value: string) => Environment = () => ({})
): Promise<string[]> {
  const docker = stage.newDocker()
  // GitHub has put a value in the place of each expression before a step begins.
  const waiting = values.filter((value) => !value.includes('${{'))
  const wrong: string[] = []
  const refuse = async (): Promise<void> => {
    // One job after the other in each row: a home that a wrong run has written to shows at the end.
    const job = await stage.newJob({ docker: docker.directory, env: { RUNNER_ENVIRONMENT: 'self-hosted' } })
    for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
      const result = await job.main(inputsFor(value), { env: envFor(value) })
      try {
        expectFailure(result, /./u, WRITER_KEY)
      } catch (error) {
        wrong.push(`${JSON.stringify(value)}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    if (wrong.length > 0) return
    expect(job.snapshot()).toEqual({})
    expect(job.snapshot(job.temp)).toEqual({})
  }
  await Promise.all([refuse(), refuse(), refuse(), refuse()])
  if (wrong.length > 0) return wrong
  expect(docker.calls()).toEqual([])
  expect(stage.cloud.requests).toEqual([])
  return []
}

const here = (): Inputs => ({ 'api-key': WRITER_KEY, 'iam-url': stage.cloud.iamUrl })

describe('No hostile value is accepted', () => {
  test('as region', async () => {
    expect(await refuseAll(HOSTILE_PLACES, (region) => ({ ...here(), region }))).toEqual([])
  }, 120_000)

  test('as registry', async () => {
    expect(await refuseAll(HOSTILE_PLACES, (registry) => ({ ...here(), registry }))).toEqual([])
  }, 120_000)

  test('as iam-url', async () => {
    const inputs = { ...here(), registry: stage.cloud.registryHost }
    // Blanks around it are taken away, as from every input but the secrets.
    const urls = HOSTILE_IAM_URLS.filter((url) => url === url.trim())
    expect(await refuseAll(urls, (url) => ({ ...inputs, 'iam-url': url }))).toEqual([])
  }, 120_000)

  test('as IBMCLOUD_CR_VPC_URL', async () => {
    const inputs = { 'trusted-profile': PROFILE_ID, registry: stage.cloud.registryHost }
    const env = (url: string): Environment => ({ IBMCLOUD_CR_VPC_URL: url })
    expect(await refuseAll(HOSTILE_METADATA_URLS, () => inputs, env)).toEqual([])
  }, 120_000)

  test('beside a good one, which is not logged in to either', async () => {
    const some = HOSTILE_PLACES.filter((_, index) => index % 10 === 0)
    const withGood = (value: string): Inputs => ({
      ...here(),
      registry: `us.icr.io\n${value}`,
      region: 'eu-de'
    })
    expect(await refuseAll(some, withGood)).toEqual([])
  }, 120_000)
})
