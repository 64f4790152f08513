import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAction } from './action-yml.ts'
import { startJob, type Job, type JobOptions } from './runner.ts'
import { testWith } from './test-with.ts'
import { CommandReader, parseFile, parsePathFile } from './workflow-commands.ts'

const actionYml = `name: 'A thing'
description: >-
  Words: over
  two lines
inputs:
  api-key:
    description: A key
    required: false
  region:
    description: 'It''s a region: one or more'
    default: us-south # the oldest
  Two Words:
    default: "a\\tb"
  empty:
    default: ''
outputs:
  registry:
    description: the host
runs:
  using: node24
  main: main.mjs
  post: post.mjs
  post-if: always()
`.replace('Two Words', 'two-words')

let folder = ''
let jobs: Job[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'icr-login-action-'))
  jobs = []
})

afterEach(() => {
  for (const job of jobs) job.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A job of an action whose main and post are these programs. */
async function jobOf(main: string, post = '', options: JobOptions = {}): Promise<Job> {
  const start = `import { appendFileSync, writeFileSync } from 'node:fs'
    const { env } = process
    const put = (file, text) => appendFileSync(env[file], text)
    const show = (value) => console.log(JSON.stringify(value));`
  writeFileSync(join(folder, 'action.yml'), actionYml)
  writeFileSync(join(folder, 'main.mjs'), `${start}\n${main}`)
  writeFileSync(join(folder, 'post.mjs'), `${start}\n${post}`)
  const job = await startJob({ action: folder, ...options })
  jobs.push(job)
  return job
}

const shown = (log: string): unknown => JSON.parse(log)

describe('action.yml', () => {
  test('inputs, defaults and programs are read', () => {
    expect(parseAction(actionYml)).toEqual({
      inputs: { 'api-key': undefined, region: 'us-south', 'two-words': 'a\tb', empty: '' },
      outputs: ['registry'],
      using: 'node24',
      main: 'main.mjs',
      post: 'post.mjs'
    })
  })

  test('a default over several lines is refused, not misread', () => {
    expect(() => parseAction('inputs:\n  a:\n    default: |\n      text\n')).toThrow(
      'can’t read'.replace('’', "'")
    )
  })
})

describe('commands', () => {
  const read = (...lines: string[]): unknown[] => {
    const reader = new CommandReader()
    return lines.map((line) => reader.read(line))
  }

  test.each([
    ['::error::no%0Asuch%25key', { command: 'error', properties: {}, value: 'no\nsuch%key' }],
    ['  ::add-mask::a::b', { command: 'add-mask', properties: {}, value: 'a::b' }],
    [
      '::warning file=a.js,title=x%3Ay%2Cz::m',
      { command: 'warning', properties: { file: 'a.js', title: 'x:y,z' }, value: 'm' }
    ],
    ['words ##[error]m', { command: 'error', properties: {}, value: 'm' }],
    ['words ::error::m', undefined],
    ['::nothing::m', undefined],
    ['::error: m', undefined],
    ['plain', undefined]
  ])('%s', (line, command) => {
    expect(read(line)).toEqual([command])
  })

  test('%250A is a percent sign and 0A, not an end of line', () => {
    expect(read('::error::a%250Ab')).toMatchObject([{ value: 'a%0Ab' }])
  })

  test('between stop-commands and its token, lines are text', () => {
    const [, stopped, resumed, after] = read('::stop-commands::t1', '::error::x', '::t1::', '::error::y')
    expect(stopped).toBeUndefined()
    expect(resumed).toMatchObject({ command: 't1' })
    expect(after).toMatchObject({ value: 'y' })
  })

  test.each(['set-output name=a', 'save-state name=a', 'set-env name=a', 'add-path'])(
    '%s is refused',
    (command) => {
      expect(() => read(`::${command}::b`)).toThrow('of the past')
    }
  )
})

describe('files', () => {
  test('key=value and heredocs, in any order, the last of a name', () => {
    const text = 'a=1\nb<<EOF\nx=y\n\nz<<q\nEOF\n\nc=1<<2\r\na=3\nd<<E\nE\n'
    expect(parseFile(text)).toEqual({ a: '3', b: 'x=y\n\nz<<q', c: '1<<2', d: '' })
  })

  test.each([
    ['words', 'Invalid format'],
    ['=a', 'must not be empty'],
    ['<<EOF\nEOF', 'must not be empty'],
    ['a<<\n', 'must not be empty'],
    ['a<<EOF\ntext\nEOF2\n', 'delimiter not found']
  ])('%j is refused', (text, message) => {
    expect(() => parseFile(text)).toThrow(message)
  })

  test('folders, one a line', () => {
    expect(parsePathFile('/a\n\n/b\r\n')).toEqual(['/a', '/b'])
  })
})

describe('a step', () => {
  test('runs on Node 24 in the workspace, with the inputs and their defaults, and nothing of this process', async () => {
    const main = `show({ node: process.version, cwd: process.cwd(), env })`
    const job = await jobOf(main, '', { env: { EXTRA: 'e', GITHUB_ACTOR: undefined } })
    const { log, exitCode } = await job.main({ 'api-key': 'k' }, { env: { STEP: 's' } })
    expect(exitCode).toBe(0)
    const { node, cwd, env } = shown(log) as { node: string; cwd: string; env: Record<string, string> }
    expect(node).toMatch(/^v24\./u)
    expect(cwd).toBe(job.workspace)
    expect(env).toMatchObject({ HOME: job.home, RUNNER_TEMP: job.temp, EXTRA: 'e', STEP: 's' })
    expect(env).toMatchObject({ 'INPUT_API-KEY': 'k', INPUT_REGION: 'us-south', 'INPUT_TWO-WORDS': 'a\tb' })
    expect(env).toMatchObject({ INPUT_EMPTY: '' })
    expect(env).not.toHaveProperty('GITHUB_ACTOR')
    const here = Object.keys(process.env).filter((name) => name in env && env[name] === process.env[name])
    expect(here.filter((name) => !['CI', 'LANG', 'GITHUB_ACTIONS'].includes(name))).toEqual([])
  })

  test('an input that action.yml has not is refused', async () => {
    const job = await jobOf('')
    await expect(job.main({ 'api-kee': 'k' })).rejects.toThrow("no input 'api-kee'")
  })

  test('what it says is read: commands, lines, files, exit code', async () => {
    const job = await jobOf(`
      console.log('::add-mask::s3cret'); console.log('hello'); console.log('::warning::w%0Aw')
      process.stderr.write('::error::e')
      put('GITHUB_OUTPUT', 'registry<<EOF\\nus.icr.io\\nEOF\\n'); put('GITHUB_STEP_SUMMARY', '# Done\\n')
      process.exitCode = 1`)
    const result = await job.main({})
    expect(result).toMatchObject({
      exitCode: 1,
      signal: null,
      masks: ['s3cret'],
      errors: ['e'],
      warnings: ['w\nw']
    })
    expect(result).toMatchObject({
      outputs: { registry: 'us.icr.io' },
      summary: '# Done\n',
      log: 'hello\n',
      state: {}
    })
    expect(result.events.slice(0, 2)).toMatchObject([{ command: 'add-mask' }, { text: 'hello' }])
  })

  test('a file that the runner could not read fails the test', async () => {
    const job = await jobOf(`put('GITHUB_OUTPUT', 'no equals sign')`)
    await expect(job.main({})).rejects.toThrow('Invalid format')
  })
})

describe('a job', () => {
  const showState = `show(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('STATE_'))))`

  test('post gets the state of its own main, the newest first, and the same inputs', async () => {
    const job = await jobOf(
      `put('GITHUB_STATE', 'which=' + env.INPUT_REGION)`,
      `show([env.STATE_which, env.INPUT_REGION])`
    )
    await job.main({ region: 'eu-de' })
    await job.main({ region: 'eu-gb' })
    expect(shown((await job.post()).log)).toEqual(['eu-gb', 'eu-gb'])
    expect(shown((await job.post({ inputs: { region: 'other' } })).log)).toEqual(['eu-de', 'other'])
    await expect(job.post()).rejects.toThrow('no main')
  })

  test('what main puts in GITHUB_ENV and GITHUB_PATH is there for the steps after it', async () => {
    const job = await jobOf(
      `put('GITHUB_ENV', 'DOCKER_CONFIG=/x\\nSTATE_forged=1\\n'); put('GITHUB_PATH', '/a\\n/b\\n')`,
      `show([env.DOCKER_CONFIG, env.PATH.split(':').slice(0, 2), env.STATE_forged])`
    )
    const { env, path } = await job.main({})
    expect([env, path]).toEqual([{ DOCKER_CONFIG: '/x', STATE_forged: '1' }, ['/a', '/b']])
    expect(shown((await job.post()).log)).toEqual(['/x', ['/b', '/a'], '1'])
  })

  const waitForever = `writeFileSync(env.RUNNER_TEMP + '/ready', ''); setInterval(() => {}, 1000)`

  /** Fires once main has come to its `waitForever`. */
  function whenReady(job: Job): AbortSignal {
    const stop = new AbortController()
    const timer = setInterval(() => {
      if (!existsSync(join(job.temp, 'ready'))) return
      clearInterval(timer)
      stop.abort()
    }, 20)
    return stop.signal
  }

  test('post comes with the state that a killed main had saved', async () => {
    const job = await jobOf(`put('GITHUB_STATE', 'a=1\\n'); ${waitForever}`, showState)
    const result = await job.main({}, { signal: whenReady(job), how: 'kill' })
    expect(result).toMatchObject({ signal: 'SIGKILL', exitCode: null, state: { a: '1' } })
    expect(shown((await job.post()).log)).toEqual({ STATE_a: '1' })
  })

  test('a cancelled step gets SIGINT first', async () => {
    const job = await jobOf(
      `process.on('SIGINT', () => { console.log('asked'); process.exit(3) }); ${waitForever}`
    )
    const result = await job.main({}, { signal: whenReady(job) })
    expect(result).toMatchObject({ exitCode: 3, log: 'asked\n' })
  })

  test('a step that never ends fails the test, and is ended', async () => {
    const job = await jobOf(`setInterval(() => {}, 1000)`)
    await expect(job.main({}, { timeout: 500 })).rejects.toThrow('did not end within 500 ms')
  })

  test('a snapshot tells modes, contents, folders and links', async () => {
    const job = await jobOf('')
    const docker = join(job.home, '.docker')
    mkdirSync(docker, { mode: 0o700 })
    writeFileSync(join(docker, 'config.json'), '{"auths":{}}', { mode: 0o600 })
    symlinkSync('config.json', join(docker, 'link'))
    const before = job.snapshot()
    expect(before).toMatchObject({ '.docker': 'folder 0700', '.docker/link': 'link config.json' })
    expect(before['.docker/config.json']).toMatch(/^file 0600 [0-9a-f]{64}$/u)
    expect(job.dockerConfig()).toEqual({ auths: {} })
    chmodSync(join(docker, 'config.json'), 0o644)
    expect(job.snapshot()).not.toEqual(before)
  })

  test('closing removes all but a home that is not its own', async () => {
    const home = join(folder, 'home')
    mkdirSync(home)
    const job = await jobOf('', '', { home })
    writeFileSync(join(home, 'kept'), 'x')
    job.close()
    expect(readFileSync(join(home, 'kept'), 'utf8')).toBe('x')
    expect(job.snapshot(job.temp)).toEqual({})
  })

  test('no docker on the PATH unless it is asked for', async () => {
    const find = `import { execFileSync } from 'node:child_process'
      try { execFileSync('docker', ['--version']); show('there') } catch (error) { show(error.code) }`
    const job = await jobOf(find)
    expect(shown((await job.main({})).log)).toBe('ENOENT')
  })

  testWith('docker')('the real docker is there when it is asked for', async () => {
    const find = `import { execFileSync } from 'node:child_process'
      show(execFileSync('docker', ['--version'], { encoding: 'utf8' }))`
    const job = await jobOf(find, '', { docker: 'real' })
    expect(shown((await job.main({})).log)).toMatch(/version/u)
  })
})
