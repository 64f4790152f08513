// Each way to mint, by the action as it is committed in dist: the clients that it is for can pull with what was minted
// and may not push unless that was asked for; revoked or ended, it serves none of them.
import { describe, test } from '@jest/globals'
import { cpSync } from 'node:fs'
import type { MethodName } from '../../src/mint/methods.ts'
import { PROFILE_ID } from '../cloud/default-world.ts'
import { mustSucceed, type Place } from './clients.ts'
import { useServices } from './services.ts'
import { useJobs } from './jobs.ts'
import {
  clientNames,
  clientOf,
  expectNoPush,
  expectPull,
  expectRefusal,
  mintInputs,
  publish,
  testClients
} from './client-checks.ts'

const services = useServices({ registryTokens: true })
const { newHome, later, loginOf } = useJobs(services)

/** Each way, and who can use what is minted. */
const ways = {
  'repository-token': ['docker'],
  'iam-token': clientNames,
  'api-key': clientNames,
  'registry-token': clientNames
} satisfies Record<MethodName, readonly string[]>

/** The login as it is now, for clients that go on with it when the job has ended. */
function copyLogin(place: Place): Place {
  const home = newHome()
  cpSync(place.home, home, { recursive: true })
  return { home }
}

/** For IAM and the registry's token service; what they gave before ends as they say that it does. */
function letTimePass(seconds: number): void {
  const { world } = services().cloud
  world.ahead += seconds
  later(() => {
    world.ahead -= seconds
  })
}

describe.each(['real', 'none'])('docker on the PATH: %s', (docker) => {
  describe.each(Object.keys(ways) as MethodName[])('mint: %s', (mint) => {
    testClients(services, (_, role) => loginOf({ docker }, mintInputs(mint, role)), ways[mint])
  })

  test("mint: iam-token of a Reader's profile, by a Writer's key: every client pulls and may not push", async () => {
    const { image, text } = await publish(services())
    const inputs = {
      ...mintInputs('iam-token', 'Writer'),
      'read-only': 'true',
      'trusted-profile': PROFILE_ID
    }
    const { place, end } = await loginOf({ docker }, inputs)
    for (const name of clientNames) {
      await expectPull(clientOf(services(), name), place, image, text)
      await expectNoPush(services(), clientOf(services(), name), place)
    }
    await end()
  })

  test.each(['api-key', 'registry-token'] as const)(
    'mint: %s: no client pulls any more when it was revoked',
    async (mint) => {
      const { image, text } = await publish(services())
      const { place, end } = await loginOf({ docker }, mintInputs(mint, 'Reader'))
      const copy = copyLogin(place)
      for (const name of clientNames) await expectPull(clientOf(services(), name), copy, image, text)
      await end()
      for (const name of clientNames) expectRefusal(await clientOf(services(), name).pull(copy, image))
    }
  )

  test('mint: iam-token: no client pulls any more when it has ended', async () => {
    const { image, text } = await publish(services())
    const { place, end } = await loginOf({ docker }, mintInputs('iam-token', 'Reader'))
    for (const name of clientNames) await expectPull(clientOf(services(), name), place, image, text)
    letTimePass(3601)
    for (const name of clientNames) expectRefusal(await clientOf(services(), name).pull(place, image))
    await end()
  })

  // docs/references.md, "Clients": they look for a user name and find none.
  test('mint: repository-token: podman, buildah and skopeo do not read it', async () => {
    const { image, text } = await publish(services())
    const { place, end } = await loginOf({ docker }, mintInputs('repository-token', 'Reader'))
    await expectPull(clientOf(services(), 'docker'), place, image, text)
    for (const name of ['podman', 'buildah', 'skopeo']) {
      expectRefusal(await clientOf(services(), name).pull(place, image))
    }
    await end()
  })

  test('mint: repository-token: docker pulls and inspects with it until it ends, and not after that', async () => {
    const { image, text } = await publish(services())
    services().registry.tokenSeconds = 60
    later(() => {
      services().registry.tokenSeconds = 3600
    })
    const { place, end } = await loginOf({ docker }, mintInputs('repository-token', 'Reader'))
    const client = clientOf(services(), 'docker')
    const inspect = ['manifest', 'inspect', '--insecure', image]
    await expectPull(client, place, image, text)
    mustSucceed(await client.run(place, inspect))
    letTimePass(61)
    expectRefusal(await client.pull(place, image))
    // The words that docker has for every error of `manifest inspect`.
    expectRefusal(await client.run(place, inspect), /no such manifest/u)
    await end()
  })
})
