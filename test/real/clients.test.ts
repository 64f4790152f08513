// The stand-in itself, with no action about: the real clients log in to it, push and pull, each by its own rules.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROFILE_ID, READER_KEY, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { mustSucceed } from './clients.ts'
import { useGround } from './ground.ts'
import {
  clientNames,
  clientOf,
  expectNoPush,
  expectPull,
  expectRefusal,
  keyOf,
  publish,
  testClients
} from './table.ts'

const ground = useGround({ registryTokens: true })
let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'icr-login-home-'))
})

afterEach(() => {
  rmSync(home, { recursive: true, force: true })
})

describe('with a login that docker made', () => {
  testClients(ground, async ({ cloud, clients }, role) => {
    const place = { home: mkdtempSync(join(clients.folder, 'home-')) }
    const result = await clientOf(ground(), 'docker').login(
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
  ['iambearer', () => ground().cloud.accessToken(WRITER_ID)],
  ['iamrefresh', () => ground().cloud.refreshToken(WRITER_ID)],
  [PROFILE_ID, () => WRITER_KEY],
  ['token', () => ground().cloud.world.addRegistryToken({ region: 'us-south' }).value]
]

// crane and cosign only write down what they are given; helm goes by the password store that nobody has set up here.
describe.each([...clientNames, 'oras'])('%s by itself', (name) => {
  test.each(usernames)('logs in as %s and pulls', async (username, secret) => {
    const client = clientOf(ground(), name)
    const { image, text } = await publish(ground(), client)
    // Some keep a login of their own beside docker's: it goes with its home.
    const place = { home }
    const result = await client.login(place, ground().cloud.registryHost, username, secret())
    mustSucceed(result)
    await expectPull(client, place, image, text)
  })

  test('is refused with a wrong secret', async () => {
    const client = clientOf(ground(), name)
    const wrong = READER_KEY.replace('R', 'Q')
    const { exitCode, stderr } = await client.login({ home }, ground().cloud.registryHost, 'iamapikey', wrong)
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(/invalid username\/password|credentials are not valid/u)
  })

  test('without a login neither pulls nor pushes', async () => {
    const client = clientOf(ground(), name)
    const { image } = await publish(ground(), client)
    expectRefusal(await client.pull({ home }, image))
    await expectNoPush(ground(), client, { home })
  })
})

test('with an identity token in place of the secret, all clients pull', async () => {
  const { image, text } = await publish(ground())
  ground().registry.identityTokens = true
  try {
    const docker = clientOf(ground(), 'docker')
    const result = await docker.login({ home }, ground().registry.host, 'iamapikey', WRITER_KEY)
    mustSucceed(result)
    for (const name of clientNames) await expectPull(clientOf(ground(), name), { home }, image, text)
  } finally {
    ground().registry.identityTokens = false
  }
})
