// One at a time, whoever dies on the way.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, jest, test } from '@jest/globals'
import { removeLockDrafts, withLock } from '../../../../src/docker/config/lock.ts'
import { runChild, runWell } from '../../../support/child.ts'
import { measured } from '../../../support/measured.ts'
import { node24 } from '../../../support/node24-path.mjs'
import { makeContext } from '../../support/context.ts'
import { listing, makeFolder, modeOf } from '../../support/home.ts'
import { userError } from '../../support/throwing.ts'

let folder: string
let lock: string

beforeEach(() => {
  folder = makeFolder()
  lock = join(folder, 'the.lock')
})

const holder = (pid: number, host = hostname()): string => JSON.stringify({ owner: 'other', pid, host })

/** Takes the lock and says what it saw. */
async function take(context = makeContext()): Promise<string> {
  return await withLock(lock, 'me', context, async (checkOwned) => {
    await checkOwned()
    return 'done'
  })
}

function age(seconds: number, path = lock): void {
  const then = Date.now() / 1000 - seconds
  utimesSync(path, then, then)
}

const sum = (waits: readonly number[]): number => waits.reduce((total, each) => total + each, 0)

/** What our own lock says. */
async function seen(): Promise<{ space?: string }> {
  return await withLock(lock, 'me', makeContext(), () =>
    Promise.resolve(JSON.parse(readFileSync(lock, 'utf8')) as object)
  )
}

/** The ID of a process that has ended. */
async function deadPid(): Promise<number> {
  return Number(await runWell(process.execPath, ['-e', 'console.log(process.pid)']))
}

test('while the work is done there is a lock, and then there is none', async () => {
  await withLock(lock, 'me', makeContext(), async (checkOwned) => {
    await checkOwned()
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({
      owner: 'me',
      pid: process.pid,
      host: hostname()
    })
    expect(modeOf(lock)).toBe('600')
  })
  expect(listing(folder)).toEqual({})
})

test('work that fails gives the lock back, and its error is told', async () => {
  const error = new Error('x')
  await expect(withLock(lock, 'me', makeContext(), () => Promise.reject(error))).rejects.toBe(error)
  expect(listing(folder)).toEqual({})
})

test('a folder that is not there is the file system’s error', async () => {
  lock = join(folder, 'no', 'the.lock')
  await expect(take()).rejects.toMatchObject({ code: 'ENOENT' })
})

describe('a lock that somebody holds', () => {
  test('is waited for while its owner lives', async () => {
    writeFileSync(lock, holder(process.pid))
    const context = makeContext()
    const waits: number[] = []
    const sleep = (milliseconds: number): Promise<void> => {
      if (waits.push(milliseconds) === 3) rmSync(lock)
      return Promise.resolve()
    }
    expect(await take({ ...context, sleep })).toBe('done')
    expect(waits).toHaveLength(3)
    for (const wait of waits) expect(wait).toBeLessThan(100)
    expect(context.infos).toEqual([])
  })

  test('for more than a second is named in the log, once', async () => {
    writeFileSync(lock, holder(process.pid))
    const context = makeContext({ budgetMs: 5_000 })
    await userError(take(context))
    expect(context.infos).toEqual([
      `Waiting for another job of this machine, which holds ${lock}, for at most 4 s.`
    ])
  })

  test.each([
    ['on another machine', holder(1, 'another-machine')],
    ['that nobody can read', 'x'],
    ['that has just been made, and is empty', '']
  ])('%s is waited for, and no longer than may be', async (_, text) => {
    writeFileSync(lock, text)
    const context = makeContext({ budgetMs: 5_000 })
    expect(await userError(take(context))).toContain(`Another job holds ${lock}, and the time is up.`)
    expect(context.sleeps.length).toBeGreaterThan(50)
    expect(sum(context.sleeps)).toBeLessThan(5_100)
    expect(readFileSync(lock, 'utf8')).toBe(text)
  })

  test('is taken over at once where its owner is dead', async () => {
    writeFileSync(lock, holder(await deadPid()))
    const context = makeContext()
    expect(await take(context)).toBe('done')
    expect([context.sleeps, listing(folder)]).toEqual([[], {}])
  })

  test.each([
    ['another machine’s', holder(1, 'another-machine')],
    ['our own machine’s', holder(process.pid)],
    ['an empty one', '']
  ])('is taken over where it is older than any work takes: %s', async (_, text) => {
    writeFileSync(lock, text)
    age(11)
    const context = makeContext()
    expect(await take(context)).toBe('done')
    expect([context.sleeps, existsSync(lock)]).toEqual([[], false])
  })

  test('is not taken over before that', async () => {
    writeFileSync(lock, holder(1, 'another-machine'))
    age(1)
    expect(await userError(take(makeContext({ budgetMs: 0 })))).toContain('Another job holds')
  })

  test('and whose time lies in the future is taken over after 10 s', async () => {
    writeFileSync(lock, holder(1, 'another-machine'))
    age(-3600)
    const context = makeContext()
    const began = context.now()
    expect(await take(context)).toBe('done')
    expect(context.now() - began).toBeGreaterThan(10_000)
    expect(sum(context.sleeps)).toBeLessThan(10_200)
  })

  test.each(['ahead of', 'behind'])(
    'is not taken for an old one where our clock is an hour %s the file server’s',
    async (way) => {
      writeFileSync(lock, holder(1, 'another-machine'))
      const skew = way === 'behind' ? -3_600_000 : 3_600_000
      const context = makeContext()
      const skewed = {
        ...context,
        now: () => context.now() + skew,
        deadline: context.deadline + skew
      }
      const began = context.now()
      expect(await take(skewed)).toBe('done')
      expect(context.now() - began).toBeGreaterThan(10_000)
      expect(sum(context.sleeps)).toBeLessThan(10_200)
    }
  )

  test('by a process of another space of IDs, say of a container with the same name, is waited for', async () => {
    const { space } = await seen()
    const text = JSON.stringify({
      owner: 'other',
      pid: await deadPid(),
      host: hostname(),
      space: `${space}0`
    })
    writeFileSync(lock, text)
    expect(await userError(take(makeContext({ budgetMs: 5_000 })))).toContain('Another job holds')
    expect(readFileSync(lock, 'utf8')).toBe(text)
  })

  test('by a dead process is not touched, not for a moment, once a living one has it', async () => {
    const pid = await deadPid()
    writeFileSync(lock, holder(pid))
    const third = holder(process.pid)
    const real = process.kill.bind(process)
    const kill = jest.spyOn(process, 'kill').mockImplementation((...given) => {
      // The dead one is found dead, and in that moment another takes its lock away and makes its own.
      if (given[0] === pid && readFileSync(lock, 'utf8') !== third) {
        rmSync(lock)
        writeFileSync(lock, third)
        inode = statSync(lock).ino
      }
      return real(...given)
    })
    let inode = 0
    const context = makeContext()
    const sleep = (): Promise<void> => {
      expect([readFileSync(lock, 'utf8'), statSync(lock).ino]).toEqual([third, inode])
      rmSync(lock)
      return Promise.resolve()
    }
    expect(await take({ ...context, sleep })).toBe('done')
    kill.mockRestore()
    expect([inode > 0, listing(folder)]).toEqual([true, {}])
  })

  test('is found abandoned by many at once, and each gets it once', async () => {
    writeFileSync(lock, holder(await deadPid()))
    let [inside, most, done] = [0, 0, 0]
    const one = async (owner: string): Promise<void> => {
      await withLock(lock, owner, makeContext({ patient: true }), async (checkOwned) => {
        most = Math.max(most, ++inside)
        await wait(2)
        await checkOwned()
        inside--
        done++
      })
    }
    await Promise.all(Array.from({ length: 32 }, (_, at) => one(`job-${at}`)))
    expect([most, done, listing(folder)]).toEqual([1, 32, {}])
  })

  test('is taken over although one died while it took it over before', async () => {
    const dead = holder(await deadPid())
    for (const end of ['', '.old', '.old.old']) writeFileSync(`${lock}${end}`, dead)
    const context = makeContext()
    expect(await take(context)).toBe('done')
    expect([context.sleeps, listing(folder)]).toEqual([[], {}])
  })
})

test('a link to nowhere that is named like what a killed process left hinders nobody', async () => {
  writeFileSync(lock, holder(process.pid))
  symlinkSync('nowhere', `${lock}.dead`)
  await removeLockDrafts(lock)
  expect(Object.keys(listing(folder))).toEqual(['the.lock', 'the.lock.dead'])
})

describe('what is no lock of ours', () => {
  test.each<[string, () => void]>([
    [
      'a folder',
      () => {
        mkdirSync(join(lock, 'mine'), { recursive: true })
      }
    ],
    [
      'a link to nowhere',
      () => {
        symlinkSync('nowhere', lock)
      }
    ],
    [
      'a link to a file',
      () => {
        writeFileSync(join(folder, 'mine'), 'x')
        symlinkSync('mine', lock)
      }
    ]
  ])('(%s) is refused at once, and left as it is', async (_, make) => {
    make()
    const before = listing(folder)
    const context = makeContext()
    const message = await userError(take(context))
    expect(message).toContain(`${lock} is not the file that icr-login makes there.`)
    expect([context.sleeps, listing(folder)]).toEqual([[], before])
  })
})

test('what the dead left beside a lock is removed by its next owner, and what the living have there is not', async () => {
  const dead = holder(await deadPid())
  for (const name of ['the.lock.a', 'the.lock.old', 'the.lock.old.b']) writeFileSync(join(folder, name), dead)
  writeFileSync(join(folder, 'the.lock.c'), '')
  age(11, join(folder, 'the.lock.c'))
  const living = {
    'the.lock.d': holder(process.pid),
    'the.lock.e': holder(1, 'another-machine'),
    'the.lock.f': '',
    'the.lockpick': dead
  }
  for (const [name, text] of Object.entries(living)) writeFileSync(join(folder, name), text)
  await withLock(lock, 'me', makeContext(), async () => {
    await removeLockDrafts(lock)
  })
  expect(listing(folder)).toEqual(living)
})

describe('a lock that was lost on the way', () => {
  test('makes the work start again, and is not given back twice', async () => {
    let rounds = 0
    const context = makeContext()
    const result = await withLock(lock, 'me', context, async (checkOwned) => {
      rounds += 1
      // Another one took us for dead, did its work, and went.
      if (rounds === 1) writeFileSync(lock, holder(await deadPid()))
      if (rounds === 2) rmSync(lock)
      await checkOwned()
      return rounds
    })
    expect([result, listing(folder)]).toEqual([3, {}])
  })

  test('is said where something else lies in its place by then', async () => {
    const work = withLock(lock, 'me', makeContext(), async (checkOwned) => {
      rmSync(lock)
      mkdirSync(lock)
      await checkOwned()
    })
    expect(await userError(work)).toContain(`${lock} is not the file that icr-login makes there.`)
    expect(listing(folder)).toEqual({ 'the.lock': '/' })
  })

  test('belongs to the other one', async () => {
    const theirs = holder(process.pid)
    await withLock(lock, 'me', makeContext(), () => {
      writeFileSync(lock, theirs)
      return Promise.resolve()
    })
    expect(readFileSync(lock, 'utf8')).toBe(theirs)
  })
})

describe('many processes', () => {
  const program = fileURLToPath(new URL('../../support/counter.ts', import.meta.url))
  const start = (file: string, times: number, owner: string): Promise<string> =>
    runWell(node24(), ['--no-warnings', program, lock, file, String(times), owner], {
      env: measured()
    })

  test('count without a loss', async () => {
    const file = join(folder, 'count')
    writeFileSync(file, '0')
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((owner) => start(file, 15, owner)))
    expect(listing(folder)).toEqual({ count: '90' })
  })

  test('count on after one that was killed with the lock in its hands', async () => {
    const file = join(folder, 'count')
    writeFileSync(file, '0')
    const killed = await runChild(process.execPath, [
      '-e',
      `require('fs').writeFileSync(${JSON.stringify(lock)}, JSON.stringify({ owner: 'k', pid: process.pid,
       host: require('os').hostname() })); process.kill(process.pid, 'SIGKILL')`
    ])
    expect(killed.signal).toBe('SIGKILL')
    await Promise.all(['a', 'b', 'c'].map((owner) => start(file, 10, owner)))
    expect(listing(folder)).toEqual({ count: '30' })
  })
})
