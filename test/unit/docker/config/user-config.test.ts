// The user's config.json: what a login does to it, and that all of it is undone.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  configPath,
  dockerConfigDirectory,
  entryOf,
  helperFor,
  readConfig
} from '../../../../src/docker/config/file.ts'
import {
  addLogins,
  keepLogins,
  removeLogins,
  type HeldLogin
} from '../../../../src/docker/config/user-config.ts'
import type { Context } from '../../../../src/context.ts'
import { UserError } from '../../../../src/errors/user-error.ts'
import { thisMachine } from '../../../../src/docker/config/lock.ts'
import {
  Conflict,
  explainWrite,
  removeDrafts,
  removeExact,
  writeAtomic
} from '../../../../src/docker/config/write.ts'
import { runWell } from '../../../support/child.ts'
import { makeContext } from '../../support/context.ts'
import { listing, makeFolder, modeOf } from '../../support/home.ts'
import { userError } from '../../support/throwing.ts'

const HOST = 'us.icr.io'
const A = 'aaaaaaaaaaaaaaaa'
const B = 'bbbbbbbbbbbbbbbb'
const DAY = 24 * 60 * 60 * 1000

let directory: string
let path: string

beforeEach(() => {
  directory = join(makeFolder(), 'docker')
  path = join(directory, 'config.json')
})

/** The ID of a process that has ended. */
const deadPid = async (): Promise<number> =>
  Number(await runWell(process.execPath, ['-e', 'console.log(process.pid)']))

/** As if the process that ran the job had ended. */
async function endRunner(loginId: string): Promise<void> {
  const ledger = join(directory, 'icr-login.json')
  const ended = `"id":"${loginId}","job":"${loginId}"`
  const pid = await deadPid()
  const text = readFileSync(ledger, 'utf8')
  writeFileSync(
    ledger,
    text.replaceAll(/\{"id":[^}]*"pid":\d+/g, (login) =>
      login.includes(ended) ? login.replace(/\d+$/, String(pid)) : login
    )
  )
}
const owner = (loginId: string, job = loginId): { loginId: string; job: string } => ({ loginId, job })
const loginOf = (text: string, host = HOST): HeldLogin => ({ host, entry: { auth: text } })

function given(text: string | Buffer, mode = 0o600): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

const logIn = async (nonce: string, ...logins: HeldLogin[]): Promise<unknown> =>
  await addLogins(directory, owner(nonce), logins, makeContext())
const logOut = async (nonce: string): Promise<unknown> => {
  const releases = await removeLogins(directory, nonce, makeContext())
  return releases.map(({ host, outcome }) => `${host} ${outcome}`)
}
const shown = (host = HOST): unknown => {
  return entryOf(readConfig(path), host)
}

describe('where docker keeps its config', () => {
  const before = process.env['DOCKER_CONFIG']

  afterEach(() => {
    if (before === undefined) delete process.env['DOCKER_CONFIG']
    else process.env['DOCKER_CONFIG'] = before
  })

  test.each([
    [undefined, join(homedir(), '.docker')],
    ['', join(homedir(), '.docker')],
    ['/some/where', '/some/where'],
    ['/some/../where/', '/where'],
    ['some', join(process.cwd(), 'some')]
  ])('with DOCKER_CONFIG=%j it is %s', (value, expected) => {
    if (value === undefined) delete process.env['DOCKER_CONFIG']
    else process.env['DOCKER_CONFIG'] = value
    expect(dockerConfigDirectory()).toBe(expected)
    expect(configPath(expected)).toBe(join(expected, 'config.json'))
  })
})

describe('a home without a config', () => {
  test('gets one that only this user can read, and loses it again', async () => {
    await logIn(A, loginOf('1'), loginOf('2', 'de.icr.io'))
    expect([directory, path, join(directory, 'icr-login.json')].map(modeOf)).toEqual(['700', '600', '600'])
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      auths: { [HOST]: { auth: '1' }, 'de.icr.io': { auth: '2' } }
    })
    expect(await logOut(A)).toEqual([`${HOST} removed`, 'de.icr.io removed'])
    expect(existsSync(directory)).toBe(false)
  })

  test('loses the file but keeps the folder where that was there', async () => {
    mkdirSync(directory, { mode: 0o755 })
    await logIn(A, loginOf('1'))
    await logOut(A)
    expect([listing(directory), modeOf(directory)]).toEqual([{}, '755'])
  })

  test('keeps the folder where somebody has put something there since', async () => {
    await logIn(A, loginOf('1'))
    writeFileSync(join(directory, 'daemon.json'), '{}')
    await logOut(A)
    expect(listing(directory)).toEqual({ 'daemon.json': '{}' })
  })

  test('keeps the login that somebody else has made since', async () => {
    await logIn(A, loginOf('1'))
    const config = JSON.parse(readFileSync(path, 'utf8')) as { auths: object }
    writeFileSync(path, JSON.stringify({ auths: { ...config.auths, 'ghcr.io': { auth: 'x' } } }))
    expect(await logOut(A)).toEqual([`${HOST} removed`])
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ auths: { 'ghcr.io': { auth: 'x' } } })
  })

  test('has nothing to undo where nothing was done', async () => {
    expect(await logOut(A)).toEqual([])
    expect(existsSync(directory)).toBe(false)
  })
})

describe('a config that is there', () => {
  const whole = `{
	"auths": {
		"us.icr.io": {
			"auth": "dXNlcjpvbGQ=",
			"email": "me@example.test"
		},
		"ghcr.io": {}
	},
	"zzz": [1, 2.50, 1e3],
	"HttpHeaders": {"X": "\\u003c"},
	"credHelpers": {
		"gcr.io": "gcloud"
	},
	"aaa": null
}
`

  test.each([
    ['docker’s own', whole],
    ['one line', '{"b":1,"auths":{"us.icr.io":{"auth":"dTpw"}},"a":2}'],
    ['with CR and LF', whole.replaceAll('\n', '\r\n')],
    ['no auths', '{\n\t"credHelpers": {},\n\t"psFormat": "x"\n}'],
    ['empty auths', '{\n\t"auths": {}\n}'],
    ['an empty object', '{}'],
    ['an empty object with blanks', ' { \n } \n'],
    ['no byte at all', ''],
    ['a blank', ' \n'],
    ['auths of null, which docker reads', '{"auths":null,"credHelpers":null}'],
    ['auths in another case, which docker reads', '{"Auths":{"us.icr.io":{"auth":"dTpw"}}}'],
    [
      'our host’s entry with blanks and escapes',
      '{"auths" : {"us.icr.io":{ "auth":"\\u0064Tpw", "n": 1.50 }}}'
    ],
    ['empty auths with blanks', '{"auths": {\n\n} }'],
    ['an entry of null', '{\n\t"auths": {\n\t\t"us.icr.io": null\n\t}\n}'],
    ['an entry that is a text', '{"auths":{"us.icr.io":"x","de.icr.io":[1]}}'],
    ['numbers that no double holds', '{"auths":{},"n":[12345678901234567890,1e400,-0]}'],
    ['a key __proto__', '{"auths":{"__proto__":{"auth":"x"}},"__proto__":1}']
  ])('(%s) is byte for byte what it was when the job is over', async (_, text) => {
    given(text)
    await logIn(A, loginOf('1'), loginOf('2', 'de.icr.io'))
    expect([shown(), shown('de.icr.io')]).toEqual([{ auth: '1' }, { auth: '2' }])
    await logOut(A)
    expect(listing(directory)).toEqual({ 'config.json': text })
  })

  test('keeps every other value, in docker’s own layout, while the login is held', async () => {
    given(whole)
    await logIn(A, loginOf('1'))
    const { auths, ...others } = JSON.parse(whole) as { auths: object }
    const held = { auths: { ...auths, [HOST]: { auth: '1' } }, ...others }
    expect(readFileSync(path, 'utf8')).toBe(JSON.stringify(held, undefined, '\t').replaceAll('<', '\\u003c'))
  })

  test.each([0o644, 0o640, 0o400])(
    'of mode %o is for this user alone meanwhile, and what it was after',
    async (mode) => {
      given(whole, mode)
      await logIn(A, loginOf('1'))
      await logIn(B, loginOf('2'))
      expect(modeOf(path)).toBe('600')
      await logOut(A)
      expect(modeOf(path)).toBe('600')
      await logOut(B)
      expect(modeOf(path)).toBe(mode.toString(8))
    }
  )

  test('keeps the mode that somebody has given it since', async () => {
    given(whole, 0o644)
    await logIn(A, loginOf('1'))
    chmodSync(path, 0o660)
    await logOut(A)
    expect(modeOf(path)).toBe('660')
  })

  test('that is reached by a link stays a link', async () => {
    const real = join(makeFolder(), 'real.json')
    writeFileSync(real, whole)
    mkdirSync(directory)
    symlinkSync(real, path)
    await logIn(A, loginOf('1'))
    expect([listing(directory)['config.json'], shown()]).toEqual([`-> ${real}`, { auth: '1' }])
    await logOut(A)
    expect([listing(directory), readFileSync(real, 'utf8')]).toEqual([{ 'config.json': `-> ${real}` }, whole])
  })

  test('that has become a link to another file since is not followed there', async () => {
    await logIn(A, loginOf('1'))
    const other = join(makeFolder(), 'other.json')
    writeFileSync(other, '{"auths":{}}')
    rmSync(path)
    symlinkSync(other, path)
    expect(await userError(logOut(A))).toContain('is not the file that was logged in to')
    expect(readFileSync(other, 'utf8')).toBe('{"auths":{}}')
  })

  test.each([
    ['one link', ['real.json']],
    ['a chain of links', ['next', 'real.json']]
  ])('that is a link to nothing yet (%s) becomes the file there, and nothing again', async (_, chain) => {
    const folder = makeFolder()
    mkdirSync(directory)
    const links = [path, ...chain.map((name) => join(folder, name))]
    links.slice(1).forEach((target, at) => {
      symlinkSync(target, links[at] ?? '')
    })
    const before = [listing(directory), listing(folder)]
    await logIn(A, loginOf('1'))
    expect(shown()).toEqual({ auth: '1' })
    expect(statSync(join(folder, 'real.json')).isFile()).toBe(true)
    await logOut(A)
    expect([listing(directory), listing(folder)]).toEqual(before)
  })

  test('that somebody deleted since is not made again', async () => {
    given(whole)
    await logIn(A, loginOf('1'))
    rmSync(path)
    expect(await logOut(A)).toEqual([`${HOST} changed`])
    expect(listing(directory)).toEqual({})
  })

  test('that somebody emptied since is left empty', async () => {
    given(whole)
    await logIn(A, loginOf('1'))
    writeFileSync(path, '')
    expect(await logOut(A)).toEqual([`${HOST} changed`])
    expect(listing(directory)).toEqual({ 'config.json': '' })
  })

  test('shows what somebody else wrote since, and is not touched', async () => {
    given(whole)
    await logIn(A, loginOf('1'))
    const theirs = '{"auths":{"us.icr.io":{"auth":"theirs"}}}'
    writeFileSync(path, theirs)
    expect(await logOut(A)).toEqual([`${HOST} changed`])
    expect(listing(directory)).toEqual({ 'config.json': theirs })
  })

  test('keeps a login that is to stay', async () => {
    given(whole)
    await logIn(A, loginOf('1'))
    const held = readFileSync(path, 'utf8')
    await keepLogins(directory, A, makeContext())
    expect(listing(directory)).toEqual({ 'config.json': held })
    expect(await logOut(A)).toEqual([])
    expect(listing(directory)).toEqual({ 'config.json': held })
  })

  test('is left alone by keep where there is nothing to keep', async () => {
    given(whole)
    await keepLogins(directory, A, makeContext())
    expect(listing(directory)).toEqual({ 'config.json': whole })
  })
})

describe('a config that docker could not read either', () => {
  test.each([
    ['it begins with a byte order mark', '\uFEFF{"auths":{}}'],
    ['it is not JSON', '{"auths":{}'],
    ['it is not JSON', '{"auths":{},}'],
    ['it is not JSON', 'auths: {}'],
    ['it is not JSON', '{"a":1}{"b":2}'],
    ['it is not a JSON object', '[]'],
    ['it is not a JSON object', 'null'],
    ['it is not a JSON object', '"text"'],
    ['its auths is not an object', '{"auths":[]}'],
    ['its auths is not an object', '{"AUTHS":[]}'],
    ['a key stands in it twice', '{"auths":{"us.icr.io":{"auth":"x"},"us.icr.io":{}}}'],
    ['a key stands in it twice', '{"a":{"b":[{"x":1,"\\u0078" :2}]}}'],
    ['a key stands in it twice', '{"credsStore":"a","credsstore":"b"}'],
    ['it is nested more than 500 levels deep', `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['its credHelpers is not an object', '{"auths":{},"credHelpers":"pass"}'],
    ['it is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['it is not JSON', Buffer.from('{"a":1}', 'utf16le')]
  ])('is refused (%s) and left byte for byte: %j', async (why, bytes) => {
    given(bytes, 0o640)
    expect(await userError(logIn(A, loginOf('1')))).toContain(`${path} can't be used: ${why}`)
    expect(await userError(logOut(A))).toContain(why)
    expect(listing(directory)).toEqual({ 'config.json': readFileSync(path, 'latin1') })
    expect([readFileSync(path), modeOf(path)]).toEqual([Buffer.from(bytes), '640'])
  })

  test('such as a folder, is refused', async () => {
    mkdirSync(path, { recursive: true })
    expect(await userError(logIn(A, loginOf('1')))).toContain(`${path} can't be used: it is not a file.`)
  })

  test('such as a link to itself, is refused', async () => {
    mkdirSync(directory)
    symlinkSync(path, path)
    expect(await userError(logIn(A, loginOf('1')))).toContain("can't be read (ELOOP)")
    expect(listing(directory)).toEqual({ 'config.json': `-> ${path}` })
  })
})

describe('jobs that share a home', () => {
  test('bring back what the user had, in whichever order they end', async () => {
    for (const order of [
      [A, B],
      [B, A]
    ] as const) {
      given('{"auths":{"us.icr.io":{"auth":"user"}}}')
      await logIn(A, loginOf('1'))
      await logIn(B, loginOf('2'))
      expect(await logOut(order[0])).toEqual([`${HOST} shared`])
      expect(shown()).toEqual({ auth: order[0] === A ? '2' : '1' })
      expect(await logOut(order[1])).toEqual([`${HOST} restored`])
      expect(listing(directory)).toEqual({ 'config.json': '{"auths":{"us.icr.io":{"auth":"user"}}}' })
    }
  })

  test('and log in at the same time lose no login', async () => {
    const names = Array.from({ length: 16 }, (_, at) =>
      `${at.toString(16).padStart(2, '0')}${A}`.slice(0, 16)
    )
    const context = (): ReturnType<typeof makeContext> => makeContext({ patient: true })
    await Promise.all(
      names.map(async (nonce, at) => {
        await addLogins(directory, owner(nonce), [loginOf(nonce, `r${at}.icr.io`), loginOf(nonce)], context())
      })
    )
    names.forEach((nonce, at) => {
      expect(shown(`r${at}.icr.io`)).toEqual({ auth: nonce })
    })
    await Promise.all(names.map(async (nonce) => await removeLogins(directory, nonce, context())))
    expect(existsSync(directory)).toBe(false)
  })

  test('put out the login of a job that died five days ago, and bring back what lay below it', async () => {
    given('{"auths":{"us.icr.io":{"auth":"user"}}}')
    const longAgo = { ...makeContext(), now: () => Date.now() - 5 * DAY - 1000 }
    await addLogins(directory, owner(A), [loginOf('dead'), loginOf('dead', 'de.icr.io')], longAgo)
    await endRunner(A)
    const dropped = await addLogins(directory, owner(B), [loginOf('2')], makeContext())
    expect(dropped.map(({ host, outcome }) => `${host} ${outcome}`)).toEqual([
      `${HOST} restored`,
      'de.icr.io removed'
    ])
    expect([shown(), shown('de.icr.io')]).toEqual([{ auth: '2' }, undefined])
    expect(await logOut(B)).toEqual([`${HOST} restored`])
    expect(listing(directory)).toEqual({ 'config.json': '{"auths":{"us.icr.io":{"auth":"user"}}}' })
  })

  test('that died leave what somebody else has written since', async () => {
    given('{"auths":{"us.icr.io":{"auth":"user"}}}')
    const longAgo = { ...makeContext(), now: () => Date.now() - 5 * DAY - 1000 }
    await addLogins(directory, owner(A), [loginOf('dead')], longAgo)
    await endRunner(A)
    given('{"auths":{"us.icr.io":{"auth":"somebody"}}}')
    const dropped = await addLogins(directory, owner(B), [loginOf('2', 'de.icr.io')], makeContext())
    expect(dropped.map(({ host, outcome }) => `${host} ${outcome}`)).toEqual([`${HOST} changed`])
    expect(shown()).toEqual({ auth: 'somebody' })
  })

  test('that died meanwhile do not bring back what somebody has logged out of', async () => {
    given('{"auths":{"us.icr.io":{"auth":"user"}}}')
    const at = (days: number): Context => ({
      ...makeContext(),
      now: () => Date.now() + days * DAY,
      checkActive: () => undefined,
      deadline: Infinity
    })
    await addLogins(directory, owner(A), [loginOf('dead')], at(-4.9))
    await endRunner(A)
    given('{"auths":{}}')
    await addLogins(directory, owner(B), [loginOf('2')], at(0))
    const releases = await removeLogins(directory, B, at(0.2))
    expect(releases.map(({ outcome }) => outcome)).toEqual(['removed', 'changed'])
    expect(listing(directory)).toEqual({ 'config.json': '{"auths":{}}' })
  })

  test.each([6, -6])('are not put out while they run, though a clock is %d days off', async (days) => {
    await logIn(A, loginOf('1'))
    const off = { ...makeContext(), now: () => Date.now() + days * DAY, deadline: Infinity }
    expect(await addLogins(directory, owner(B), [loginOf('2', 'de.icr.io')], off)).toEqual([])
    await removeLogins(directory, B, off)
    expect(shown()).toEqual({ auth: '1' })
    expect(await logOut(A)).toEqual([`${HOST} removed`])
  })

  test('that died are put out by the last one that ends, too', async () => {
    const longAgo = { ...makeContext(), now: () => Date.now() - 5 * DAY - 1000 }
    await logIn(B, loginOf('2', 'de.icr.io'))
    await addLogins(directory, owner(A), [loginOf('dead')], longAgo)
    await endRunner(A)
    expect(await logOut(B)).toEqual(['de.icr.io removed', `${HOST} removed`])
    expect(existsSync(directory)).toBe(false)
  })
})

describe('what a killed process left', () => {
  const drafts = ['config.json', 'icr-login.json'].map((name) => `${name}.icr-login-`)

  test('of its own writing is removed by its cleanup, even where it held nothing yet', async () => {
    given('{"auths":{}}')
    for (const draft of drafts) writeFileSync(join(directory, `${draft}${A}`), 'x')
    expect(await logOut(A)).toEqual([])
    expect(listing(directory)).toEqual({ 'config.json': '{"auths":{}}' })
  })

  test('without ever a cleanup is removed by the next job that comes by', async () => {
    const real = join(makeFolder(), 'real.json')
    writeFileSync(real, '{"auths":{}}')
    mkdirSync(directory)
    symlinkSync(real, path)
    for (const file of [real, join(directory, 'icr-login.json')])
      writeFileSync(`${file}.icr-login-${A}`, 'a secret')
    const dead = JSON.stringify({ id: A, pid: await deadPid(), machine: thisMachine() })
    for (const end of ['', `.icr-login-${A}`, `.icr-login-${B}`])
      writeFileSync(join(directory, `icr-login.lock${end}`), dead)
    await logIn(B, loginOf('1'))
    expect(Object.keys(listing(directory))).toEqual(['config.json', 'icr-login.json'])
    expect(Object.keys(listing(join(real, '..')))).toEqual(['real.json'])
    await logOut(B)
    expect([listing(directory), readFileSync(real, 'utf8')]).toEqual([
      { 'config.json': `-> ${real}` },
      '{"auths":{}}'
    ])
  })

  test('between ledger and config.json is no harm', async () => {
    given('{"auths":{"us.icr.io":{"auth":"user"}}}')
    await logIn(A, loginOf('1'))
    // The ledger was written, and config.json was not.
    writeFileSync(path, '{"auths":{"us.icr.io":{"auth":"user"}}}')
    await logOut(A)
    expect(listing(directory)).toEqual({ 'config.json': '{"auths":{"us.icr.io":{"auth":"user"}}}' })
  })
})

describe('a ledger that is not ours', () => {
  test.each<[string, (ledger: string) => unknown]>([
    [
      'a link',
      (ledger) => {
        symlinkSync(join(ledger, '..', 'elsewhere'), ledger)
      }
    ],
    ['a folder', (ledger) => mkdirSync(ledger, { recursive: true })],
    [
      'another file',
      (ledger) => {
        writeFileSync(ledger, 'notes')
      }
    ],
    [
      'an empty file',
      (ledger) => {
        writeFileSync(ledger, '')
      }
    ],
    [
      'a damaged one',
      (ledger) => {
        writeFileSync(ledger, '{"version":2,"file":"config.json","hosts":{"us.icr.io":{}}}')
      }
    ]
  ])('(%s) is refused and left as it is', async (_, make) => {
    given('{"auths":{}}')
    make(join(directory, 'icr-login.json'))
    const before = listing(directory)
    for (const work of [
      () => logIn(A, loginOf('1')),
      () => logOut(A),
      () => keepLogins(directory, A, makeContext())
    ]) {
      expect(await userError(work)).toContain('icr-login.json is not the file that icr-login keeps there')
    }
    expect(listing(directory)).toEqual(before)
  })
})

test.each([1, 3])('a ledger of version %d is refused by name, and left as it is', async (version) => {
  given('{"auths":{}}')
  writeFileSync(join(directory, 'icr-login.json'), JSON.stringify({ version, hosts: {} }))
  const before = listing(directory)
  for (const work of [
    () => logIn(A, loginOf('1')),
    () => logOut(A),
    () => keepLogins(directory, A, makeContext())
  ])
    expect(await userError(work)).toContain(
      `icr-login.json is of another version of icr-login: version ${version} of`
    )
  expect(listing(directory)).toEqual(before)
})

describe('what can’t be written', () => {
  test('is said with its name and the reason, where the folder can’t be made', async () => {
    writeFileSync(join(directory, '..', 'file'), '')
    const message = await userError(
      addLogins(join(directory, '..', 'file', 'docker'), owner(A), [], makeContext())
    )
    expect(message).toMatch(/docker can't be written \(ENOTDIR\)/)
  })

  test('is said with its name and the reason, where a link leads to no folder', async () => {
    mkdirSync(directory)
    symlinkSync(join(directory, 'no', 'where.json'), path)
    expect(await userError(logIn(A, loginOf('1')))).toMatch(/where\.json can't be written \(ENOENT\)/)
  })

  test('leaves no draft, and the file as it was', () => {
    given('{"old":1}')
    const lost = new Error('lost the lock')
    const check = (): void => {
      throw lost
    }
    expect(() => {
      writeAtomic(path, '{}', { id: A, check })
    }).toThrow(lost)
    expect(listing(directory)).toEqual({ 'config.json': '{"old":1}' })
  })

  test('is no excuse to write over somebody’s draft by a link', () => {
    given('{"old":1}')
    symlinkSync(path, `${path}.icr-login-${A}`)
    expect(() => {
      writeAtomic(path, 'secret', { id: A, check: () => undefined })
    }).toThrow('EEXIST')
    expect(readFileSync(path, 'utf8')).toBe('{"old":1}')
  })

  test('an error that is not the file system’s stays what it is', () => {
    const other = new TypeError('x')
    expect(explainWrite(path, other)).toBe(other)
    expect(explainWrite(path, Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBeInstanceOf(UserError)
  })
})

describe('another program that writes without a lock', () => {
  /** What it does at the worst moment: as soon as our login was renamed into place. */
  function onceShown(write: () => void): { stop: () => void } {
    let stopped = false
    const watch = (): void => {
      if (stopped) return
      if (existsSync(path) && readFileSync(path, 'utf8').includes(HOST)) write()
      setImmediate(watch)
    }
    watch()
    return {
      stop: () => {
        stopped = true
      }
    }
  }

  const theirs = '{"auths":{"ghcr.io":{}}}'

  test.each([
    ['nothing', null],
    ['a login of the user’s', '{"auths":{"us.icr.io":{"auth":"user"}}}'],
    ['another job’s login', 'another job']
  ])('and writes over a login that replaced %s: it is put back before it is claimed', async (_, before) => {
    if (before === 'another job') await logIn(B, loginOf('2'))
    else given(before ?? '{"auths":{}}')
    const [text, start] = [readFileSync(path, 'utf8'), listing(directory)]
    let times = 0
    const watching = onceShown(() => {
      if (!readFileSync(path, 'utf8').includes('"1"')) return
      times += 1
      if (times > 3) watching.stop()
      else writeFileSync(path, text)
    })
    await addLogins(directory, owner(A), [loginOf('1')], makeContext())
    watching.stop()
    expect([times, shown()]).toEqual([4, { auth: '1' }])
    await logOut(A)
    expect(listing(directory)).toEqual(start)
  })

  test('and writes over a login each time: it is not claimed, and post takes out what is left', async () => {
    given('{"auths":{}}')
    const watching = onceShown(() => {
      writeFileSync(path, theirs)
    })
    const message = await userError(
      addLogins(directory, owner(A), [loginOf('1')], makeContext({ budgetMs: 1_000 }))
    )
    watching.stop()
    expect(message).toContain(`${path} lost the change for ${HOST} to another program, each time.`)
    expect(readFileSync(path, 'utf8')).toBe(theirs)
    expect(await logOut(A)).toEqual([`${HOST} gone`])
    expect(listing(directory)).toEqual({ 'config.json': theirs })
  })

  test('and brings our login back while it is taken out: it is taken out again', async () => {
    given('{"auths":{}}')
    await logIn(A, loginOf('1'))
    const text = readFileSync(path, 'utf8')
    let times = 0
    const bringBack = (): void => {
      // A test that fails ends before this does.
      if (!existsSync(path)) return
      if (!readFileSync(path, 'utf8').includes(HOST)) {
        writeFileSync(path, text)
        times += 1
      }
      if (times < 3) setImmediate(bringBack)
    }
    setImmediate(bringBack)
    expect(await logOut(A)).toEqual([`${HOST} removed`])
    expect([times, listing(directory)]).toEqual([3, { 'config.json': '{"auths":{}}' }])
  })

  describe('while the job logs in', () => {
    const total = (waits: readonly number[]): number => waits.reduce((sum, each) => sum + each, 0)

    test('may yet write what it read before: the login must stand for a second', async () => {
      given('{"auths":{}}')
      const seen = readConfig(path)
      writeFileSync(path, theirs)
      const context = makeContext()
      let waits = 0
      const sleep = async (milliseconds: number): Promise<void> => {
        // A docker login that had read the file before.
        if (++waits === 15) writeFileSync(path, '{"auths":{"ghcr.io":{},"quay.io":{}}}')
        await context.sleep(milliseconds)
      }
      await addLogins(directory, owner(A), [loginOf('1')], { ...context, sleep }, seen)
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
        auths: { 'ghcr.io': {}, 'quay.io': {}, [HOST]: { auth: '1' } }
      })
      expect(total(context.sleeps)).toBeGreaterThanOrEqual(1_000 + 750)
      await logOut(A)
      expect(listing(directory)).toEqual({ 'config.json': '{"auths":{"ghcr.io":{},"quay.io":{}}}' })
    })

    test('keeps the job no longer than its time', async () => {
      given('{"auths":{}}')
      const seen = readConfig(path)
      writeFileSync(path, theirs)
      const context = makeContext({ budgetMs: 5_000 })
      const sleep = async (milliseconds: number): Promise<void> => {
        writeFileSync(path, theirs)
        await context.sleep(milliseconds)
      }
      await addLogins(directory, owner(A), [loginOf('1')], { ...context, sleep }, seen).catch(() => undefined)
      expect(total(context.sleeps)).toBeGreaterThan(3_000)
      expect(total(context.sleeps)).toBeLessThan(5_200)
    })

    test('costs no time where only jobs of ours wrote, or nobody', async () => {
      given('{"auths":{}}')
      for (const nonce of [A, B]) {
        const seen = readConfig(path)
        const third = nonce.replaceAll(/./g, 'c')
        if (nonce === B) await logIn(third, loginOf('3', 'de.icr.io'))
        const context = makeContext()
        await addLogins(directory, owner(nonce), [loginOf('1')], context, seen)
        expect(context.sleeps).toEqual([])
      }
    })
  })

  test('and drops the login later: post tells it from one that it took out itself', async () => {
    given('{"auths":{"us.icr.io":{"auth":"user"}}}')
    await logIn(A, loginOf('1'))
    writeFileSync(path, '{"auths":{"us.icr.io":{"auth":"user"},"ghcr.io":{}}}')
    expect(await logOut(A)).toEqual([`${HOST} gone`])
    expect(listing(directory)).toEqual({
      'config.json': '{"auths":{"us.icr.io":{"auth":"user"},"ghcr.io":{}}}'
    })
  })
})

describe('a job whose lock was taken over', () => {
  test('in the moment before it writes changes nothing of what the next one wrote, and comes again', () => {
    given('{"auths":{}}')
    let checks = 0
    const write = (): void => {
      writeAtomic(path, '{"auths":{"stale":{}}}', {
        id: A,
        check: () => {
          checks += 1
          // It has looked, and the lock is its own; only then it is taken over, and the next one removes its draft.
          removeDrafts(path)
          writeAtomic(path, '{"auths":{"next":{}}}', { id: B, check: () => undefined })
        }
      })
    }
    expect(write).toThrow(Conflict)
    expect([checks, listing(directory)]).toEqual([1, { 'config.json': '{"auths":{"next":{}}}' }])
  })

  test('in the moment before it removes a file puts back what the next one wrote', () => {
    given('{"auths":{"next":{}}}')
    expect(removeExact(path, '{"auths":{"mine":{}}}', A)).toBe(false)
    expect(listing(directory)).toEqual({ 'config.json': '{"auths":{"next":{}}}' })
    expect(removeExact(path, '{"auths":{"next":{}}}', A)).toBe(true)
    expect(listing(directory)).toEqual({})
  })
})

describe('the folder that jobs made', () => {
  const lock = (): string => join(directory, 'icr-login.lock')
  const live = JSON.stringify({ id: 'another', pid: process.pid, machine: thisMachine() })

  /** The context of a job that finds the lock taken when it comes, and waits once. */
  function late(meanwhile: () => Promise<void>): Context {
    const context = makeContext()
    return {
      ...context,
      now: () => {
        // It has made the folder, or found it there, and has not looked at the lock yet.
        if (context.sleeps.length === 0 && existsSync(directory)) writeFileSync(lock(), live)
        return context.now()
      },
      sleep: async (milliseconds) => {
        await context.sleep(milliseconds)
        rmSync(lock())
        await meanwhile()
      }
    }
  }

  test.each([
    ['first', [A, B]],
    ['last', [B, A]]
  ])('goes with the last of them, though who made it logged in second and out %s', async (_, order) => {
    const context = late(async () => {
      await logIn(B, loginOf('2'))
    })
    await addLogins(directory, owner(A), [loginOf('1')], context)
    for (const nonce of order) await logOut(nonce)
    expect(existsSync(directory)).toBe(false)
  })

  test('goes with the last of them, though that one was at the door when the first left', async () => {
    await logIn(A, loginOf('1'))
    const context = late(async () => {
      // Whoever is at the door keeps the folder from being removed.
      writeFileSync(`${lock()}-${B}`, live)
      await logOut(A)
      expect(listing(directory)).toEqual({ [`icr-login.lock-${B}`]: live })
      rmSync(`${lock()}-${B}`)
    })
    await addLogins(directory, owner(B), [loginOf('2')], context)
    await logOut(B)
    expect(existsSync(directory)).toBe(false)
  })
})

describe('which helper keeps a host’s login', () => {
  test.each([
    ['{}', undefined],
    ['{"credsStore":"pass"}', 'pass'],
    ['{"credsStore":""}', undefined],
    ['{"credsStore":7}', undefined],
    ['{"credsstore":"pass"}', 'pass'],
    ['{"CREDHELPERS":{"us.icr.io":"ibm"}}', 'ibm'],
    ['{"credHelpers":null}', undefined],
    ['{"credHelpers":{"us.icr.io":"ibm"}}', 'ibm'],
    ['{"credHelpers":{"us.icr.io":"ibm"},"credsStore":"pass"}', 'ibm'],
    ['{"credHelpers":{"us.icr.io":""},"credsStore":"pass"}', undefined],
    ['{"credHelpers":{"de.icr.io":"ibm"},"credsStore":"pass"}', 'pass'],
    ['{"credHelpers":{"de.icr.io":"ibm"}}', undefined]
  ])('%s names %s', (text, helper) => {
    given(text)
    expect(helperFor(readConfig(path), HOST)).toBe(helper)
  })

  test('an entry is read as it is, be it no object', () => {
    given('{"auths":{"us.icr.io":"x","de.icr.io":{"auth":"y"}}}')
    const file = readConfig(path)
    expect([HOST, 'de.icr.io', 'icr.io', 'toString'].map((host) => entryOf(file, host))).toEqual([
      'x',
      { auth: 'y' },
      undefined,
      undefined
    ])
  })
})
