// Whatever is typed into an input or answered by a server, the runner reads our commands and our keys and no others;
// and what a server gives back of a secret is not shown.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { parseChallenge } from '../../src/registry/challenge.ts'
import { explainRefusal, explainReply, parseErrors } from '../../src/errors/known-messages.ts'
import { quoteRedacted } from '../../src/errors/redact.ts'
import { messageOf, UserError } from '../../src/errors/user-error.ts'
import { knownSecrets } from '../../src/errors/redact.ts'
import { deleteApiKey, findApiKeys } from '../../src/iam/api-keys.ts'
import { exchangeApiKey } from '../../src/iam/client.ts'
import { readInputs } from '../../src/runner/inputs.ts'
import { findRegistryTokens, removeRegistryToken } from '../../src/registry/tokens.ts'
import { verifyCredential } from '../../src/registry/client.ts'
import { createContext } from '../../src/runner/log.ts'
import { reportCleanup, reportLogin } from '../../src/runner/report.ts'
import type { State } from '../../src/runner/state.ts'
import { PROFILE_ID, READER_ID, REPOSITORY, WRITER_KEY } from '../cloud/default-world.ts'
import { signHs256 } from '../cloud/jwt.ts'
import { readAction } from '../support/action-yml.ts'
import { HOSTILE_STRINGS } from '../support/hostile-strings.ts'
import { FORM_NAMES, makeSecret, SecretSearch, writeForms } from '../support/secrets.ts'
import { CommandReader, parseFile } from '../support/workflow-commands.ts'
import { makeContext } from './support/context.ts'
import { setVariables, useOwnEnvironment } from './support/environment.ts'
import { startServer } from './support/server.ts'
import { character } from './support/text.ts'

useOwnEnvironment()

const hostile = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...HOSTILE_STRINGS) },
      { weight: 2, arbitrary: fc.string({ unit: character, maxLength: 6 }) },
      { weight: 1, arbitrary: fc.string({ maxLength: 40 }) }
    ),
    { minLength: 1, maxLength: 7 }
  )
  .map((parts) => parts.join(''))

const RUNS = 10_000

const folder = mkdtempSync(join(tmpdir(), 'icr-login-unit-'))
const files = { GITHUB_OUTPUT: '', GITHUB_STATE: '', GITHUB_STEP_SUMMARY: '' }

beforeAll(() => {
  for (const name of Object.keys(files) as (keyof typeof files)[]) files[name] = join(folder, name)
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  knownSecrets.clear()
})

/** What is printed while it works; the error that it ends with goes out as the entries let it. */
async function printed(work: () => unknown): Promise<string> {
  const write = process.stdout.write.bind(process.stdout)
  let text = ''
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    text += chunk.toString()
    return true
  }
  const code = process.exitCode
  try {
    await work()
  } catch (error) {
    // Anything else would be a stack in the log.
    if (!(error instanceof UserError)) throw error
    core.setFailed(messageOf(error))
  } finally {
    process.stdout.write = write
    process.exitCode = code
  }
  return text
}

/** Lines as any reader may see them, and what the runner makes of each. */
function readLines(text: string): { commands: string[]; lines: string[] } {
  const reader = new CommandReader()
  const [commands, lines]: [string[], string[]] = [[], []]
  for (const line of text.split(/\r\n|\r|\n/u).slice(0, -1)) {
    const command = reader.read(line)
    if (command === undefined) lines.push(line)
    else if (Object.keys(command.properties).length > 0) throw new Error(`a command with properties: ${line}`)
    else if (command.command !== 'add-mask') {
      commands.push(command.command)
      lines.push(...command.value.split('\n'))
    }
  }
  return { commands, lines }
}

/** Text that no terminal and no runner takes for anything but text; the ellipsis is our own. */
const PLAIN = /^[\x20-\x7e…]*$/u

function expectPlain(text: string, allowed: readonly string[]): void {
  const { commands, lines } = readLines(text)
  if (commands.some((command) => !allowed.includes(command)) || commands.length > 1)
    throw new Error(`commands: ${commands.join(', ')} in ${JSON.stringify(text)}`)
  const odd = lines.find((line) => !PLAIN.test(line))
  if (odd !== undefined) throw new Error(`not plain: ${JSON.stringify(odd)}`)
}

describe('Inputs:', () => {
  const { inputs } = readAction(join(import.meta.dirname, '../..'))
  const names = Object.keys(inputs)
  const variable = (name: string): string => `INPUT_${name.toUpperCase()}`
  const whole = {
    'api-key': WRITER_KEY,
    registry: '127.0.0.1:5000',
    'iam-url': 'http://127.0.0.1:1'
  }
  /** What leads to where an input is looked at. */
  const beside: Record<string, Record<string, string>> = {
    'trusted-profile': { mint: 'iam-token' },
    repositories: { mint: 'repository-token' },
    'service-id': { mint: 'api-key', repositories: REPOSITORY },
    lifetime: { mint: 'api-key', 'service-id': READER_ID },
    'read-only': { mint: 'iam-token', 'trusted-profile': PROFILE_ID },
    'access-token': { 'api-key': '' },
    'refresh-token': { 'api-key': '' },
    'registry-token': { 'api-key': '' }
  }

  test.each(names)(
    'nothing in %s is a command, and an error shows it as plain text',
    async (name) => {
      const given: Record<string, string> = { ...whole, ...beside[name] }
      setVariables(
        Object.fromEntries(names.map((other) => [variable(other), given[other] ?? inputs[other] ?? '']))
      )
      await fc.assert(
        fc.asyncProperty(hostile, async (text) => {
          // A variable ends at a NUL.
          process.env[variable(name)] = text.replaceAll('\0', '')
          expectPlain(await printed(() => readInputs(0)), ['error'])
        }),
        { numRuns: RUNS }
      )
    },
    60_000
  )

  test('all secrets at once are masked, and nothing else is said', async () => {
    const kinds = ['api-key', 'registry-token', 'access-token', 'refresh-token']
    setVariables(Object.fromEntries(names.map((other) => [variable(other), inputs[other] ?? ''])))
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 4, maxLength: 4 }), async (texts) => {
        kinds.forEach((kind, at) => (process.env[variable(kind)] = (texts[at] ?? '').replaceAll('\0', '')))
        expectPlain(await printed(() => readInputs(0)), ['error'])
      }),
      { numRuns: 2_000 }
    )
  }, 60_000)
})

/** Each field of an answer that is ever printed, by the code that prints it. */
const FIELDS: Record<string, (text: string, secret: string) => UserError> = {
  'an error of IAM’s token endpoint': (text, secret) =>
    explainReply(
      'IAM refused it',
      { status: 400, headers: {}, body: JSON.stringify({ errorCode: text, errorMessage: text }) },
      secret
    ),
  'an error of IAM’s other endpoints': (text, secret) => {
    const body = JSON.stringify({ errors: [{ message_code: text, message: text }, { code: text }] })
    return explainReply('IAM refused it', { status: 400, headers: {}, body }, secret)
  },
  'errors of the registry': (text, secret) => {
    const body = JSON.stringify({ errors: [{ code: text, message: text }, { message: text }] })
    return explainRefusal('refused', parseErrors(body), secret)
  },
  'an error of the management API': (text, secret) =>
    explainRefusal('refused', parseErrors(JSON.stringify({ code: text, message: text })), secret),
  'a body that is no error': (text, secret) => explainRefusal('refused', parseErrors(text), secret),
  'the words of docker or of a credential helper': (text, secret) => explainRefusal('refused', text, secret),
  'a realm': (text, secret) =>
    new UserError(quoteRedacted(parseChallenge(`Bearer realm="${text}"`)?.realm ?? text, secret), 'x'),
  'a challenge': (text, secret) =>
    new UserError(quoteRedacted(parseChallenge(text)?.realm ?? '', secret), 'x')
}

describe('Answers:', () => {
  test.each(Object.entries(FIELDS))(
    'nothing in %s is a command, and it is shown as plain text',
    async (_, field) => {
      await fc.assert(
        fc.asyncProperty(hostile, async (text) => {
          const error = field(text, '')
          expectPlain(
            await printed(() => {
              throw error
            }),
            ['error']
          )
        }),
        { numRuns: RUNS }
      )
    },
    60_000
  )

  const servers: Record<string, (host: string) => Promise<unknown>> = {
    'a login': (host) => verifyCredential(host, { username: 'iamapikey', secret: WRITER_KEY }, makeContext()),
    'a token': (host) => exchangeApiKey(`http://${host}`, WRITER_KEY, makeContext()),
    'a list of keys': (host) =>
      findApiKeys(
        `http://${host}`,
        'token',
        { name: 'x', serviceId: 'iam-ServiceId-1', account: 'a' },
        makeContext()
      ),
    'the end of a key': (host) => deleteApiKey(`http://${host}`, 'token', 'ApiKey-1', makeContext()),
    'a list of registry tokens': (host) =>
      findRegistryTokens(host, { accessToken: 'token', account: 'a' }, 'x', makeContext()),
    'the end of a registry token': (host) => {
      const caller = { accessToken: 'token', account: 'a' }
      return removeRegistryToken(host, caller, texts[0] ?? '', makeContext())
    }
  }
  const texts: string[] = []

  test.each(Object.entries(servers))(
    'a server that is asked for %s prints nothing but text',
    async (_, ask) => {
      texts.splice(0)
      const { host } = await startServer(() => {
        const [text = ''] = texts
        const line = text.replace(/[^\x20-\x7e\x80-\xff\t]/gu, ' ')
        const error = { code: text, message: text, message_code: text }
        const body = {
          ...error,
          errorCode: text,
          errorMessage: text,
          errors: [error],
          error_description: text
        }
        return {
          status: 400 + (text.length % 5),
          headers: { 'www-authenticate': `Bearer realm="${line}",service="${line}"`, 'retry-after': line },
          body: JSON.stringify(body)
        }
      })
      for (const text of fc.sample(hostile, 200)) {
        texts[0] = text
        expectPlain(await printed(() => ask(host)), ['error'])
      }
    },
    60_000
  )
})

// Line ends separate the lines of a message.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f]/u

describe('What is reported:', () => {
  const state = (directory: string): State => ({
    loginId: '0123456789abcdef',
    directory,
    scratch: '/tmp/icr-login-0123456789abcdef',
    hosts: ['us.icr.io'],
    stage: 'held',
    expiresAt: ''
  })
  const keys = [
    'registry',
    'registries',
    'username',
    'password',
    'token-id',
    'expires-at',
    'access',
    'docker-config'
  ]
  const clear = (): void => {
    for (const file of Object.values(files)) writeFileSync(file, '')
    setVariables(files)
  }
  const read = (name: keyof typeof files): string => readFileSync(files[name], 'utf8')
  /** The runner's reader takes what stands before a line's end for a part of it. */
  const unwrapped = (text: string): string => `${text}\n`.replaceAll('\r\n', '\n').slice(0, -1)

  test('outputs have our keys alone, whatever is in their values', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        clear()
        const said = await printed(() => reportLogin(state(text), { username: 'iamapikey', password: text }))
        expect(readLines(said).commands).toEqual([])
        const outputs = parseFile(read('GITHUB_OUTPUT'))
        expect(Object.keys(outputs)).toEqual(keys)
        expect([outputs['docker-config'], outputs['password']]).toEqual([unwrapped(text), unwrapped(text)])
      }),
      { numRuns: RUNS / 5 }
    )
  }, 60_000)

  test('the job’s page has our tags alone', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        clear()
        const said = await printed(async () => {
          await reportLogin(state(text), { username: 'iamapikey', password: '' })
          await reportCleanup({ cleanedUp: [`done ${text}`], notCleanedUp: [`left ${text}`] })
        })
        expect(readLines(said).commands).toEqual(['warning'])
        const tags = read('GITHUB_STEP_SUMMARY').match(/<[^>]*>?/gu) ?? []
        expect(tags.filter((tag) => !/^<\/?(?:h3|table|tr|th|td|code|br)>$/u.test(tag))).toEqual([])
      }),
      { numRuns: RUNS / 5 }
    )
  }, 60_000)

  test('a warning is one command, and its control characters are shown', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const said = await printed(() => {
          createContext(1_000).warning(`${text} can't be read.\nCheck it.`)
        })
        expect(readLines(said).commands).toEqual(['warning'])
        const shown = decodeURIComponent(said.replaceAll(/%(?![0-9A-F]{2})/gu, '%25'))
        expect(shown).not.toMatch(CONTROL)
      }),
      { numRuns: RUNS }
    )
  }, 60_000)

  test('notes and masks are lines of text and masks', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const said = await printed(() => {
          const context = createContext(1_000)
          context.info(`It said ${text}`)
          context.mask(text)
        })
        expect(readLines(said).commands).toEqual([])
        // A text is masked once.
        expect(said.split('\n').length).toBeLessThanOrEqual(3)
      }),
      { numRuns: RUNS }
    )
  }, 60_000)
})

describe('What a service gives back of a secret is not shown:', () => {
  const token = signHs256({ iam_id: 'iam-ServiceId-1', exp: 1 }, 'a key')

  test.each(Object.entries(FIELDS))('not in %s, in any form, whole or in pieces', (_, field) => {
    for (const value of [WRITER_KEY, token]) {
      const search = new SecretSearch([makeSecret('it', value)])
      for (const form of FORM_NAMES) {
        for (const text of writeForms(form, value)) {
          const start = form === 'the segments of a JWT' ? text.length - 40 : text.length / 3
          const echoes = [
            text,
            text.replace(/.{12}/gsu, '$& '),
            text.slice(start, start + 24),
            `${' -'.repeat(90)}${text}`,
            `it is ${text.slice(-20)}.`
          ]
          for (const echo of echoes) {
            expect({ form, found: search.find(field(echo, value).message) }).toEqual({ form, found: [] })
          }
        }
      }
    }
  })

  test('nor any other secret of the step, for a service may remember', () => {
    const other = 'kL8pQ2zX_vN5bM7cR-4tY6uW9sD1fG3hJ0aEoIiUqTwB'
    for (const field of Object.values(FIELDS)) expect(field(other, WRITER_KEY).message).not.toBe('')
    expect(quoteRedacted(`no ${other}`, WRITER_KEY)).toContain(other)
    knownSecrets.add(other)
    const search = new SecretSearch([makeSecret('other', other)])
    for (const [name, field] of Object.entries(FIELDS)) {
      expect([name, search.find(field(`no ${other}`, WRITER_KEY).message)]).toEqual([name, []])
      expect([name, search.find(field(Buffer.from(other).toString('base64'), '').message)]).toEqual([
        name,
        []
      ])
    }
  })
})
