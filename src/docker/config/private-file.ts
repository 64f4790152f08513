import { closeSync, fchownSync, fstatSync, fsyncSync, openSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { explainWrite } from './file.ts'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { LockLost } from './lock.ts'
import { lookAt, readdir, rename, rm } from '../../files.ts'

const DRAFT = '.icr-login-'

/**
 * Writes a file for this user alone: a new one beside it, synced, then renamed over it, so that a reader sees the
 * old or the new one and never a part.
 * @param checkOwned called just before the rename
 * @throws UserError where the file can't be written; then it is as it was
 * @throws LockLost where the next owner of the lock has removed the new one
 */
export async function writePrivate(
  path: string,
  text: string,
  nonce: string,
  checkOwned: () => Promise<void>
): Promise<void> {
  const draft = `${path}${DRAFT}${nonce}`
  try {
    const file = openSync(draft, 'wx', 0o600)
    try {
      writeFileSync(file, text)
      await keepOwner(path, file)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    await checkOwned()
    await replace(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw explainWrite(path, error)
  }
}

/** Windows replaces no file that somebody has open just now: a reader of config.json, a virus scanner. */
const BUSY = process.platform === 'win32' ? ['EPERM', 'EACCES', 'EBUSY'] : []
const BUSY_TRIES = 20
const BUSY_WAIT_MS = 50

async function replace(draft: string, path: string, tries = BUSY_TRIES): Promise<void> {
  try {
    await rename(draft, path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new LockLost()
    if (tries === 1 || !BUSY.includes(codeOf(error))) throw error
    await wait(BUSY_WAIT_MS)
    await replace(draft, path, tries - 1)
  }
}

/**
 * Removes every draft of a file, before it is read under the lock: what killed processes left, and that of an owner
 * who has lost the lock and does not know it yet, whose rename would undo what is done from now on.
 */
export async function removeDrafts(path: string): Promise<void> {
  const prefix = `${basename(path)}${DRAFT}`
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(prefix)) continue
    await rm(join(dirname(path), name), { force: true }).catch(() => undefined)
  }
}

/**
 * The new file belongs to whom the old one did. A job in a container is often root in a home of somebody else's, who
 * must still be able to read the file; anyone else can't give a file away, and leaves somebody else's alone.
 */
async function keepOwner(path: string, draft: number): Promise<void> {
  const before = await lookAt(path)
  if (before === undefined || before.uid === fstatSync(draft).uid) return
  try {
    fchownSync(draft, before.uid, before.gid)
  } catch {
    throw new UserError(
      `${path} belongs to another user.`,
      'It was left as it is. Give isolate: true, which keeps this login in a file of its own.'
    )
  }
}
