// The stand-in itself, with no action about: the real clients log in to it, push and pull, each by its own rules.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROFILE_ID, READER_KEY, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { mustSucceed } from './clients.ts'
import { useServices } from './services.ts'
import {
  clientNames,
  clientOf,
  expectNoPush,
  expectPull,
  expectRefusal,
  keyOf,
  publish,
  testClients
} from './client-checks.ts'

const services = useServices({ registryTokens: true })
let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'icr-login-home-'))
})

afterEach(() => {
  rmSync(home, { recursive: true, force: true })
})

describe('with a login that docker made', () => {
  testClients(services, async ({ cloud, clients }, role) => {
    const place = { home: mkdtempSync(join(clients.folder, 'home-')) }
    const result = await clientOf(services(), 'docker').login(
      place,
      cloud.registryHost,
      'iamapikey',
      keyOf[role]
    )
    mustSucceed(result)
    expect(existsSync(join(place.home, '.docker/config.json'))).toBe(true)
    return { place, end: () => Promise.resolve() }
  })
})

/** Each username with a secret that goes with it. */
const usernames: [string, () => string][] = [
  ['iamapikey', () => WRITER_KEY],
  ['iambearer', () => services().cloud.accessToken(WRITER_ID)],
  ['iamrefresh', () => services().cloud.refreshToken(WRITER_ID)],
  [PROFILE_ID, () => WRITER_KEY],
  ['token', () => services().cloud.world.addRegistryToken({ region: 'us-south' }).value]
]

// crane and cosign only write down what they are given; helm goes by the password store that nobody has set up here.
describe.each([...clientNames, 'oras'])('%s by itself', (name) => {
  test.each(usernames)('logs in as %s and pulls', async (username, secret) => {
    const client = clientOf(services(), name)
    const { image, text } = await publish(services(), client)
    // Some keep a login of their own beside docker's: it goes with its home.
    const place = { home }
    const result = await client.login(place, services().cloud.registryHost, username, secret())
    mustSucceed(result)
    await expectPull(client, place, image, text)
  })

  test('is refused with a wrong secret', async () => {
    const client = clientOf(services(), name)
    const wrong = READER_KEY.replace('R', 'Q')
    const { exitCode, stderr } = await client.login(
      { home },
      services().cloud.registryHost,
      'iamapikey',
      wrong
    )
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(/invalid username\/password|credentials are not valid/u)
  })

  test('without a login neither pulls nor pushes', async () => {
    const client = clientOf(services(), name)
    const { image } = await publish(services(), client)
    expectRefusal(await client.pull({ home }, image))
    await expectNoPush(services(), client, { home })
  })
})

test('with an identity token in place of the secret, all clients pull', async () => {
  const { image, text } = await publish(services())
  services().registry.identityTokens = true
  try {
    const docker = clientOf(services(), 'docker')
    const result = await docker.login({ home }, services().registry.host, 'iamapikey', WRITER_KEY)
    mustSucceed(result)
    for (const name of clientNames) await expectPull(clientOf(services(), name), { home }, image, text)
  } finally {
    services().registry.identityTokens = false
  }
})
