import { constants, copyFile, link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { type Context, jitter, timeLeft } from './context.ts'
import { codeOf, UserError } from './errors.ts'
import { parseObject } from './json.ts'

const POLL_MS = 40
/** A lock that is older than this belongs to nobody: its work takes milliseconds. */
const STALE_MS = 10_000

/** Thrown by the check of an owner whose lock was taken over; `withLock` then does the work again. */
class LockLost extends Error {}

/**
 * Does `work` while it alone holds the lock file; other jobs that share the home wait for it.
 * @param path of the lock file; its directory exists
 * @param owner a name that no other owner has
 * @param work must call the check that it is given just before it changes anything; it is done again where the lock
 *   was taken over by then
 * @throws UserError where the lock stays taken until the deadline
 */
export async function withLock<T>(
  path: string,
  owner: string,
  context: Context,
  work: (checkOwned: () => Promise<void>) => Promise<T>
): Promise<T> {
  const mine = JSON.stringify({ owner, pid: process.pid, host: hostname() })
  const checkOwned = async (): Promise<void> => {
    if ((await read(path)) !== mine) throw new LockLost()
  }
  for (;;) {
    await acquire(path, mine, owner, context)
    try {
      return await work(checkOwned)
    } catch (error) {
      if (!(error instanceof LockLost)) throw error
    } finally {
      if ((await read(path)) === mine) await rm(path, { force: true })
    }
  }
}

async function acquire(path: string, mine: string, owner: string, context: Context): Promise<void> {
  while (!(await create(path, mine, owner))) {
    const holder = await read(path)
    if (await isAbandoned(path, holder, context)) {
      await takeAway(path, holder, owner)
    } else if (timeLeft(context) > 0) {
      await context.sleep(POLL_MS / 2 + jitter(POLL_MS))
    } else {
      throw new UserError(
        `Another job holds ${path}, and the time is up.`,
        'Run the job again. If no other job is running on this machine, delete that file.'
      )
    }
  }
}

/** Makes the lock, whole at once: an owner that is killed while it writes leaves no lock without a name in it. */
async function create(path: string, mine: string, owner: string): Promise<boolean> {
  const draft = `${path}.${owner}`
  try {
    await writeFile(draft, mine, { mode: 0o600 })
    await link(draft, path).catch(async (error: unknown) => {
      if (codeOf(error) === 'EEXIST') throw error
      // Some file systems have no links.
      await copyFile(draft, path, constants.COPYFILE_EXCL)
    })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** Whether its owner is dead (a process of this machine that is gone), or it is too old. */
async function isAbandoned(path: string, holder: string, context: Context): Promise<boolean> {
  const age = await stat(path).then(
    ({ mtimeMs }) => context.now() - mtimeMs,
    () => 0
  )
  const { host, pid } = parseObject(holder) ?? {}
  return age > STALE_MS || (host === hostname() && typeof pid === 'number' && !isAlive(pid))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

/** Of several that find a lock abandoned, one gets to rename it away; one that is new by then is put back. */
async function takeAway(path: string, abandoned: string, owner: string): Promise<void> {
  const aside = `${path}.${owner}.old`
  try {
    await rename(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  const taken = await read(aside)
  if (taken !== abandoned) await create(path, taken, owner)
  await rm(aside, { force: true })
}

async function read(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}
