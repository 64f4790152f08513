// The action itself, as it is committed in dist, on real programs: one login, and all clients work with it.
import { describe, expect, test } from '@jest/globals'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROFILE_ID, READER_KEY, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { snapshot, type Inputs, type Job } from '../support/runner.ts'
import { useServices } from './services.ts'
import { end, useJobs } from './jobs.ts'
import { makePasswordStore, type PasswordStore } from './password-store.ts'
import {
  clientNames,
  clientOf,
  expectPull,
  keyOf,
  makeImage,
  publish,
  refusal,
  testClients
} from './client-checks.ts'

// The registry must still speak the tokens that IBM ended.
const services = useServices({ registryTokens: true })
const { newJob, newHome, later, here, logIn, loginOf } = useJobs(services)

describe.each(['real', 'none'])('one login, docker on the PATH: %s', (docker) => {
  testClients(services, (_, role) => loginOf({ docker }, { 'api-key': keyOf[role] }))
})

/** Each kind of secret with the username that it must lead to. */
const secrets: [string, string, () => Inputs][] = [
  ['an API key', 'iamapikey', () => ({ 'api-key': WRITER_KEY })],
  ['an access token', 'iambearer', () => ({ 'access-token': services().cloud.accessToken(WRITER_ID) })],
  ['a refresh token', 'iamrefresh', () => ({ 'refresh-token': services().cloud.refreshToken(WRITER_ID) })],
  [
    "a service ID's key as a trusted profile",
    PROFILE_ID,
    () => ({ 'api-key': WRITER_KEY, 'trusted-profile': PROFILE_ID })
  ],
  [
    'a registry token',
    'token',
    () => ({ 'registry-token': services().cloud.world.addRegistryToken({ region: 'us-south' }).value })
  ],
  ['no secret, inside IBM Cloud', 'iambearer', () => ({ 'trusted-profile': PROFILE_ID })]
]

describe.each(['real', 'none'])('docker on the PATH: %s', (docker) => {
  test.each(secrets)('with %s, as %s, every client pulls', async (_, username, inputs) => {
    const { image, text } = await publish(services())
    const env = { RUNNER_ENVIRONMENT: 'self-hosted', IBMCLOUD_CR_VPC_URL: services().cloud.metadataUrl }
    const job = await newJob({ docker, env })
    const before = job.snapshot()
    const { outputs } = await logIn(job, inputs())
    expect(outputs).toMatchObject({ registry: services().cloud.registryHost, username })
    for (const name of clientNames) {
      await expectPull(clientOf(services(), name), { home: job.home }, image, text)
    }
    await end(job)
    expect(job.snapshot()).toEqual(before)
  })

  test('a registry that gives identity tokens: every client pulls', async () => {
    services().registry.identityTokens = true
    later(() => {
      services().registry.identityTokens = false
    })
    const { image, text } = await publish(services())
    const job = await newJob({ docker })
    await logIn(job, { 'api-key': READER_KEY })
    for (const name of clientNames) {
      await expectPull(clientOf(services(), name), { home: job.home }, image, text)
    }
    await end(job)
  })

  test('two regions with one login', async () => {
    const other = await services().addRegistry({ region: 'eu-de' })
    const job = await newJob({ docker })
    const { outputs } = await logIn(job, {
      'api-key': WRITER_KEY,
      registry: `${services().cloud.registryHost}, ${other.host}`
    })
    expect(JSON.parse(outputs['registries'] ?? '')).toEqual([services().cloud.registryHost, other.host])
    const podman = clientOf(services(), 'podman')
    const { image } = await makeImage(services(), podman)
    const there = image.replace(services().cloud.registryHost, other.host)
    await podman.make(there, 'text')
    for (const name of [image, there]) {
      expect(await podman.push({ home: job.home }, name)).toMatchObject({ exitCode: 0 })
    }
    await end(job)
  })
})

/** What goes wrong, and what the step must say of it. */
const failures: [string, () => Inputs, RegExp][] = [
  ['a wrong secret', () => ({ 'api-key': WRITER_KEY.replace('W', 'V') }), /not valid/u],
  ['a wrong region', () => ({ 'api-key': keyOfAnotherRegion() }), /region/u],
  ['a disabled key', () => ({ 'api-key': disabledKey() }), /disabled/u]
]

function keyOfAnotherRegion(): string {
  const { world } = services().cloud
  const { iamId } = world.addServiceId({ name: 'elsewhere' })
  world.addPolicy({ iamId, role: 'Reader', region: 'eu-gb' })
  return world.addApiKey({ iamId }).value
}

function disabledKey(): string {
  const { world } = services().cloud
  return world.addApiKey({ iamId: `iam-${WRITER_ID}`, disabled: true }).value
}

describe.each(['real', 'none'])('docker on the PATH: %s', (docker) => {
  test.each(failures)('%s ends the step with a message of its own', async (_, inputs, message) => {
    const job = await newJob({ docker })
    const before = job.snapshot()
    const { exitCode, errors } = await job.main({ ...here(), ...inputs() })
    expect(exitCode).toBe(1)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatch(message)
    await end(job)
    expect(job.snapshot()).toEqual(before)
  })

  test('each of them says something else', async () => {
    const said: (string | undefined)[] = []
    for (const [, inputs] of failures) {
      const job = await newJob({ docker })
      const { errors } = await job.main({ ...here(), ...inputs() })
      said.push(errors[0])
    }
    expect(new Set(said).size).toBe(failures.length)
  })
})

/**
 * config.json that sends logins to `pass`, for every host or for this one, and who finds them there: podman 4.3,
 * buildah 1.28 and skopeo 1.9 know helpers per host only.
 */
const helperConfigs: [string, () => object, readonly string[]][] = [
  ['for every host', () => ({ credsStore: 'pass', auths: {} }), ['docker']],
  [
    'for this host',
    () => ({ credHelpers: { [services().cloud.registryHost]: 'pass' }, auths: { 'docker.io': {} } }),
    clientNames
  ]
]

async function jobWithPass(docker: string, config: object): Promise<{ job: Job; store: PasswordStore }> {
  const home = newHome()
  const store = await makePasswordStore(home)
  later(() => store.close())
  mkdirSync(join(home, '.docker'), { mode: 0o700 })
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify(config, null, 2), { mode: 0o600 })
  return { job: await newJob({ docker, home, path: store.path }), store }
}

describe.each(['real', 'none'])('docker on the PATH: %s', (docker) => {
  test.each(helperConfigs)('pass as the credential helper %s', async (_, config, readers) => {
    const { job, store } = await jobWithPass(docker, config())
    const host = services().cloud.registryHost
    const file = join(job.home, '.docker/config.json')
    const before = readFileSync(file, 'utf8')
    await logIn(job, { 'api-key': WRITER_KEY })
    expect(readFileSync(file, 'utf8')).not.toContain(
      Buffer.from(`iamapikey:${WRITER_KEY}`).toString('base64')
    )
    expect(JSON.parse((await store.call('get', host)).stdout)).toMatchObject({ Secret: WRITER_KEY })
    const { image, text } = await publish(services())
    for (const name of readers) {
      await expectPull(clientOf(services(), name), { home: job.home }, image, text)
    }
    await end(job)
    expect((await store.call('list')).stdout.trim()).toBe('{}')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('a helper that holds another login for the host keeps it, and the step names the cure', async () => {
    const { job, store } = await jobWithPass(docker, { credsStore: 'pass' })
    const host = services().cloud.registryHost
    await store.call(
      'store',
      JSON.stringify({ ServerURL: host, Username: 'iamapikey', Secret: 'of the user' })
    )
    const { exitCode, errors } = await job.main({ ...here(), 'api-key': WRITER_KEY })
    expect([exitCode, errors.length]).toEqual([1, 1])
    expect(errors[0]).toMatch(/isolate: true/u)
    await end(job)
    expect(JSON.parse((await store.call('get', host)).stdout)).toMatchObject({ Secret: 'of the user' })
  })
})

describe('two jobs that share a home', () => {
  test.each([
    ['the first', [0, 1]],
    ['the second', [1, 0]]
  ])(
    '%s ends first: the other goes on, and the last brings back what was there',
    async (_, [early = 0, late = 1]) => {
      const home = newHome()
      const entry = { auth: Buffer.from('iamapikey:of the user').toString('base64') }
      mkdirSync(join(home, '.docker'), { mode: 0o700 })
      const config = {
        auths: { [services().cloud.registryHost]: entry, 'ghcr.io': {} },
        HttpHeaders: { a: 'b' }
      }
      writeFileSync(join(home, '.docker/config.json'), JSON.stringify(config), { mode: 0o600 })
      const before = snapshot(home)
      const keys = [READER_KEY, WRITER_KEY]
      const both = [await newJob({ home }), await newJob({ home })]
      for (const [i, job] of both.entries()) await logIn(job, { 'api-key': keys[i] ?? '' })
      const { image, text } = await publish(services())
      if (both[early]) await end(both[early])
      for (const name of clientNames) await expectPull(clientOf(services(), name), { home }, image, text)
      const podman = clientOf(services(), 'podman')
      const pushed = await podman.push({ home }, (await makeImage(services(), podman)).image)
      // What is left is the other's login, with the other's rights.
      if (late === 0) expect(pushed.stderr).toMatch(refusal)
      else expect(pushed).toMatchObject({ exitCode: 0 })
      if (both[late]) await end(both[late])
      expect(snapshot(home)).toEqual(before)
    }
  )

  test('eight at a time lose no login', async () => {
    const home = newHome()
    const all = await Promise.all(Array.from({ length: 8 }, () => newJob({ home })))
    const registries = await Promise.all(all.map(() => services().cloud.addRegistry()))
    const hosts = registries.map(({ host }) => host)
    await Promise.all(all.map((job, i) => logIn(job, { 'api-key': WRITER_KEY, registry: hosts[i] ?? '' })))
    expect(Object.keys(all[0]?.dockerConfig()?.auths ?? {}).sort()).toEqual([...hosts].sort())
    await Promise.all(all.map(end))
    expect(snapshot(home)).toEqual({})
  })
})
