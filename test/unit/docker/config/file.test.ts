// Thousands of configs, as docker and as people write them: logins go in and out in any order, and all else stays.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addLogins, removeLogins, type HeldLogin } from '../../../../src/docker/config/user-config.ts'
import { valueOf } from '../../../../src/docker/config/file.ts'
import { runWell } from '../../../support/child.ts'
import { needProgram } from '../../../support/programs.ts'
import { testWith } from '../../../support/test-with.ts'
import { makeContext } from '../../support/context.ts'
import { listing, makeFolder } from '../../support/home.ts'
import { character } from '../../support/text.ts'

const COUNT = 300
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

/** Where a file is written to memory alone, if this system has such a place: it is read and written often here. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : undefined

/** The text of a config.json, no file, or a blank one. */
const original = fc.oneof(
  { weight: 4, arbitrary: dockerConfig.map(formatGo) },
  { weight: 4, arbitrary: fc.tuple(anyConfig, look).map(([config, laid]) => lay(config, laid)) },
  { weight: 1, arbitrary: fc.constantFrom(null, '', ' \n', '{}', ' { \n } \n', '{"auths":null}') },
  { weight: 1, arbitrary: fc.constantFrom('{"auths":{"us.icr.io":null},"n":1e400}', '{"AUTHS" :{ }}') }
)

interface Step {
  readonly job: number
  readonly does: 'in' | 'out'
}

/** Three jobs, each with its hosts; they log in and out in any order. */
const jobs = fc
  .tuple(
    fc.array(fc.subarray(HOSTS, { minLength: 1 }), { minLength: 1, maxLength: 3 }),
    fc.infiniteStream(fc.nat())
  )
  .map(([hosts, dice]) => {
    const steps: Step[] = []
    const states = hosts.map(() => 'before')
    while (states.some((state) => state !== 'out')) {
      const open = states.flatMap((state, job) => (state === 'out' ? [] : [job]))
      const job = open[(dice.next().value ?? 0) % open.length] ?? 0
      const does = states[job] === 'before' ? 'in' : 'out'
      states[job] = does
      steps.push({ job, does })
    }
    return { hosts, steps }
  })

interface Plan {
  readonly hosts: readonly (readonly string[])[]
  readonly steps: readonly Step[]
}

const entryFor = (job: number): { auth: string } => ({ auth: `am9i${job}` })

/** Plays the jobs; `between` is called after each step with what each host must show, if it is one of ours. */
async function play(
  directory: string,
  { hosts, steps }: Plan,
  between: (held: ReadonlyMap<string, number>) => void
): Promise<void> {
  const held: number[] = []
  for (const { job, does } of steps) {
    const owner = { loginId: `job-${job}`, job: `job-${job}` }
    const logins = (hosts[job] ?? []).map((name): HeldLogin => ({ host: name, entry: entryFor(job) }))
    if (does === 'in') {
      await addLogins(directory, owner, logins, makeContext())
      held.push(job)
    } else {
      await removeLogins(directory, owner.loginId, makeContext())
      held.splice(held.indexOf(job), 1)
    }
    between(new Map(held.flatMap((each) => (hosts[each] ?? []).map((name) => [name, each] as const))))
  }
}

interface Config {
  auths?: Record<string, unknown>
  [key: string]: unknown
}

const read = (path: string): Config => JSON.parse(readFileSync(path, 'utf8')) as Config

test(`${COUNT} files of any layout are byte for byte what they were, whichever jobs end in whichever order`, async () => {
  await fc.assert(
    fc.asyncProperty(original, jobs, async (text, plan) => {
      const directory = makeFolder(memory)
      const path = join(directory, 'config.json')
      if (text !== null) writeFileSync(path, text)
      const before = listing(directory)
      await play(directory, plan, (held) => {
        for (const [name, job] of held)
          expect(valueOf(read(path), 'auths')).toHaveProperty([name], entryFor(job))
        // Our own entries, too, are laid out as docker's.
        if (held.size > 0) expect(readFileSync(path, 'utf8')).toBe(formatGo(read(path)))
      })
      expect(listing(directory)).toEqual(before)
    }),
    { numRuns: COUNT }
  )
}, 120_000)

test(`${COUNT} times another program writes between the jobs: what it wrote last is there in the end`, async () => {
  const foreign = fc.array(
    fc.record({
      host: fc.constantFrom(...HOSTS, 'ghcr.io'),
      auth: fc.option(auth),
      indent: fc.constantFrom('', '\t', '  ')
    }),
    { minLength: 12, maxLength: 12 }
  )
  await fc.assert(
    fc.asyncProperty(fc.tuple(dockerConfig, look), jobs, foreign, async ([config, laid], plan, writes) => {
      const directory = makeFolder(memory)
      const path = join(directory, 'config.json')
      writeFileSync(path, lay(config, laid))
      const wanted: Config = JSON.parse(JSON.stringify(config)) as Config
      const queue = [...writes]
      await play(directory, plan, (held) => {
        const write = queue.pop()
        const now = read(path)
        if (write === undefined || held.has(write.host)) return
        // docker login or docker logout, for a host where none of ours is logged in.
        for (const { auths } of [now, wanted]) {
          if (auths === undefined) continue
          if (write.auth === null) Reflect.deleteProperty(auths, write.host)
          else auths[write.host] = { auth: write.auth }
        }
        writeFileSync(path, lay(now, { ...laid, indent: write.indent }))
      })
      expect(Object.keys(listing(directory))).toEqual(['config.json'])
      expect(read(path)).toEqual(wanted)
    }),
    { numRuns: COUNT }
  )
}, 120_000)
