// A home that several jobs, users, containers and processes share, and a disk that is full.
import { spawn } from 'node:child_process'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { dockerConfigDirectory, entryOf, readConfig } from '../../../../src/docker/config/file.ts'
import { acquireLock } from '../../../../src/docker/config/lock.ts'
import {
  addLogins,
  describeRemaining,
  hashJob,
  keepLogins,
  removeLogins
} from '../../../../src/docker/config/user-config.ts'
import { runWell } from '../../../support/child.ts'
import { measured } from '../../../support/measured.ts'
import { node24 } from '../../../support/node24-path.mjs'
import { makeContext, type RecordingContext } from '../../support/context.ts'
import { setVariables, useOwnEnvironment } from '../../support/environment.ts'
import { listing, makeFolder, modeOf } from '../../support/home.ts'
import { userError } from '../../support/throwing.ts'

useOwnEnvironment()

const HOST = 'us.icr.io'
const USER_TEXT = '{"auths":{"us.icr.io":{"auth":"user"}}}'
const asRoot = process.getuid?.() === 0 ? test : test.skip

let directory: string

beforeEach(() => {
  directory = join(makeFolder(), 'docker')
})

const logIn = async (
  id: string,
  { at = directory, host = HOST, job = id, username = 'iamapikey' } = {}
): Promise<RecordingContext> => {
  const context = makeContext()
  await addLogins(at, { loginId: id, job }, [{ host, username, entry: { auth: id } }], context)
  return context
}
const logOut = async (id: string, at = directory): Promise<string[]> =>
  (await removeLogins(at, id, makeContext())).map(({ host, outcome }) => `${host} ${outcome}`)
const shown = (at = directory): unknown => entryOf(readConfig(join(at, 'config.json')), HOST)

function given(text: string): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'config.json'), text, { mode: 0o600 })
}

describe('one directory that is seen at two paths, as by a machine and its container:', () => {
  /** The same directory, from now on at another path. */
  function moveTo(name: string): string {
    const other = join(makeFolder(), name)
    renameSync(directory, other)
    directory = other
    return other
  }

  test.each([
    ['a', 'b'],
    ['b', 'a']
  ])('the user’s own login is back when %s, then %s have ended', async (first, second) => {
    given(USER_TEXT)
    await logIn('a')
    await logIn('b', { at: moveTo('mounted') })
    expect(shown()).toEqual({ auth: 'b' })
    await logOut(first, moveTo('again'))
    expect(shown()).toEqual({ auth: second })
    await logOut(second)
    expect(listing(directory)).toEqual({ 'config.json': USER_TEXT })
  })

  test('a ledger for another file is never overwritten while it has a login', async () => {
    await logIn('a')
    const ledger = join(directory, 'icr-login.json')
    const text = readFileSync(ledger, 'utf8').replace('"config.json"', '"other.json"')
    writeFileSync(ledger, text)
    expect(await userError(logIn('b'))).toContain('is not the file that was logged in to')
    expect(readFileSync(ledger, 'utf8')).toBe(text)
  })
})

describe('a login of another job for the same host', () => {
  test('is named with its user and time, and isolate: true', async () => {
    await logIn('a')
    const [warning = '', ...more] = (await logIn('b')).warnings
    expect(more).toEqual([])
    expect(warning).toMatch(/logged in to us\.icr\.io as iamapikey since 20\d\d-.*Z.*isolate: true/u)
  })

  test('is no reason to warn where it is of the same job, of the same secret, or of another host', async () => {
    await logIn('a', { job: 'one' })
    expect((await logIn('b', { job: 'one' })).warnings).toEqual([])
    expect((await logIn('b', { job: 'two' })).warnings).toEqual([])
    expect((await logIn('c', { job: 'two', host: 'de.icr.io' })).warnings).toEqual([])
  })

  test('that was kept for good is no reason to warn, for either', async () => {
    await logIn('a')
    await logIn('b')
    await keepLogins(directory, 'b', makeContext())
    expect(await logOut('a')).toEqual([`${HOST} shared`])
    expect(shown()).toEqual({ auth: 'b' })
  })

  test('is of the same job where the runner says so', () => {
    const run = { GITHUB_RUN_ID: '1', GITHUB_RUN_ATTEMPT: '1', GITHUB_JOB: 'test', RUNNER_NAME: 'r' }
    const tracked = { ...run, RUNNER_TRACKING_ID: 'github_1' }
    expect(hashJob({ ...tracked, GITHUB_RUN_ID: '2' })).toBe(hashJob(tracked))
    const others = [tracked, run, { ...run, RUNNER_NAME: 's' }, { ...run, GITHUB_RUN_ATTEMPT: '2' }, {}]
    expect(new Set(others.map(hashJob)).size).toBe(others.length)
    expect(hashJob(run)).toMatch(/^[0-9a-f]{64}$/u)
  })
})

describe('what was made', () => {
  test('is removed again with the directories above it, as far as they are empty', async () => {
    const home = makeFolder()
    mkdirSync(join(home, 'there'))
    const at = join(home, 'there', 'a', 'b', 'c')
    await logIn('a', { at })
    await logIn('b', { at, host: 'de.icr.io' })
    await logOut('a', at)
    await logOut('b', at)
    expect(listing(home)).toEqual({ there: '/' })
    await logIn('a', { at })
    writeFileSync(join(at, '..', 'mine'), '')
    await logOut('a', at)
    expect(listing(home)).toEqual({ there: '/', 'there/a': '/', 'there/a/b': '/', 'there/a/b/mine': '' })
  })

  test.each(['~', '~/.docker', '~user/x'])(
    'never lies in a directory called ~: DOCKER_CONFIG=%s is refused',
    async (set) => {
      setVariables({ DOCKER_CONFIG: set })
      expect(await userError(() => dockerConfigDirectory())).toContain(`DOCKER_CONFIG is "${set}"`)
    }
  )

  asRoot('by root belongs to the owner of the nearest directory that was there', async () => {
    const home = makeFolder()
    chownSync(home, 12_345, 23_456)
    const at = join(home, 'a', 'docker')
    await logIn('a', { at })
    const owners = ['a', 'a/docker', 'a/docker/config.json', 'a/docker/icr-login.json'].map((name) => {
      const { uid, gid } = lstatSync(join(home, name))
      return [name, uid, gid]
    })
    expect(owners.map(([, ...owner]) => owner)).toEqual(owners.map(() => [12_345, 23_456]))
  })

  asRoot('by root to lock the others out belongs to the owner of the directory', async () => {
    const home = makeFolder()
    chownSync(home, 12_345, 23_456)
    const path = join(home, 'icr-login.lock')
    const lock = await acquireLock(path, makeContext())
    const { uid, gid } = lstatSync(path)
    lock.release()
    expect([uid, gid]).toEqual([12_345, 23_456])
  })

  asRoot('of a file that a group can read is the group’s again', async () => {
    given(USER_TEXT)
    const path = join(directory, 'config.json')
    chownSync(path, 0, 23_456)
    await runWell('chmod', ['640', path])
    await logIn('a')
    expect(modeOf(path)).toBe('600')
    await logOut('a')
    expect([modeOf(path), lstatSync(path).gid]).toEqual(['640', 23_456])
  })
})

describe('what could not be removed', () => {
  const describeAll = (): string[] =>
    describeRemaining(directory, 'a', [HOST, 'de.icr.io'], '2030-01-01T00:00:00Z')

  test('is named with its user, file, time and command', async () => {
    await logIn('a')
    given('{')
    expect(describeAll()).toEqual([
      `The login for us.icr.io as iamapikey may still be in ${join(directory, 'config.json')}. ` +
        'It expires 2030-01-01T00:00:00Z. To remove it, run: docker logout us.icr.io'
    ])
  })

  test('is named without a user where the ledger can’t be read', async () => {
    await logIn('a')
    writeFileSync(join(directory, 'icr-login.json'), '[]')
    expect(describeAll().map((line) => line.replace(/ may .*: /u, ' … '))).toEqual([
      'The login for us.icr.io … docker logout us.icr.io',
      'The login for de.icr.io … docker logout de.icr.io'
    ])
  })

  test('is nothing where nothing is held', () => {
    expect(describeAll()).toEqual([])
  })

  test('never says "run the job again"', async () => {
    await logIn('a')
    writeFileSync(join(directory, 'config.json'), '[]')
    expect(await userError(logOut('a'))).not.toMatch(/run the job/iu)
  })
})

describe('a full disk', () => {
  let mounted: string | undefined

  afterEach(async () => {
    if (mounted !== undefined) await runWell('umount', [mounted])
    mounted = undefined
  })

  async function mount(options: string): Promise<void> {
    mounted = makeFolder()
    await runWell('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', mounted])
    directory = join(mounted, 'docker')
  }

  function fillBlocks(): void {
    const { bavail, bsize } = statfsSync(directory)
    writeFileSync(join(directory, '..', 'filler'), Buffer.alloc(bavail * bsize))
  }

  function fillInodes(): void {
    for (let at = 0; statfsSync(directory).ffree > 0; at++)
      writeFileSync(join(directory, '..', `filler-${at}`), '')
  }

  const sizes: [string, string, () => void][] = [
    ['blocks', 'size=64k', fillBlocks],
    ['inodes', 'nr_inodes=12', fillInodes]
  ]
  const texts: [string, string | undefined][] = [
    ['nothing', undefined],
    ['a login of the user’s', USER_TEXT],
    ['docker’s own layout', '{\n\t"auths": {\n\t\t"ghcr.io": {\n\t\t\t"auth": "x"\n\t\t}\n\t}\n}']
  ]

  for (const [what, options, fill] of sizes) {
    asRoot.each(texts)(`(${what}): the login is gone after post, and %s is back`, async (_, text) => {
      await mount(options)
      if (text !== undefined) given(text)
      await logIn('a-login-that-is-rather-long-like-a-key')
      await logIn('b-login-that-is-rather-long-like-a-key')
      fill()
      expect(await logOut('a-login-that-is-rather-long-like-a-key')).toEqual([`${HOST} shared`])
      expect(shown()).toEqual({ auth: 'b-login-that-is-rather-long-like-a-key' })
      await logOut('b-login-that-is-rather-long-like-a-key')
      expect(existsSync(directory) ? listing(directory) : {}).toEqual(
        text === undefined ? {} : { 'config.json': text }
      )
    })

    asRoot(
      `(${what}): where the original is longer, the login is gone, and the warning says what is not restored`,
      async () => {
        await mount(options)
        given(JSON.stringify({ auths: { [HOST]: { auth: 'x'.repeat(200) } } }))
        await logIn('short')
        fill()
        const context = makeContext()
        await removeLogins(directory, 'short', context)
        expect(JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'))).toEqual({ auths: {} })
        expect(readdirSync(directory)).toEqual(['config.json'])
        expect(context.warnings).toEqual([
          expect.stringMatching(
            /^The disk is full\. .*config\.json.* the earlier login for us\.icr\.io was not restored/u
          )
        ])
      }
    )

    asRoot(`(${what}): a login is refused, and nothing is changed`, async () => {
      await mount(options)
      given(USER_TEXT)
      fill()
      expect(await userError(logIn('a'))).toContain('ENOSPC')
      expect(listing(directory)).toEqual({ 'config.json': USER_TEXT })
    })
  }
})

describe('eight processes', () => {
  const program = fileURLToPath(new URL('../../support/jobs.ts', import.meta.url))
  const args = (host: string): string[] => ['--no-warnings', program, directory, host, '20']

  test('lose no login, and leave the file as it was; half of them killed, the others do', async () => {
    given(USER_TEXT)
    const hosts = Array.from({ length: 4 }, (_, at) => `r${at}.icr.io`)
    const killed = hosts.map((host) => spawn(node24(), args(host), { env: measured(), stdio: 'ignore' }))
    const living = hosts.map((host) => runWell(node24(), args(`x-${host}`), { env: measured() }))
    const ended = killed.map(async (child) => new Promise((resolve) => child.once('exit', resolve)))
    await wait(500)
    for (const child of killed) child.kill('SIGKILL')
    await Promise.all([...ended, ...living])
    for (const { id } of heldLogins()) await removeLogins(directory, id, makeContext({ patient: true }))
    expect(listing(directory)).toEqual({ 'config.json': USER_TEXT })
  }, 20_000)

  function heldLogins(): { id: string }[] {
    const path = join(directory, 'icr-login.json')
    if (!existsSync(path)) return []
    const { hosts } = JSON.parse(readFileSync(path, 'utf8')) as {
      hosts: Record<string, { logins: { id: string }[] }>
    }
    return Object.values(hosts).flatMap(({ logins }) => logins)
  }
})

test('a job that came too late, after its own post has begun, writes nothing', async () => {
  given(USER_TEXT)
  const context = {
    ...makeContext(),
    checkActive: () => {
      throw new Error('post has begun')
    }
  }
  await expect(
    addLogins(directory, { loginId: 'a', job: 'a' }, [{ host: HOST, entry: {} }], context)
  ).rejects.toThrow('post has begun')
  expect(listing(directory)).toEqual({ 'config.json': USER_TEXT })
  rmSync(directory, { recursive: true })
})
