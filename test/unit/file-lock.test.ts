// One at a time, whoever dies on the way.
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { withLock } from '../../src/file-lock.ts'
import { runChild, runWell } from '../support/child.ts'
import { measured } from '../support/measured.ts'
import { node24 } from '../support/node24-path.mjs'
import { makeContext } from './support/context.ts'
import { listing, makeFolder, modeOf } from './support/home.ts'
import { userError } from './support/throwing.ts'

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

function age(seconds: number): void {
  const then = Date.now() / 1000 - seconds
  utimesSync(lock, then, then)
}

/** The ID of a process that has ended. */
async function deadPid(): Promise<number> {
  return Number(await runWell(process.execPath, ['-e', 'console.log(process.pid)']))
}

test('while the work is done there is a lock, and then there is none', async () => {
  await withLock(lock, 'me', makeContext(), async (checkOwned) => {
    await checkOwned()
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toEqual({
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
  })

  test.each([
    ['on another machine', holder(1, 'another-machine')],
    ['that nobody can read', 'x'],
    ['that has just been made, and is empty', '']
  ])('%s is waited for', async (_, text) => {
    writeFileSync(lock, text)
    const context = makeContext({ budgetMs: 5_000 })
    expect(await userError(take(context))).toContain(`Another job holds ${lock}, and the time is up.`)
    expect(context.sleeps.length).toBeGreaterThan(50)
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

  test('that was taken over by a third one in the same moment is put back', async () => {
    writeFileSync(lock, holder(await deadPid()))
    const third = JSON.stringify({ owner: 'third', pid: process.pid, host: hostname() })
    const context = makeContext()
    let looks = 0
    // The clock is looked at after the dead owner was read, and before its lock is taken away.
    const now = (): number => {
      if (++looks === 1) writeFileSync(lock, third)
      return context.now()
    }
    const seen: string[] = []
    const sleep = (): Promise<void> => {
      seen.push(readFileSync(lock, 'utf8'))
      rmSync(lock)
      return Promise.resolve()
    }
    expect(await take({ ...context, now, sleep })).toBe('done')
    expect([seen, listing(folder)]).toEqual([[third], {}])
  })
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
  const program = fileURLToPath(new URL('support/counter.ts', import.meta.url))
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
