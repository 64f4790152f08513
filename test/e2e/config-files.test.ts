// Whatever config.json is, and whoever owns it: it is edited in place or refused in words, and nobody loses anything.
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { READER_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { snapshot, type Job } from '../support/runner.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { authOf, readText, useStage, writeConfig } from './support/stage.ts'

const stage = useStage()

const ours = { auth: authOf('iamapikey', WRITER_KEY) }
const shown = (text: string): unknown =>
  (JSON.parse(text) as { auths: Record<string, unknown> }).auths[stage.cloud.registryHost]
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

/** A login of the user's for the host, as docker lays it out. */
const ofTheUser = (): string =>
  `{\n\t"auths": {\n\t\t"${stage.cloud.registryHost}": {\n\t\t\t"auth": "${authOf('iamapikey', READER_KEY)}",\n\t\t\t"email": "Me \\u003cme@example.test\\u003e"\n\t\t}\n\t}\n}`

const logIn = (job: Job, more = {}): ReturnType<Job['main']> =>
  job.main(stage.here({ 'api-key': WRITER_KEY, ...more }))

describe('umask', () => {
  const before = process.umask(0o022)
  process.umask(before)

  afterEach(() => {
    process.umask(before)
  })

  test.each([
    ['000', 0o000],
    ['022', 0o022],
    ['077', 0o077]
  ])(
    '%s: what is made is for this user alone, and what was open to others is so again only after the job',
    async (_, mask) => {
      const [fresh, open] = [await stage.newJob(), await stage.newJob()]
      const file = writeConfig(open.home, ofTheUser())
      chmodSync(file, 0o644)
      process.umask(mask)
      const logins = [await logIn(fresh), await logIn(open)]
      process.umask(before)
      logins.forEach((login) => {
        expectSuccess(login)
      })
      const folder = join(fresh.home, '.docker')
      const files = readdirSync(folder).map((name) => join(folder, name))
      expect(files).toHaveLength(2)
      expect([...files, file].map(modeOf)).toEqual(['600', '600', '600'])
      expect(modeOf(folder)).toBe('700')
      process.umask(mask)
      const posts = [await fresh.post(), await open.post()]
      process.umask(before)
      posts.forEach((post) => {
        expectSuccess(post)
      })
      expect(fresh.snapshot()).toEqual({})
      expect([readText(file), modeOf(file)]).toEqual([ofTheUser(), '644'])
    }
  )
})

test('A config.json of 2 MB, with ten thousand logins in it, comes back byte for byte', async () => {
  const job = await stage.newJob()
  const entry = (at: number): string =>
    `\t\t"registry-${at}.example.test": {\n\t\t\t"auth": "${authOf('user', `${'secret'.repeat(18)}${at}`)}"\n\t\t}`
  const entries = Array.from({ length: 10_000 }, (_, at) => entry(at)).join(',\n')
  const text = `{\n\t"auths": {\n${entries}\n\t},\n\t"psFormat": "x"\n}`
  expect(text.length).toBeGreaterThan(2_000_000)
  const file = writeConfig(job.home, text)
  expectSuccess(await logIn(job))
  expect(shown(readText(file))).toEqual(ours)
  expectSuccess(await job.post())
  expect(readText(file)).toBe(text)
})

describe('A config.json that is a link', () => {
  /** A home whose config.json leads to `target`. */
  async function linked(target: string): Promise<Job> {
    const job = await stage.newJob()
    mkdirSync(join(job.home, '.docker'))
    symlinkSync(target, join(job.home, '.docker', 'config.json'))
    return job
  }

  test.each([
    ['a file', true],
    ['a file that is not there yet', false]
  ])('to %s stays one: what it leads to is edited, and is in the end what it was', async (_, there) => {
    const folder = stage.newFolder()
    const real = join(folder, 'real.json')
    if (there) writeFileSync(real, ofTheUser(), { mode: 0o600 })
    const job = await linked(real)
    const before = [job.snapshot(), snapshot(folder)]
    expectSuccess(await logIn(job))
    expect(shown(readText(real))).toEqual(ours)
    expectSuccess(await job.post())
    expect([job.snapshot(), snapshot(folder)]).toEqual(before)
  })

  test('into a folder that is not there is refused in words, and nothing is made', async () => {
    const folder = stage.newFolder()
    const job = await linked(join(folder, 'no', 'real.json'))
    const before = job.snapshot()
    expectFailure(await logIn(job), "real.json can't be written (ENOENT)", WRITER_KEY)
    expectSuccess(await job.post())
    expect([job.snapshot(), snapshot(folder)]).toEqual([before, {}])
  })

  test('to a folder is refused in words', async () => {
    const folder = stage.newFolder()
    const job = await linked(folder)
    const before = job.snapshot()
    expectFailure(await logIn(job), `${folder} can't be used: it is not a file.`, WRITER_KEY)
    expect([job.snapshot(), snapshot(folder)]).toEqual([before, {}])
  })

  test('to a pipe is refused in words: nobody waits for what never comes', async () => {
    const pipe = join(stage.newFolder(), 'pipe')
    await runWell(needProgram('mkfifo'), [pipe])
    const job = await linked(pipe)
    expectFailure(await logIn(job), `${pipe} can't be used: it is not a file.`, WRITER_KEY)
    expect(lstatSync(pipe).isFIFO()).toBe(true)
  })

  test('to /dev/null keeps no login: neither is replaced, and the error says what to do', async () => {
    const job = await linked('/dev/null')
    const before = job.snapshot()
    const message = expectFailure(await logIn(job), "can't hold a login: it leads to /dev/null", WRITER_KEY)
    expect(message).toContain(join(job.home, '.docker', 'config.json'))
    expect(message).toContain('isolate: true')
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual(before)
    expect([lstatSync('/dev/null').isCharacterDevice(), readdirSync('/dev').join(' ')]).toEqual([
      true,
      expect.not.stringContaining('icr-login')
    ])
  })

  test('to /dev/null does not matter to a job with isolate: true', async () => {
    const job = await linked('/dev/null')
    const before = job.snapshot()
    const main = await logIn(job, { isolate: 'true' })
    expectSuccess(main)
    expect(shown(readText(join(main.outputs['docker-config'] ?? '', 'config.json')))).toEqual(ours)
    expectSuccess(await job.post())
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([before, {}])
  })
})

describe('A folder for config.json', () => {
  test('that is a link to another folder stays one', async () => {
    const folder = stage.newFolder()
    const job = await stage.newJob()
    symlinkSync(folder, join(job.home, '.docker'))
    const before = job.snapshot()
    expectSuccess(await logIn(job))
    expect(shown(readText(join(folder, 'config.json')))).toEqual(ours)
    expectSuccess(await job.post())
    expect([job.snapshot(), snapshot(folder)]).toEqual([before, {}])
  })

  test.each([
    [
      'a link to /dev/null',
      (path: string) => {
        symlinkSync('/dev/null', path)
      }
    ],
    [
      'a file',
      (path: string) => {
        writeFileSync(path, 'mine')
      }
    ]
  ])('that is %s is refused in words, and left', async (_, make) => {
    const job = await stage.newJob()
    const folder = join(job.home, '.docker')
    make(folder)
    const before = job.snapshot()
    expectFailure(
      await logIn(job),
      `${join(folder, 'config.json')} can't be used: it can't be read (ENOTDIR)`,
      WRITER_KEY
    )
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual(before)
  })
})

const SOMEBODY = 12_345
const NOBODY = 65_534
const asRoot = process.getuid?.() === 0 ? test : test.skip

describe('A config.json of somebody else’s', () => {
  /** Lets a step run as another user, in folders of its own. */
  async function startAs(user: number): Promise<Job> {
    const preload = join(import.meta.dirname, 'support', 'as-user.mjs')
    const env = { AS_USER: String(user), NODE_OPTIONS: `--import ${preload}`, NODE_V8_COVERAGE: undefined }
    // This project may lie where only root may go.
    const action = stage.newFolder()
    chmodSync(action, 0o755)
    for (const name of ['action.yml', 'dist'])
      cpSync(join(import.meta.dirname, '../..', name), join(action, name), { recursive: true })
    const job = await stage.newJob({ action, env })
    const root = join(job.home, '..')
    chmodSync(root, 0o777)
    for (const name of readdirSync(root)) chownSync(join(root, name), user, user)
    return job
  }

  /** The step's files are made by the runner, as root, when it starts: anyone may write to them here. */
  async function openly<T>(work: () => Promise<T>): Promise<T> {
    const before = process.umask(0)
    return await work().finally(() => process.umask(before))
  }

  function makeTheirs(folder: string, mode = 0o644, name = 'config.json'): string {
    const file = join(folder, name)
    writeFileSync(file, ofTheUser())
    chmodSync(file, mode)
    chownSync(file, SOMEBODY, SOMEBODY)
    return file
  }

  const ownerOf = (path: string): number => lstatSync(path).uid

  asRoot(
    'is edited by root, and stays theirs: a job in a container is often root in such a home',
    async () => {
      const folder = stage.newFolder()
      const theirs = makeTheirs(folder, 0o600, 'theirs.json')
      const job = await stage.newJob({ env: { DOCKER_CONFIG: folder } })
      symlinkSync('theirs.json', join(folder, 'config.json'))
      const before = snapshot(folder)
      expectSuccess(await logIn(job))
      expect([shown(readText(theirs)), ownerOf(theirs), modeOf(theirs)]).toEqual([ours, SOMEBODY, '600'])
      expectSuccess(await job.post())
      expect([snapshot(folder), ownerOf(theirs)]).toEqual([before, SOMEBODY])
    }
  )

  asRoot.each([
    ['in the user’s own folder', false],
    ['that a link leads to', true]
  ])('%s is refused in words: a new file would not be theirs', async (_, byLink) => {
    const job = await startAs(NOBODY)
    const folder = join(job.home, '.docker')
    mkdirSync(folder)
    chownSync(folder, NOBODY, NOBODY)
    const place = byLink ? stage.newFolder() : folder
    chmodSync(place, 0o777)
    const theirs = makeTheirs(place)
    if (byLink) symlinkSync(theirs, join(folder, 'config.json'))
    const before = [job.snapshot(), snapshot(place)]
    const main = await openly(() => logIn(job))
    const message = expectFailure(main, `${theirs} belongs to another user.`, WRITER_KEY)
    expect(message).toContain('isolate: true')
    expectSuccess(await openly(() => job.post()))
    expect([job.snapshot(), snapshot(place), ownerOf(theirs)]).toEqual([...before, SOMEBODY])
  })

  asRoot('that only they can read is refused in words', async () => {
    const job = await startAs(NOBODY)
    const folder = join(job.home, '.docker')
    mkdirSync(folder)
    chownSync(folder, NOBODY, NOBODY)
    const theirs = makeTheirs(stage.newFolder(), 0o600)
    chmodSync(join(theirs, '..'), 0o755)
    symlinkSync(theirs, join(folder, 'config.json'))
    const main = await openly(() => logIn(job))
    expectFailure(main, `${theirs} can't be used: it can't be read (EACCES)`, WRITER_KEY)
    expect([readFileSync(theirs, 'utf8'), ownerOf(theirs)]).toEqual([ofTheUser(), SOMEBODY])
  })

  asRoot('in a folder that only they can write to is refused in words', async () => {
    const job = await startAs(NOBODY)
    const folder = stage.newFolder()
    chmodSync(folder, 0o755)
    chownSync(folder, SOMEBODY, SOMEBODY)
    const theirs = makeTheirs(folder)
    symlinkSync(folder, join(job.home, '.docker'))
    const before = snapshot(folder)
    const main = await openly(() => logIn(job))
    expectFailure(main, "can't be written (EACCES)", WRITER_KEY)
    expect([snapshot(folder), ownerOf(theirs)]).toEqual([before, SOMEBODY])
  })
})
