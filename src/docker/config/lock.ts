import { constants } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type Context, jitter, timeLeft } from '../../context.ts'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { copyFile, link, lstat, readdir, readFile, readlink, rm, writeFile } from '../../files.ts'
import { parseObject } from '../../json.ts'

const POLL_MS = 40
const NOTICED_MS = 1_000
/** A lock that is older than this belongs to nobody: its work takes milliseconds. */
const STALE_MS = 10_000

/** Thrown by the work of an owner whose lock was taken over before it changed anything; `withLock` does it again. */
export class LockLost extends Error {}

/** Where a process ID means something. */
interface Machine {
  readonly host: string
  /** Machines may share a name, and containers a machine: which start of the kernel, which space of process IDs. */
  readonly space?: string
}

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
  const here = await thisMachine()
  for (;;) {
    const mine = JSON.stringify({ owner, pid: process.pid, ...here, since: context.now() })
    await acquire({ path, mine, owner, here }, context)
    try {
      return await work(async () => {
        if ((await read(path)) !== mine) throw new LockLost()
      })
    } catch (error) {
      if (!(error instanceof LockLost)) throw error
    } finally {
      if ((await read(path)) === mine) await rm(path, { force: true })
    }
  }
}

let machine: Promise<Machine> | undefined

async function thisMachine(): Promise<Machine> {
  return await (machine ??= findMachine())
}

/** From files where there are any: to load node:os takes longer. */
async function findMachine(): Promise<Machine> {
  const readKernel = async (name: string): Promise<string> =>
    (await readFile(`/proc/sys/kernel/${name}`, 'utf8')).trim()
  try {
    const space = `${await readKernel('random/boot_id')} ${await readlink('/proc/self/ns/pid')}`
    return { host: await readKernel('hostname'), space }
  } catch {
    return { host: hostname() }
  }
}

interface Claim {
  readonly path: string
  /** What the lock file says once it is ours; no lock ever said the same. */
  readonly mine: string
  readonly owner: string
  readonly here: Machine
}

async function acquire(claim: Claim, context: Context): Promise<void> {
  if (await create(claim)) return
  const { path, here } = claim
  const isOld = await watchAge(path, context)
  const sayOnce = announceWait(path, context)
  for (;;) {
    const holder = await read(path)
    if (holder === undefined && (await create(claim))) return
    if (holder !== undefined && (isDead(holder, here) || (await isOld(holder)))) {
      await takeAway(claim, holder, context)
    } else if (timeLeft(context) > 0) {
      sayOnce()
      await context.sleep(POLL_MS / 2 + jitter(POLL_MS))
    } else {
      throw new UserError(
        `Another job holds ${path}, and the time is up.`,
        'Run the job again. If no other job is running on this machine, delete that file.'
      )
    }
  }
}

/** A wait that a reader of the log could notice is said once. */
function announceWait(path: string, context: Context): () => void {
  let sayAt = context.now() + NOTICED_MS
  return () => {
    if (context.now() < sayAt) return
    sayAt = Infinity
    const longest = (timeLeft(context) / 1000).toFixed(0)
    context.info(`Waiting for another job of this machine, which holds ${path}, for at most ${longest} s.`)
  }
}

/** Makes the lock, whole at once: an owner that is killed while it writes leaves no lock without a name in it. */
async function create({ path, mine, owner }: Claim): Promise<boolean> {
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

/**
 * Tells whether a lock is too old: by its time, or because it was seen for so long, wherever its time lies.
 * @throws UserError where it is no file, so that nobody of ours has made it
 */
async function watchAge(path: string, context: Context): Promise<(holder: string) => Promise<boolean>> {
  // A file server has a clock of its own; the directory has changed just now, by that clock.
  const lead = (await lstat(dirname(path))).mtimeMs - context.now()
  const found = await lstat(path).catch(() => undefined)
  if (found?.isFile() === false) throw notOurs(path)
  let seen = { holder: '', since: context.now() }
  return async (holder) => {
    const now = context.now()
    if (holder !== seen.holder) seen = { holder, since: now }
    return now - seen.since > STALE_MS || now + lead - (await timeOf(path)) > STALE_MS
  }
}

function notOurs(path: string): UserError {
  return new UserError(
    `${path} is not the file that icr-login makes there.`,
    'It was left as it is. Look at it, and delete it if no other job is running on this machine.'
  )
}

/** When a file was written, by the clock of its file system; one that is gone is as new as can be. */
async function timeOf(path: string): Promise<number> {
  return await lstat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Infinity
  )
}

/** Whether its owner is a process of this machine that is gone. */
function isDead(holder: string, here: Machine): boolean {
  const { host, space, pid } = parseObject(holder) ?? {}
  const same = host === here.host && (space === undefined || space === here.space)
  return same && typeof pid === 'number' && !isAlive(pid)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

/**
 * Removes a lock that was found abandoned. Many find it so at once, so one at a time looks again: by then the lock may
 * be another's. An owner that has just ended looks as if it had died.
 */
async function takeAway({ path, owner }: Claim, abandoned: string, context: Context): Promise<void> {
  await withLock(`${path}.old`, owner, context, async () => {
    if ((await read(path)) === abandoned) await rm(path, { force: true })
  })
}

/** Removes what processes that were killed left while they tried to take a lock; called by its owner. */
export async function removeLockDrafts(path: string): Promise<void> {
  const here = await thisMachine()
  const now = await timeOf(path)
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue
    const draft = join(dirname(path), name)
    const abandoned = isDead((await read(draft)) ?? '', here) || now - (await timeOf(draft)) > STALE_MS
    if (abandoned) await rm(draft, { force: true })
  }
}

/** Undefined: there is no such file. */
async function read(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: unknown) => (codeOf(error) === 'ENOENT' ? undefined : ''))
}
