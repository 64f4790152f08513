// What was minted and can be revoked is revoked: by its ID and by its name, through faults, whatever steps did since.
import { describe, expect } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  OPERATOR_ID,
  OPERATOR_KEY,
  PROFILE_ID,
  READER_ID,
  READER_KEY,
  REPOSITORY,
  USER_KEY
} from '../cloud/default-world.ts'
import { dropAnswerFault, type Fault, hangFault, resetFault, statusFault } from '../cloud/faults.ts'
import type { Match } from '../cloud/matching.ts'
import { requestsWith } from '../cloud/recorder.ts'
import type { Job, StepResult } from '../support/runner.ts'
import { grantsOf, keysOf, madeIn, mintInputs, tokensOf, WAYS } from './support/mint.ts'
import { MAKING } from './support/mint-kill.ts'
import { expectNotSaid, expectSuccess } from './support/promises.ts'
import { sideBySide, type Scene } from './support/mint-scenes.ts'

const test = sideBySide(8, 120_000)

const revocable = ['api-key', 'registry-token'] as const
type Revocable = (typeof revocable)[number]

async function mintIn(
  scene: Scene,
  job: Job,
  way: string,
  more: Record<string, string> = {}
): Promise<StepResult> {
  const main = await job.main(scene.here(mintInputs(way, more)))
  expectSuccess(main)
  return main
}

/** The one warning of a post that could not revoke: it names what is left, and until when. */
function expectLeft(post: StepResult, words: string, main: StepResult): void {
  expectSuccess(post, [words])
  expect(post.warnings[0]).toContain(main.outputs['token-id'])
  expect(post.warnings[0]).toContain(main.outputs['expires-at'])
}

const deletions = ({ cloud }: Scene): string[] =>
  cloud.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path)

describe.each(revocable)('mint: %s', (way: Revocable) => {
  const path = way === 'api-key' ? /^\/v1\/apikeys/u : /^\/api\/v1\/tokens/u
  const service: Match['service'] = way === 'api-key' ? 'iam' : 'registry'

  test('is revoked by its name where its ID was never heard of, and nothing else is', async (stage) => {
    const job = await stage.newJob()
    // Every answer is lost, and each try makes another.
    stage.cloud.faults.push({ ...MAKING[way], fault: dropAnswerFault() })
    const main = await job.main(stage.here(mintInputs(way)))
    expect(main.exitCode).toBe(1)
    expect(madeIn(stage.cloud)).toHaveLength(4)
    const keys = stage.cloud.world.apiKeys.length - keysOf(stage.cloud).length
    expectSuccess(await job.post())
    expect(madeIn(stage.cloud)).toEqual([])
    expect(stage.cloud.world.apiKeys).toHaveLength(keys)
  })

  test('of which two were made, as an answer was lost, leaves neither', async (stage) => {
    stage.cloud.faults.push({ ...MAKING[way], fault: dropAnswerFault(), times: 1 })
    const job = await stage.newJob()
    const main = await mintIn(stage, job, way)
    expect(madeIn(stage.cloud)).toHaveLength(2)
    const post = await job.post()
    expectSuccess(post)
    expect(post.log).toContain(main.outputs['token-id'])
    expect(madeIn(stage.cloud)).toEqual([])
  })

  test('is not confused with what another run, or somebody else, has made', async (stage) => {
    const { world } = stage.cloud
    world.addApiKey({ iamId: `iam-${READER_ID}`, name: 'icr-login/octocat/hello-world/1/1/0123456789abcdef' })
    world.addRegistryToken({
      region: 'us-south',
      description: 'icr-login/octocat/other/1/1/0123456789abcdef'
    })
    const before = madeIn(stage.cloud).map(({ id }) => id)
    const job = await stage.newJob()
    await mintIn(stage, job, way)
    expectSuccess(await job.post())
    expect(madeIn(stage.cloud).map(({ id }) => id)).toEqual(before)
  })

  test('that is gone already is no trouble', async (stage) => {
    const job = await stage.newJob()
    await mintIn(stage, job, way)
    const { world } = stage.cloud
    world.apiKeys = world.apiKeys.filter(({ name }) => !name.startsWith('icr-login/'))
    world.registryTokens = []
    expectSuccess(await job.post())
  })

  const faults: [string, () => Fault][] = [
    ['a reset connection', resetFault],
    ['503', () => statusFault(503)],
    ['429', () => statusFault(429, { 'retry-after': '1' })],
    ['a lost answer', dropAnswerFault]
  ]
  for (const [name, fault] of faults)
    test(`is revoked through ${name} on the first two requests of each kind`, async (stage) => {
      const job = await stage.newJob()
      await mintIn(stage, job, way)
      for (const method of ['GET', 'DELETE'])
        stage.cloud.faults.push({ service, method, path, fault: fault(), times: 2 })
      stage.cloud.faults.push({ service: 'iam', path: '/identity/token', fault: fault(), times: 2 })
      const began = Date.now()
      expectSuccess(await job.post())
      expect(Date.now() - began).toBeLessThan(60_000)
      expect(madeIn(stage.cloud)).toEqual([])
    })

  test('whose list can’t be read is revoked by its ID all the same, and the doubt is said', async (stage) => {
    const job = await stage.newJob()
    await mintIn(stage, job, way)
    stage.cloud.faults.push({ service, method: 'GET', path, fault: statusFault(500) })
    const post = await job.post()
    expectSuccess(post, ['500'])
    expect(post.warnings[0]).toContain('icr-login/octocat/hello-world/')
    expect(madeIn(stage.cloud)).toEqual([])
  })

  test('that can’t be revoked is a warning with its ID and its end, within the time; the job stays green', async (stage) => {
    const job = await stage.newJob()
    const main = await mintIn(stage, job, way)
    stage.cloud.faults.push({ service, path, fault: hangFault() })
    const began = Date.now()
    const post = await job.post()
    expect(Date.now() - began).toBeLessThan(60_000)
    expectLeft(post, 'could not be revoked', main)
    expect(post.log).toContain(`${stage.host}: logged out.`)
    expect(job.snapshot()).toEqual({})
  })

  test('that the key may not revoke any more is a warning with its ID and its end', async (stage) => {
    const job = await stage.newJob()
    const main = await mintIn(stage, job, way)
    stage.cloud.world.platformRights = []
    expectLeft(await job.post(), 'could not be revoked', main)
    expect(job.snapshot()).toEqual({})
  })

  test('is revoked although the logout fails', async (stage) => {
    const job = await stage.newJob()
    await mintIn(stage, job, way)
    const config = join(job.home, '.docker', 'config.json')
    writeFileSync(config, '{ not JSON')
    const post = await job.post()
    expectSuccess(post, ['config.json'])
    expect(madeIn(stage.cloud)).toEqual([])
    expect(post.log).toContain('Revoked the minted')
  })

  test('is left, and the logout done, where IAM is gone', async (stage) => {
    const job = await stage.newJob()
    const main = await mintIn(stage, job, way)
    stage.cloud.faults.push({ service: 'iam', fault: resetFault() })
    expectLeft(await job.post(), 'could not be revoked', main)
    expect(job.snapshot()).toEqual({})
  })

  test('is not revoked with a secret that a step has put in the place of the job’s', async (stage) => {
    const job = await stage.newJob()
    const main = await mintIn(stage, job, way)
    stage.cloud.requests.splice(0)
    const post = await job.post({ inputs: stage.here(mintInputs(way, { 'api-key': USER_KEY })) })
    expectLeft(post, 'api-key is not what it was', main)
    expectNotSaid(post, USER_KEY, OPERATOR_KEY)
    expect(stage.cloud.requests).toEqual([])
    expect(madeIn(stage.cloud)).not.toEqual([])
    expect(job.snapshot()).toEqual({})
  })

  test('nor with none, or with one that can’t be a secret', async (stage) => {
    for (const changed of ['', 'a\nb', '{"apikey":""}']) {
      stage.cloud.world.apiKeys = stage.cloud.world.apiKeys.filter(
        ({ name }) => !name.startsWith('icr-login/')
      )
      const job = await stage.newJob()
      const main = await mintIn(stage, job, way)
      stage.cloud.requests.splice(0)
      expectLeft(
        await job.post({ inputs: stage.here(mintInputs(way, { 'api-key': changed })) }),
        'api-key',
        main
      )
      expect(stage.cloud.requests).toEqual([])
    }
  })

  test('is revoked where it was made, whatever the inputs say by now', async (stage) => {
    const job = await stage.newJob()
    await mintIn(stage, job, way)
    const { host: elsewhere } = await stage.cloud.addRegistry()
    const before = stage.cloud.requests.length
    const inputs = stage.here(
      mintInputs(way, { 'iam-url': `http://${elsewhere}`, registry: elsewhere, mint: 'none' })
    )
    expectSuccess(await job.post({ inputs }))
    expect(madeIn(stage.cloud)).toEqual([])
    const asked = stage.cloud.requests.slice(before).map((request) => request.host)
    expect(asked).not.toContain(elsewhere)
  })

  test('sends nothing on the word of a state that is not main’s', async (stage) => {
    const spoilt: [string, (text: string) => string][] = [
      [
        'another IAM',
        (text) => text.replace(/"iamUrl":"[^"]*"/u, '"iamUrl":"https://iam.cloud.ibm.com.evil.test"')
      ],
      ['another host', (text) => text.replaceAll(stage.host, 'evil.test')],
      ['another name', (text) => text.replace(/"name":"[^"]*"/u, '"name":"deploy"')],
      ['IDs that are paths', (text) => text.replace(/"id":"[^"]*"/u, '"id":"../serviceids/x"')],
      ['no state at all', () => 'null'],
      ['half of it', (text) => text.slice(0, text.length / 2)]
    ]
    for (const [, spoil] of spoilt) {
      const job = await stage.newJob()
      const main = await mintIn(stage, job, way)
      stage.cloud.requests.splice(0)
      const text = main.state['login'] ?? ''
      // Post is given what stands there by then.
      main.state['login'] = spoil(text)
      expect(main.state['login']).not.toBe(text)
      expectSuccess(await job.post(), [/changed since/u])
      expect(stage.cloud.requests).toEqual([])
    }
  })
})

test('A key is found by its name on the last of several pages', async (stage) => {
  const { world } = stage.cloud
  const others = (count: number, from: number): void => {
    for (let index = 0; index < count; index++) {
      world.addApiKey({
        iamId: `iam-${READER_ID}`,
        name: `deploy key of the pipeline number ${from + index}, which nobody has looked at for years`,
        description: 'Used by '.padEnd(400, 'everybody '),
        createdBy: `iam-${OPERATOR_ID}`
      })
    }
  }
  others(150, 0)
  stage.cloud.faults.push({ ...MAKING['api-key'], fault: dropAnswerFault(), times: 1 })
  const job = await stage.newJob()
  await mintIn(stage, job, 'api-key')
  others(60, 150)
  expect(keysOf(stage.cloud)).toHaveLength(2)
  expectSuccess(await job.post())
  expect(keysOf(stage.cloud)).toEqual([])
  expect(world.apiKeys.filter(({ name }) => name.startsWith('deploy key'))).toHaveLength(210)
})

test('A registry token is found among hundreds of others', async (stage) => {
  const { world } = stage.cloud
  for (let index = 0; index < 400; index++) {
    world.addRegistryToken({
      region: 'us-south',
      description: `token ${index} of the pipeline`,
      expiresAt: undefined
    })
  }
  stage.cloud.faults.push({ ...MAKING['registry-token'], fault: dropAnswerFault(), times: 1 })
  const job = await stage.newJob()
  await mintIn(stage, job, 'registry-token')
  expect(tokensOf(stage.cloud)).toHaveLength(2)
  expectSuccess(await job.post())
  expect(tokensOf(stage.cloud)).toEqual([])
  expect(world.registryTokens).toHaveLength(400)
})

test('Of two hosts, one that is down keeps nobody from revoking at the other', async (stage) => {
  const second = await stage.cloud.addRegistry({ region: 'eu-de', registryTokens: true })
  const job = await stage.newJob()
  await mintIn(stage, job, 'registry-token', { registry: `${stage.host} ${second.host}` })
  expect(tokensOf(stage.cloud)).toHaveLength(2)
  stage.cloud.faults.push({ service: 'registry', host: stage.host, fault: resetFault() })
  const post = await job.post()
  expectSuccess(post, ['could not be revoked'])
  expect(tokensOf(stage.cloud).map(({ region }) => region)).toEqual(['us-south'])
})

test('One key that is locked keeps no other from being revoked', async (stage) => {
  stage.cloud.faults.push({ ...MAKING['api-key'], fault: dropAnswerFault(), times: 1 })
  const job = await stage.newJob()
  await mintIn(stage, job, 'api-key')
  const [first, second] = keysOf(stage.cloud)
  if (first !== undefined) first.locked = true
  const post = await job.post()
  expectSuccess(post, ['could not be revoked'])
  expect(post.warnings[0]).toContain(first?.id)
  expect(keysOf(stage.cloud)).toEqual([first])
  expect(second).toBeDefined()
})

test('A keyless job revokes as the profile that it minted as', async (stage) => {
  stage.cloud.world.addOperator(PROFILE_ID, READER_ID)
  const env = { RUNNER_ENVIRONMENT: 'self-hosted', IBMCLOUD_CR_VPC_URL: stage.cloud.metadataUrl }
  const job = await stage.newJob({ env })
  const inputs = {
    'trusted-profile': PROFILE_ID,
    mint: 'api-key',
    'service-id': READER_ID,
    repositories: REPOSITORY
  }
  expectSuccess(await job.main(stage.here(inputs)))
  expect(keysOf(stage.cloud)).toHaveLength(1)
  expectSuccess(
    await job.post({ inputs: stage.here({ ...inputs, 'trusted-profile': 'Profile-of-another' }) })
  )
  expect(keysOf(stage.cloud)).toEqual([])
})

test('A revoked key logs nobody in any more', async (stage) => {
  const job = await stage.newJob()
  const main = await mintIn(stage, job, 'api-key')
  const { username = '', password = '' } = main.outputs
  expect(await grantsOf(stage.host, username, password)).toEqual(['pull'])
  expectSuccess(await job.post())
  expect(await grantsOf(stage.host, username, password)).toBe(401)
})

test('A refused request is looked after once: whoever refused it may not have been IAM', async (stage) => {
  stage.cloud.world.platformRights = []
  const job = await stage.newJob()
  expect((await job.main(stage.here(mintInputs('api-key')))).exitCode).toBe(1)
  const before = stage.cloud.requests.length
  expectSuccess(await job.post())
  // A token and the list, which is refused too: main has said why.
  expect(stage.cloud.requests).toHaveLength(before + 2)
})

for (const way of ['repository-token', 'iam-token'])
  test(`mint: ${way} has nothing to revoke, and post asks nobody`, async (stage) => {
    const job = await stage.newJob()
    await mintIn(stage, job, way)
    const before = stage.cloud.requests.length
    expectSuccess(await job.post())
    expect(stage.cloud.requests).toHaveLength(before)
    expect(deletions(stage)).toEqual([])
    expect(requestsWith(stage.cloud.requests.slice(before), WAYS[way]?.secret ?? READER_KEY)).toEqual([])
  })
