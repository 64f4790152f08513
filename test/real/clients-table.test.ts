// The README's table of clients: each cell is what the real client does with the login that the action made.
import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SECRET_KINDS, type SecretKind } from '../../src/credential/credential.ts'
import { METHODS, type MethodName } from '../../src/mint/methods.ts'
import { READER_ID, WRITER_ID } from '../cloud/default-world.ts'
import { runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import type { Inputs } from '../support/runner.ts'
import { tableWithHead } from '../support/table-in-markdown.ts'
import { mustSucceed, type Client, type Place } from './clients.ts'
import { useServices } from './services.ts'
import { useJobs } from './jobs.ts'
import {
  expectPull,
  expectRefusal,
  keyOf,
  makeImage,
  mintInputs,
  publish,
  type Role
} from './client-checks.ts'

const services = useServices({ registryTokens: true })
const { loginOf } = useJobs(services)

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const [[, ...columns] = [], ...rows] = tableWithHead(readme, 'Clients')

const idOf: Record<Role, string> = { Reader: READER_ID, Writer: WRITER_ID }

const secrets: Record<SecretKind, (role: Role) => string> = {
  'api-key': (role) => keyOf[role],
  'access-token': (role) => services().cloud.accessToken(idOf[role]),
  'refresh-token': (role) => services().cloud.refreshToken(idOf[role]),
  'registry-token': (role) =>
    services().cloud.world.addRegistryToken({ region: 'us-south', readOnly: role === 'Reader' }).value
}

const isKind = (column: string): column is SecretKind => column in secrets

/** A column is an input that holds a secret, or a way to mint. */
function inputsOf(column: string, role: Role): Inputs {
  if (isKind(column)) return { [column]: secrets[column](role) }
  return mintInputs(column.replace('mint: ', '') as MethodName, role)
}

/** What the README may say of a client, and what is so then. */
const words = {
  yes: async (client: Client, reader: Place, writer: Place) => {
    const { image, text } = await publish(services(), client)
    await expectPull(client, reader, image, text)
    const made = await makeImage(services(), client)
    expectRefusal(await client.push(reader, made.image))
    mustSucceed(await client.push(writer, made.image))
  },
  'no (refused by the client)': async (client: Client, reader: Place, writer: Place) => {
    const { image } = await publish(services(), client)
    for (const place of [reader, writer]) expectRefusal(await client.pull(place, image))
  }
}

/** What the README says of each client in a column, and below the table of docker 20.10. */
async function readColumn(column: string): Promise<Record<string, string>> {
  const at = columns.indexOf(column) + 1
  const said = Object.fromEntries(rows.map((row) => [row[0] ?? '', row[at] ?? '']))
  const version = await runWell(needProgram('docker'), ['--version'])
  if (column !== 'mint: repository-token' || !version.includes(' 20.10.')) return said
  return { ...said, 'docker build with BuildKit': 'no (refused by the client)' }
}

/** The word that is true of a client, or else what went wrong. */
async function findWord(client: Client, reader: Place, writer: Place): Promise<string> {
  const said: string[] = []
  for (const [word, isSo] of Object.entries(words)) {
    try {
      await isSo(client, reader, writer)
      return word
    } catch (error) {
      said.push(`not "${word}": ${String(error)}`)
    }
  }
  return said.join('\n')
}

describe("The README's table of clients", () => {
  test('has a column for each secret and for each way to mint', () => {
    expect(columns).toEqual([...SECRET_KINDS, ...Object.keys(METHODS).map((way) => `mint: ${way}`)])
  })

  test('has a row for each client', () => {
    expect(rows.map(([name]) => name)).toEqual(services().clients.all.map(({ name }) => name))
  })

  test.each(columns)(
    'with %s, is what each client does: it pulls, and pushes if the credential may; or it refuses',
    async (column) => {
      const reader = await loginOf({ docker: 'real' }, inputsOf(column, 'Reader'))
      const writer = await loginOf({ docker: 'real' }, inputsOf(column, 'Writer'))
      const found: Record<string, string> = {}
      for (const client of services().clients.all)
        found[client.name] = await findWord(client, reader.place, writer.place)
      expect(found).toEqual(await readColumn(column))
      await reader.end()
      await writer.end()
    },
    600_000
  )
})
