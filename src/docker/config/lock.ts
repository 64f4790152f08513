import { randomUUID } from 'node:crypto'
import { closeSync, lstatSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { type Context, jitter, timeLeft } from '../../context.ts'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { parseObject } from '../../json.ts'
import { Conflict, isDiskFull, keepOwner, removeExact } from './write.ts'

const POLL_MS = 40
const NOTICE_MS = 1_000
/** A lock that does not change for longer belongs to nobody: its work takes milliseconds. */
const STALE_MS = 10_000

/** A process, and the machine on which its ID means something. */
export interface ProcessId {
  readonly machine: string
  readonly pid: number
}

export interface Lock {
  /** No other lock has the same. */
  readonly id: string
  /** @throws Conflict where another job has taken the lock over; called just before anything is changed */
  check(): void
  release(): void
}

/**
 * Takes the lock file, which jobs that share a home hold one after the other.
 * @param path of the lock file; its directory exists
 * @throws UserError where the lock stays taken until the deadline
 * @throws the error of the file system where the lock can't be made
 */
export async function acquireLock(path: string, context: Context): Promise<Lock> {
  const id = randomUUID()
  let noticeAt = context.now() + NOTICE_MS
  let seen: { readonly text?: string; readonly since: number } = { since: context.now() }
  for (;;) {
    const mine = create(path, JSON.stringify({ id, pid: process.pid, machine: thisMachine() }))
    if (mine !== undefined) return lockOf(path, mine.text, id)
    const text = readLock(path)
    if (text === undefined) continue
    if (text !== seen.text) seen = { text, since: context.now() }
    if (isDead(text) || context.now() - seen.since > STALE_MS) {
      removeExact(path, text, id)
      continue
    }
    const left = timeLeft(context)
    if (left === 0) {
      throw new UserError(
        `Another job holds ${path}, and the time is up.`,
        'If no other job is running on this machine, delete that file.'
      )
    }
    if (context.now() >= noticeAt) {
      noticeAt = Infinity
      context.info(
        `Waiting for another job of this machine, which holds ${path}, for at most ${(left / 1000).toFixed(0)} s.`
      )
    }
    await context.sleep(POLL_MS / 2 + jitter(POLL_MS))
  }
}

/**
 * Makes the lock file; undefined where there is one. A full disk holds a part of `text`, which is as good a lock; or no
 * file at all, and then no other job can make one either.
 */
function create(path: string, text: string): { readonly text?: string } | undefined {
  let file: number | undefined
  let written = 0
  try {
    file = openSync(path, 'wx', 0o600)
    keepOwner(path, file, true)
    written = writeSync(file, text)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined
    if (!isDiskFull(error)) throw error
  } finally {
    if (file !== undefined) closeSync(file)
  }
  return file === undefined ? {} : { text: text.slice(0, written) }
}

function lockOf(path: string, mine: string | undefined, id: string): Lock {
  return {
    id,
    check: () => {
      if (readLock(path) === mine) return
      throw new Conflict(path, 'was taken over by another job')
    },
    release: () => {
      if (mine !== undefined && readLock(path) === mine) removeExact(path, mine, id)
    }
  }
}

/**
 * What the lock file holds; undefined where there is none.
 * @throws UserError where it is no file, so that nobody of ours has made it
 */
function readLock(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (!found.isFile()) {
    throw new UserError(
      `${path} is not the file that icr-login makes there.`,
      'It was left as it is. Look at it, and delete it if no other job is running on this machine.'
    )
  }
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : ''
  }
}

/** Whether the owner of a lock was a process of this machine that is gone. */
function isDead(text: string): boolean {
  const { machine, pid } = parseObject(text) ?? {}
  return machine === thisMachine() && typeof pid === 'number' && !isRunning({ machine, pid })
}

/** Whether it is a process of this machine that is alive. */
export function isRunning({ machine, pid }: ProcessId): boolean {
  if (machine !== thisMachine()) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

let machine: string | undefined

/** Where process IDs mean the same: one start of one kernel, and one namespace of process IDs, be it a container's. */
export function thisMachine(): string {
  return (machine ??= findMachine())
}

function findMachine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
