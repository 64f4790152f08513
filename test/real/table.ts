// What every client must be able to do with one login, whoever made it.
import { afterEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MethodName } from '../../src/mint/methods.ts'
import {
  OPERATOR_KEY,
  READER_ID,
  READER_KEY,
  REPOSITORY,
  WRITER_ID,
  WRITER_KEY
} from '../cloud/default-world.ts'
import type { ChildResult } from '../support/child.ts'
import type { Inputs } from '../support/runner.ts'
import { mustSucceed, type Client, type Place } from './clients.ts'
import type { Ground } from './ground.ts'

/** Those that differ in how they read a login, each of which can pull what another one has pushed. */
export const clientNames = ['docker', 'podman', 'buildah', 'skopeo'] as const

export interface Login {
  /** Where the clients find it. */
  place: Place
  end: () => Promise<void>
}

export type Role = 'Reader' | 'Writer'

/** The API key of an identity with that role and no other. */
export const keyOf: Record<Role, string> = { Reader: READER_KEY, Writer: WRITER_KEY }

/** What leads to a minted credential with the rights of that role. */
const mintedBy: Record<MethodName, (role: Role) => Inputs> = {
  // The registry takes push out of it, whatever its owner may do.
  'repository-token': () => ({ 'api-key': WRITER_KEY }),
  'iam-token': (role) => ({ 'api-key': keyOf[role] }),
  'api-key': (role) => ({
    'api-key': OPERATOR_KEY,
    'service-id': role === 'Reader' ? READER_ID : WRITER_ID
  }),
  'registry-token': () => ({ 'api-key': OPERATOR_KEY })
}

export function mintInputs(mint: MethodName, role: Role): Inputs {
  return {
    mint,
    repositories: REPOSITORY,
    'read-only': String(role === 'Reader'),
    ...mintedBy[mint](role)
  }
}

/** Logs in to the ground's first registry, with the rights of that role. */
export type LogIn = (ground: Ground, role: Role) => Promise<Login>

export function clientOf(ground: Ground, name: string): Client {
  const client = ground.clients.all.find((candidate) => candidate.name === name)
  if (client === undefined) throw new Error(`no client ${name}`)
  return client
}

export interface Made {
  image: string
  text: string
}

/** The tag is one that helm can take for a version. */
function newName({ cloud }: Ground): Made {
  const text = randomBytes(16).toString('hex')
  return { image: `${cloud.registryHost}/${REPOSITORY}:0.0.0-t${text.slice(0, 8)}`, text }
}

/** An image that no test has seen, made by a client; nothing of it is in the registry or with another client. */
export async function makeImage(ground: Ground, client: Client): Promise<Made> {
  const made = newName(ground)
  const base = client.derives === true ? await publish(ground) : undefined
  await client.make(made.image, made.text, base?.image)
  return made
}

/** Puts what the client can pull, an image by default, in the registry by a login that the test is not about. */
export async function publish(ground: Ground, client = clientOf(ground, 'skopeo')): Promise<Made> {
  const home = mkdtempSync(join(tmpdir(), 'icr-login-home-'))
  const publisher = client.image ? clientOf(ground, 'skopeo') : client
  try {
    const made = await makeImage(ground, publisher)
    const docker = clientOf(ground, 'docker')
    mustSucceed(await docker.login({ home }, ground.cloud.registryHost, 'iamapikey', WRITER_KEY))
    mustSucceed(await publisher.push({ home }, made.image))
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
