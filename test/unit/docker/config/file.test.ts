// Thousands of configs, as docker and as people write them: a login goes in and out, and all else stays.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hold, release, type HeldLogin } from '../../../../src/docker/config/user-config.ts'
import { runWell } from '../../../support/child.ts'
import { needProgram } from '../../../support/programs.ts'
import { testWith } from '../../../support/test-with.ts'
import { makeContext } from '../../support/context.ts'
import { listing, makeFolder } from '../../support/home.ts'
import { character } from '../../support/text.ts'

const COUNT = 1000
const HOSTS = ['us.icr.io', 'de.icr.io', 'icr.io']

/** Go's encoding/json writes these so, and docker with it. */
const formatGo = (value: unknown): string =>
  JSON.stringify(value, undefined, '\t').replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )

// What JSON, Go or docker may write in another way.
const SPECIAL = [
  '<',
  '>',
  '&',
  '\u2028',
  '\u2029',
  '"',
  '\\',
  '/',
  '\b',
  '\f',
  '\n',
  '\r',
  '\t',
  '\u007f',
  'é'
]

testWith('docker')('docker writes its config.json as these tests take it to', async () => {
  const directory = makeFolder()
  const file = join(directory, 'config.json')
  const config = {
    auths: { 'us.icr.io': { auth: 'dTpw', email: SPECIAL.join('') } },
    HttpHeaders: { x: '🐳' }
  }
  writeFileSync(file, JSON.stringify(config))
  const env = { DOCKER_CONFIG: directory, HOME: directory }
  const create = ['create', 'other', '--docker', 'host=unix:///nonexistent']
  for (const args of [create, ['use', 'other']])
    await runWell(needProgram('docker'), ['context', ...args], { env })
  expect(readFileSync(file, 'utf8')).toBe(formatGo({ ...config, currentContext: 'other' }))
})

const text = fc.string({
  unit: fc.oneof(fc.constantFrom(...SPECIAL), fc.string({ unit: character, minLength: 1, maxLength: 1 })),
  maxLength: 12
})
const auth = fc.base64String({ maxLength: 40 })

function objects<T>(
  keys: fc.Arbitrary<string>,
  values: fc.Arbitrary<T>,
  maxKeys = 3
): fc.Arbitrary<Record<string, T>> {
  return fc.dictionary(keys, values, { maxKeys, noNullPrototype: true })
}

/** docker's own entry: github.com/docker/cli, cli/config/types. */
const dockerEntry = fc.record(
  { auth, email: text, identitytoken: text, registrytoken: text },
  { requiredKeys: [] }
)
const host = fc.oneof(fc.constantFrom(...HOSTS), fc.domain(), fc.webUrl(), text)
const dockerConfig = fc.record(
  {
    auths: objects(host, dockerEntry, 6),
    HttpHeaders: objects(text, text),
    psFormat: text,
    detachKeys: text,
    credHelpers: objects(fc.domain(), fc.constantFrom('pass', 'gcloud')),
    plugins: objects(text, objects(text, text)),
    currentContext: text,
    cliPluginsExtraDirs: fc.array(text, { maxLength: 2 })
  },
  { requiredKeys: ['auths'] }
)

/** Anything that docker can read, laid out in any way. */
const anyConfig = fc.record(
  { auths: objects(host, objects(text, fc.jsonValue()), 4), other: fc.jsonValue(), '': fc.jsonValue() },
  { requiredKeys: [] }
)
const look = fc.record({
  indent: fc.constantFrom('', ' ', '  ', '    ', '\t'),
  crlf: fc.boolean(),
  end: fc.constantFrom('', '\n', ' \n\n')
})

interface Look {
  readonly indent: string
  readonly crlf: boolean
  readonly end: string
}

function lay(config: unknown, { indent, crlf, end }: Look): string {
  const lines = JSON.stringify(config, undefined, indent) + end
  return crlf ? lines.replaceAll('\n', '\r\n') : lines
}

const logins = fc
  .subarray(HOSTS, { minLength: 1 })
  .map((hosts) => hosts.map((name, at): HeldLogin => ({ host: name, entry: { auth: `bmV3${at}` } })))

/** Where a file is written to memory alone, if this system has such a place: it is read and written often here. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : undefined
const NONCE = 'aaaaaaaaaaaaaaaa'

/** Logs in and out, and gives back the text of before, during and after. */
async function inAndOut(
  before: string,
  wanted: readonly HeldLogin[]
): Promise<{ during: string; after: string }> {
  const directory = makeFolder(memory)
  const path = join(directory, 'config.json')
  writeFileSync(path, before)
  await hold(directory, NONCE, wanted, makeContext())
  const during = readFileSync(path, 'utf8')
  await release(directory, NONCE, makeContext())
  expect(Object.keys(listing(directory))).toEqual(['config.json'])
  return { during, after: readFileSync(path, 'utf8') }
}

interface Config {
  auths?: Record<string, unknown>
}

function expectMerged(before: string, during: string, wanted: readonly HeldLogin[]): void {
  const [old, merged] = [before, during].map((each) => JSON.parse(each) as Config)
  const added = Object.fromEntries(wanted.map(({ host: name, entry }) => [name, entry]))
  expect(merged).toEqual({ ...old, auths: { ...old?.auths, ...added } })
}

/** So many at once: they mostly wait for the disk. */
const AT_ONCE = 20
const side = { minLength: AT_ONCE, maxLength: AT_ONCE }

test(`${COUNT} configs as docker writes them come back byte for byte`, async () => {
  const check = async ([config, wanted]: [object, HeldLogin[]]): Promise<void> => {
    const before = formatGo(config)
    const { during, after } = await inAndOut(before, wanted)
    expectMerged(before, during, wanted)
    expect(after).toBe(before)
    // Our own entries, too, are laid out as docker's.
    expect(during).toBe(formatGo(JSON.parse(during)))
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(dockerConfig, logins), side), async (cases) => {
      await Promise.all(cases.map(check))
    }),
    { numRuns: COUNT / AT_ONCE }
  )
}, 300_000)

test(`${COUNT} configs in any layout, with anything in them, come back as what they were`, async () => {
  const check = async ([config, look, wanted]: [Config, Look, HeldLogin[]]): Promise<void> => {
    const before = lay(config, look)
    const { during, after } = await inAndOut(before, wanted)
    expectMerged(before, during, wanted)
    expect(JSON.parse(after)).toEqual(JSON.parse(before))
    // Byte for byte too, where no entry of the user's had to be written again.
    const replaced = wanted.some(({ host: name }) => Object.hasOwn(config.auths ?? {}, name))
    if (!replaced) expect(after).toBe(before)
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(anyConfig, look, logins), side), async (cases) => {
      await Promise.all(cases.map(check))
    }),
    { numRuns: COUNT / AT_ONCE }
  )
}, 300_000)
