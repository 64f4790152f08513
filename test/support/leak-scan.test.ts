// The scan for leaks sees what it is to see, and nothing where there is nothing: the tests that rest on it are only as
// good as it is.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from '@jest/globals'
import { WRITER_KEY } from '../cloud/default-world.ts'
import { encodePart, signHs256 } from '../cloud/jwt.ts'
import type { RecordedRequest } from '../cloud/recorder.ts'
import { findUnmasked, LeakScan, maskedSecrets, type WatchedSecret } from './leak-scan.ts'
import { startJob, type Event, type Job, type StepResult } from './runner.ts'
import { FORM_NAMES, innerForms, makeSecret, SecretSearch, writeForms } from './secrets.ts'

const JWT = signHs256({ iam_id: 'iam-ServiceId-1', exp: 1 }, randomBytes(16).toString('hex'))
const ODD = `q"9$'%\\ &<é>k{2}+/=~z*x`

const jobs: Job[] = []
afterEach(() => {
  for (const job of jobs.splice(0)) job.close()
})

test('There are 24 forms of a secret', () => {
  expect(FORM_NAMES).toHaveLength(24)
})

describe.each([
  ['an API key', WRITER_KEY],
  ['a token', JWT],
  ['a secret of odd characters', ODD],
  ['a secret in two lines', `${WRITER_KEY}\n${WRITER_KEY.toUpperCase()}`]
])('%s is found', (_, value) => {
  const search = new SecretSearch([makeSecret('it', value)])

  test.each(FORM_NAMES.filter((form) => writeForms(form, value).length > 0))('whole, %s', (form) => {
    for (const text of writeForms(form, value)) {
      expect(search.find(`time="x" msg="${text}" rest`)).not.toEqual([])
    }
  })
})

const key = fc.stringMatching(/^[A-Za-z0-9_-]{44}$/)
const hasPieces = (form: string): boolean => form !== 'the segments of a JWT'

test.each(FORM_NAMES.filter(hasPieces))('A piece of it is found, %s', (form) => {
  fc.assert(
    fc.property(key, fc.nat(), (value, start) => {
      const search = new SecretSearch([makeSecret('it', value)])
      const { texts, piece } = innerForms(form, value)
      for (const text of texts) {
        // A wrapped text has short last lines, which no piece fits in.
        if (text.length < piece) continue
        const at = start % (text.length - piece + 1)
        expect(search.find(`(${text.slice(at, at + piece)})`)).not.toEqual([])
        expect(search.find(`(${text.slice(at, at + 3)})`)).toEqual([])
      }
    }),
    { numRuns: 30 }
  )
})

test('A text that is no leak holds none', () => {
  const search = new SecretSearch([makeSecret('key', WRITER_KEY), makeSecret('token', JWT)])
  const root = join(import.meta.dirname, '../..')
  for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.ts')) expect(search.find(readFileSync(join(root, 'src', file), 'utf8'))).toEqual([])
  }
  // Other keys and other tokens of the same account are no piece of this one.
  expect(search.find(randomBytes(200_000).toString('base64'))).toEqual([])
  expect(search.find(`${encodePart({ alg: 'HS256', typ: 'JWT' })}.e30.${'x'.repeat(43)}`)).toEqual([])
})

test('A finding says which secret, in which form, and where', () => {
  const search = new SecretSearch([makeSecret('one', 'A1b2C3d4E5f6'), makeSecret('two', WRITER_KEY)])
  expect(search.find('no A1b2C3d4E5f6')).toContainEqual({
    secret: 'one',
    form: 'as it is',
    piece: 'A1b2C3d4',
    at: 3
  })
})

function watch(...may: RegExp[]): WatchedSecret[] {
  return [{ ...makeSecret('key', WRITER_KEY), may }]
}

function step(changes: Partial<StepResult> = {}): StepResult {
  const nothing = { exitCode: 0, signal: null, milliseconds: 0, stdout: '', stderr: '', events: [], log: '' }
  const said = { masks: [], errors: [], warnings: [], notices: [] }
  return { ...nothing, ...said, outputs: {}, state: {}, env: {}, path: [], summary: '', ...changes }
}

const placesOf = (scan: LeakScan, secrets = watch()): string[] => [
  ...new Set(scan.leaks(secrets).map(({ place }) => place))
]

const hexKey = Buffer.from(WRITER_KEY).toString('hex')

test.each([
  ['stdout of main', { stdout: `::add-mask::x\nhello ${WRITER_KEY}\n` }],
  ['stdout of main', { stdout: `::debug::${hexKey}\n` }],
  ['stderr of main', { stderr: WRITER_KEY.slice(5, 13) }],
  ['outputs username of main', { outputs: { username: hexKey } }],
  ['state login of main', { state: { login: WRITER_KEY } }],
  ['names in env of main', { env: { [`X_${hexKey}`]: '1' } }],
  ['path of main', { path: [`/opt/${WRITER_KEY}`] }],
  ['summary of main', { summary: `<td>${WRITER_KEY}</td>` }]
] as [string, Partial<StepResult>][])('A secret in %s is a leak', (place, changes) => {
  const scan = new LeakScan()
  scan.addStep('main', step(changes))
  expect(placesOf(scan)).toEqual([place])
})

test('A secret in a mask is none', () => {
  const scan = new LeakScan()
  scan.addStep('main', step({ stdout: `::add-mask::${WRITER_KEY}\nhello\n` }))
  expect(placesOf(scan)).toEqual([])
})

test('A secret in a file, in the name of one, or in where a link leads is a leak', async () => {
  const job = await startJob()
  jobs.push(job)
  mkdirSync(join(job.home, '.docker'))
  writeFileSync(join(job.home, '.docker/config.json'), hexKey)
  writeFileSync(join(job.temp, WRITER_KEY), '')
  symlinkSync(`/nonexistent/${WRITER_KEY}`, join(job.workspace, 'link'))
  const scan = new LeakScan()
  scan.addFiles('after the job', job)
  expect(placesOf(scan).sort()).toEqual([
    'file HOME/.docker/config.json after the job',
    'file workspace/link after the job',
    `name of file RUNNER_TEMP/${WRITER_KEY} after the job`
  ])
  expect(placesOf(scan, watch(/^file HOME\//u, /^name of /u))).toEqual(['file workspace/link after the job'])
})

test('A secret on a command line or in a child’s environment is a leak', () => {
  const scan = new LeakScan()
  scan.addProcesses([
    { program: 'docker', argv: ['docker', 'login', `--password=${WRITER_KEY}`], env: { PATH: '/bin' } },
    { program: 'docker', argv: ['docker'], env: { TOKEN: Buffer.from(`x:${WRITER_KEY}`).toString('base64') } }
  ])
  expect(placesOf(scan)).toEqual(['argv of docker', 'env TOKEN of docker'])
})

test('A secret that reaches a server is a leak, unless it was meant for that part of that request', () => {
  const request: RecordedRequest = {
    service: 'registry',
    host: '127.0.0.1:1',
    method: 'GET',
    path: `/v2/${encodeURIComponent(WRITER_KEY)}`,
    query: `account=${WRITER_KEY}`,
    headers: { authorization: `Basic ${Buffer.from(`iamapikey:${WRITER_KEY}`).toString('base64')}` },
    body: `{"key":"${WRITER_KEY}"}`,
    status: 200,
    at: 0,
    connection: 1
  }
  const scan = new LeakScan()
  scan.addRequests([request])
  const place = `request registry GET ${request.path}`
  expect(placesOf(scan)).toEqual(
    ['path', 'query', 'header authorization', 'body'].map((part) => `${part} of ${place}`)
  )
  expect(placesOf(scan, watch(/^header authorization of request registry GET /u, /^body /u))).toEqual([
    `path of ${place}`,
    `query of ${place}`
  ])
})

describe('A secret must be masked', () => {
  const mask = (value: string): Event => ({ kind: 'command', command: 'add-mask', properties: {}, value })
  const line = (text: string): Event => ({ kind: 'line', text })
  const secret = makeSecret('key', WRITER_KEY)

  test.each([
    ['never', []],
    ['after a line that has it', [line(`x ${WRITER_KEY}`), mask(WRITER_KEY)]],
    ['after a line that has a piece of it', [line(hexKey.slice(8, 20)), mask(WRITER_KEY)]],
    ['in part', [mask(WRITER_KEY.slice(1))]]
  ] as [string, Event[]][])('and is not, where that happens %s', (_, events) => {
    expect(findUnmasked({ events }, [secret])).toEqual(['key'])
  })

  test('before its first line, and before any line at all where that is asked for', () => {
    const events = [line('hello'), mask(WRITER_KEY), line(WRITER_KEY)]
    expect(findUnmasked({ events }, [secret])).toEqual([])
    expect(findUnmasked({ events }, [secret], ['key'])).toEqual(['key'])
  })
})

test('Each mask is a secret of its own, unless it is only more of one that is known', () => {
  const auth = Buffer.from(`iamapikey:${WRITER_KEY}`).toString('base64')
  const masks = [WRITER_KEY, auth, `"apikey": "${WRITER_KEY}",`, JWT, 'short']
  const found = maskedSecrets([{ masks }], [makeSecret('key', WRITER_KEY)], () => [])
  expect(found).toEqual([{ name: 'mask 1', value: JWT, random: JWT.split('.')[2], may: [] }])
})
