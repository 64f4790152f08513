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
import type { Services } from './services.ts'

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

/** Logs in to the services's first registry, with the rights of that role. */
export type LogIn = (services: Services, role: Role) => Promise<Login>

export function clientOf(services: Services, name: string): Client {
  const client = services.clients.all.find((candidate) => candidate.name === name)
  if (client === undefined) throw new Error(`no client ${name}`)
  return client
}

export interface Made {
  image: string
  text: string
}

/** The tag is one that helm can take for a version. */
function newName({ cloud }: Services): Made {
  const text = randomBytes(16).toString('hex')
  return { image: `${cloud.registryHost}/${REPOSITORY}:0.0.0-t${text.slice(0, 8)}`, text }
}

/** An image that no test has seen, made by a client; nothing of it is in the registry or with another client. */
export async function makeImage(services: Services, client: Client): Promise<Made> {
  const made = newName(services)
  const base = client.derives === true ? await publish(services) : undefined
  await client.make(made.image, made.text, base?.image)
  return made
}

/** Puts what the client can pull, an image by default, in the registry by a login that the test is not about. */
export async function publish(services: Services, client = clientOf(services, 'skopeo')): Promise<Made> {
  const home = mkdtempSync(join(tmpdir(), 'icr-login-home-'))
  const publisher = client.image ? clientOf(services, 'skopeo') : client
  try {
    const made = await makeImage(services, publisher)
    const docker = clientOf(services, 'docker')
    mustSucceed(await docker.login({ home }, services.cloud.registryHost, 'iamapikey', WRITER_KEY))
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
export async function expectNoPush(services: Services, client: Client, place: Place): Promise<void> {
  const { image } = await makeImage(services, client)
  expectRefusal(await client.push(place, image))
}

export function expectRefusal({ exitCode, stderr }: ChildResult, words = refusal): void {
  expect(exitCode).not.toBe(0)
  expect(stderr).toMatch(words)
}

export function testClients(
  services: () => Services,
  logIn: LogIn,
  names: readonly string[] = clientNames
): void {
  const logins: Login[] = []
  const start = async (role: Role): Promise<Place> => {
    const login = await logIn(services(), role)
    logins.push(login)
    return login.place
  }

  afterEach(async () => {
    for (const login of logins.splice(0)) await login.end()
  })

  describe.each(names)('%s', (name) => {
    test('pushes, and every client pulls, with one login', async () => {
      const place = await start('Writer')
      const client = clientOf(services(), name)
      const { image, text } = await makeImage(services(), client)
      mustSucceed(await client.push(place, image))
      for (const other of names) await expectPull(clientOf(services(), other), place, image, text)
    })

    test('as a Reader pulls and may not push', async () => {
      const { image, text } = await publish(services())
      const place = await start('Reader')
      const client = clientOf(services(), name)
      await expectPull(client, place, image, text)
      await expectNoPush(services(), client, place)
    })
  })
}
