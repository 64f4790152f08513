// What every client must be able to do with one login, whoever made it.
import { afterEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { READER_KEY, REPOSITORY, WRITER_KEY } from '../cloud/default-world.ts'
import type { ChildResult } from '../support/child.ts'
import { mustSucceed, type Client, type Place } from './clients.ts'
import type { Ground } from './ground.ts'

export const clientNames = ['docker', 'podman', 'buildah', 'skopeo'] as const

export interface Login {
  /** Where the clients find it. */
  place: Place
  end: () => Promise<void>
}

export type Role = 'Reader' | 'Writer'

/** The API key of an identity with that role and no other. */
export const keyOf: Record<Role, string> = { Reader: READER_KEY, Writer: WRITER_KEY }

/** Logs in to the ground's first registry, with the rights of that role. */
export type LogIn = (ground: Ground, role: Role) => Promise<Login>

export function clientOf(ground: Ground, name: string): Client {
  const client = ground.clients.all.find((candidate) => candidate.name === name)
  if (client === undefined) throw new Error(`no client ${name}`)
  return client
}

/** An image that no test has seen, made by a client; nothing of it is in the registry or with another client. */
export async function makeImage(ground: Ground, client: Client): Promise<{ image: string; text: string }> {
  const text = randomBytes(16).toString('hex')
  const image = `${ground.cloud.registryHost}/${REPOSITORY}:${text.slice(0, 8)}`
  await client.make(image, text)
  return { image, text }
}

/** Puts an image in the registry by a login that the test is not about. */
export async function publish(ground: Ground): Promise<{ image: string; text: string }> {
  const [home, skopeo] = [mkdtempSync(join(tmpdir(), 'icr-login-home-')), clientOf(ground, 'skopeo')]
  try {
    const made = await makeImage(ground, skopeo)
    mustSucceed(await skopeo.login({ home }, ground.cloud.registryHost, 'iamapikey', WRITER_KEY))
    mustSucceed(await skopeo.push({ home }, made.image))
    return made
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

export async function expectPull(client: Client, place: Place, image: string, text: string): Promise<void> {
  mustSucceed(await client.pull(place, image))
  expect((await client.read(image)).includes(text)).toBe(true)
}

/** The words differ with the client and with how far it came, the registry's own are among them. */
export const refusal =
  /insufficient scope|authorization required|access to the resource is denied|unauthorized/iu

/** Makes an image and pushes it, which must be refused. */
export async function expectNoPush(ground: Ground, client: Client, place: Place): Promise<void> {
  const { image } = await makeImage(ground, client)
  expectRefusal(await client.push(place, image))
}

export function expectRefusal({ exitCode, stderr }: ChildResult, words = refusal): void {
  expect(exitCode).not.toBe(0)
  expect(stderr).toMatch(words)
}

export function testClients(
  ground: () => Ground,
  logIn: LogIn,
  names: readonly string[] = clientNames
): void {
  const logins: Login[] = []
  const start = async (role: Role): Promise<Place> => {
    const login = await logIn(ground(), role)
    logins.push(login)
    return login.place
  }

  afterEach(async () => {
    for (const login of logins.splice(0)) await login.end()
  })

  describe.each(names)('%s', (name) => {
    test('pushes, and every client pulls, with one login', async () => {
      const place = await start('Writer')
      const client = clientOf(ground(), name)
      const { image, text } = await makeImage(ground(), client)
      mustSucceed(await client.push(place, image))
      for (const other of names) await expectPull(clientOf(ground(), other), place, image, text)
    })

    test('as a Reader pulls and may not push', async () => {
      const { image, text } = await publish(ground())
      const place = await start('Reader')
      const client = clientOf(ground(), name)
      await expectPull(client, place, image, text)
      await expectNoPush(ground(), client, place)
    })
  })
}
