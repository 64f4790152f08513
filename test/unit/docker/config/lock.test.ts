// One at a time, whoever dies on the way.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { acquireLock, isRunning, thisMachine } from '../../../../src/docker/config/lock.ts'
import { Conflict } from '../../../../src/docker/config/write.ts'
import { runChild, runWell } from '../../../support/child.ts'
import { measured } from '../../../support/measured.ts'
import { node24 } from '../../../support/node24-path.mjs'
import { makeContext } from '../../support/context.ts'
import { listing, makeFolder, modeOf } from '../../support/home.ts'
import { userError } from '../../support/throwing.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = makeFolder()
  path = join(folder, 'the.lock')
})

const holder = (pid: number, machine = thisMachine()): string => JSON.stringify({ id: 'other', pid, machine })

/** Takes the lock, and gives it back. */
async function take(context = makeContext()): Promise<string> {
  const lock = await acquireLock(path, context)
  lock.check()
  lock.release()
  return 'done'
}

const sum = (waits: readonly number[]): number => waits.reduce((total, each) => total + each, 0)

/** The ID of a process that has ended. */
async function deadPid(): Promise<number> {
  return Number(await runWell(process.execPath, ['-e', 'console.log(process.pid)']))
}

test('a lock names its owner, is for this user alone, and is gone when it is released', async () => {
  const lock = await acquireLock(path, makeContext())
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    id: lock.id,
    pid: process.pid,
    machine: thisMachine()
  })
  expect(modeOf(path)).toBe('600')
  lock.release()
  lock.release()
  expect(listing(folder)).toEqual({})
})

test('a folder that is not there is the file system’s error', async () => {
  path = join(folder, 'no', 'the.lock')
  await expect(take()).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a process runs where it is of this machine and alive', async () => {
  const processes = [
    { machine: thisMachine(), pid: process.pid },
    { machine: 'another', pid: process.pid },
    { machine: thisMachine(), pid: await deadPid() }
  ]
  expect(processes.map(isRunning)).toEqual([true, false, false])
})

describe('a lock that somebody holds', () => {
  test('is waited for while its owner lives', async () => {
    writeFileSync(path, holder(process.pid))
    const context = makeContext()
    const waits: number[] = []
    const sleep = (milliseconds: number): Promise<void> => {
      if (waits.push(milliseconds) === 3) rmSync(path)
      return Promise.resolve()
    }
    expect(await take({ ...context, sleep })).toBe('done')
    expect(waits).toHaveLength(3)
    for (const wait of waits) expect(wait).toBeLessThan(100)
    expect(context.infos).toEqual([])
  })

  test('for more than a second is named in the log, once', async () => {
    writeFileSync(path, holder(process.pid))
    const context = makeContext({ budgetMs: 5_000 })
    await userError(take(context))
    expect(context.infos).toEqual([
      `Waiting for another job of this machine, which holds ${path}, for at most 4 s.`
    ])
  })

  test.each([
    ['on another machine', holder(1, 'another-machine')],
    ['of another namespace of process IDs', holder(99_999_999, `${thisMachine()}0`)],
    ['that nobody can read', 'x'],
    ['that has just been made, and is empty', '']
  ])('%s is waited for, and no longer than may be', async (_, text) => {
    writeFileSync(path, text)
    const context = makeContext({ budgetMs: 5_000 })
    expect(await userError(take(context))).toContain(`Another job holds ${path}, and the time is up.`)
    expect(context.sleeps.length).toBeGreaterThan(50)
    expect(sum(context.sleeps)).toBeLessThan(5_100)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('is taken over at once where its owner is dead', async () => {
    writeFileSync(path, holder(await deadPid()))
    const context = makeContext()
    expect(await take(context)).toBe('done')
    expect([context.sleeps, listing(folder)]).toEqual([[], {}])
  })

  test.each([
    ['another machine’s', holder(1, 'another-machine')],
    ['our own machine’s', holder(process.pid)],
    ['an empty one', '']
  ])('is taken over when it has not changed for 10 s, whatever its time says: %s', async (_, text) => {
    writeFileSync(path, text)
    const context = makeContext()
    const began = context.now()
    expect(await take(context)).toBe('done')
    expect(context.now() - began).toBeGreaterThan(10_000)
    expect([sum(context.sleeps) < 10_200, existsSync(path)]).toEqual([true, false])
  })

  test('is not taken over while it goes from one to the next', async () => {
    writeFileSync(path, holder(1, 'machine-0'))
    const context = makeContext({ budgetMs: 30_000 })
    const sleep = async (milliseconds: number): Promise<void> => {
      await context.sleep(milliseconds)
      writeFileSync(path, holder(1, `machine-${Math.floor(sum(context.sleeps) / 5_000)}`))
    }
    expect(await userError(take({ ...context, sleep }))).toContain('the time is up')
  })

  test('is found abandoned by many at once, and each gets it once', async () => {
    writeFileSync(path, holder(await deadPid()))
    let [inside, most, done] = [0, 0, 0]
    const one = async (): Promise<void> => {
      const lock = await acquireLock(path, makeContext({ patient: true }))
      most = Math.max(most, ++inside)
      await wait(2)
      lock.check()
      inside--
      done++
      lock.release()
    }
    await Promise.all(Array.from({ length: 32 }, one))
    expect([most, done, listing(folder)]).toEqual([1, 32, {}])
  })
})

describe('what is no lock of ours', () => {
  test.each<[string, () => void]>([
    [
      'a folder',
      () => {
        mkdirSync(join(path, 'mine'), { recursive: true })
      }
    ],
    [
      'a link to nowhere',
      () => {
        symlinkSync('nowhere', path)
      }
    ],
    [
      'a link to a file',
      () => {
        writeFileSync(join(folder, 'mine'), 'x')
        symlinkSync('mine', path)
      }
    ]
  ])('(%s) is refused at once, and left as it is', async (_, make) => {
    make()
    const before = listing(folder)
    const context = makeContext()
    const message = await userError(take(context))
    expect(message).toContain(`${path} is not the file that icr-login makes there.`)
    expect([context.sleeps, listing(folder)]).toEqual([[], before])
  })
})

describe('a lock that was lost on the way', () => {
  test.each([
    ['and is another’s', holder(process.pid)],
    ['and is nobody’s', undefined]
  ])('(%s) is noticed before anything is changed, and stays', async (_, theirs) => {
    const lock = await acquireLock(path, makeContext())
    rmSync(path)
    if (theirs !== undefined) writeFileSync(path, theirs)
    const before = listing(folder)
    expect(() => {
      lock.check()
    }).toThrow(Conflict)
    lock.release()
    expect(listing(folder)).toEqual(before)
  })
})

describe('many processes', () => {
  const program = fileURLToPath(new URL('../../support/counter.ts', import.meta.url))
  const start = (file: string, times: number): Promise<string> =>
    runWell(node24(), ['--no-warnings', program, path, file, String(times)], { env: measured() })

  test('count without a loss', async () => {
    const file = join(folder, 'count')
    writeFileSync(file, '0')
    await Promise.all(Array.from({ length: 6 }, () => start(file, 15)))
    expect(listing(folder)).toEqual({ count: '90' })
  })

  test('count on after one that was killed with the lock in its hands', async () => {
    const file = join(folder, 'count')
    writeFileSync(file, '0')
    const killed = await runChild(process.execPath, [
      '-e',
      `require('fs').writeFileSync(${JSON.stringify(path)}, JSON.stringify({ id: 'k', pid: process.pid,
       machine: ${JSON.stringify(thisMachine())} })); process.kill(process.pid, 'SIGKILL')`
    ])
    expect(killed.signal).toBe('SIGKILL')
    await Promise.all(Array.from({ length: 3 }, () => start(file, 10)))
    expect(listing(folder)).toEqual({ count: '30' })
  })
})
