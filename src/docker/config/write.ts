import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { codeOf, UserError } from '../../errors/user-error.ts'

/** Another process was at the same file: the transaction is to be done again. */
export class Conflict extends UserError {}

/** An error of the file system, for a person; any other as it is. */
export function explainWrite(path: string, error: unknown): unknown {
  const code = codeOf(error)
  if (code === '') return error
  return new UserError(
    `${path} can't be written (${code}).`,
    'It was left as it is. docker keeps logins there: make the directory writable, or set DOCKER_CONFIG to another one.'
  )
}

/** Whether an error says that the disk has no space left, or the user no quota. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error))
}

const DRAFT = '.icr-login-'

/**
 * Writes a file for this user alone: a new one beside it, synced, then renamed over it, so that a reader sees the old
 * or the new one and never a part. It belongs to whom the old one did, else to the owner of the directory.
 * @param lock its ID names the draft; it is checked just before the rename
 * @throws UserError, or an error of the file system, where the file can't be written; then it is as it was
 * @throws Conflict where the next owner of the lock has removed the draft
 */
export function writeAtomic(path: string, text: string, lock: { readonly id: string; check(): void }): void {
  const draft = `${path}${DRAFT}${lock.id}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    try {
      writeFileSync(file, text)
      keepOwner(path, file)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    lock.check()
    replace(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** Windows replaces no file that another program has open just now, such as a virus scanner. */
const BUSY = process.platform === 'win32' ? ['EPERM', 'EACCES', 'EBUSY'] : []

function replace(draft: string, path: string): void {
  try {
    renameSync(draft, path)
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'ENOENT' && !BUSY.includes(code)) throw error
    throw new Conflict(`${path} can't be written (${code}).`, 'Another program has it open, or changes it.')
  }
}

/**
 * Overwrites a file on a full disk, with the first of some texts that is no longer than the file.
 * @returns the text; undefined where none is, and the file is as it was
 */
export function writeInPlace(path: string, texts: readonly string[]): string | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const text = texts.find((each) => Buffer.byteLength(each) <= size)
  if (text === undefined) return undefined
  const file = openSync(path, 'r+')
  try {
    writeFileSync(file, text)
    ftruncateSync(file, Buffer.byteLength(text))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return text
}

/**
 * Removes a file that holds `expected`. It is moved away first, so that what another process has put in its place is
 * never removed, but put back.
 * @returns whether it was removed
 */
export function removeExact(path: string, expected: string, id: string): boolean {
  const draft = `${path}${DRAFT}${id}`
  try {
    renameSync(path, draft)
    const same = readFileSync(draft, 'utf8') === expected
    if (same || lstatSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(draft)
    else renameSync(draft, path)
    return same
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Removes every draft of a file, before it is read under the lock: what killed processes left, and that of an owner
 * who has lost the lock and does not know it yet, whose rename would undo what is done from now on.
 */
export function removeDrafts(path: string): void {
  const prefix = `${basename(path)}${DRAFT}`
  let names: string[] = []
  try {
    names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix))
  } catch {
    // Where the directory can't be listed, it is not ours either.
  }
  for (const name of names) rmSync(join(dirname(path), name), { force: true })
}

/**
 * Gives a new file to whom the old one belongs, else to the owner of the directory: a job in a container is often root
 * in the home of a user, whose own jobs come later.
 * @throws UserError where the old file belongs to somebody else, and only root can give files away
 */
export function keepOwner(path: string, file: number): void {
  const old = lstatSync(path, { throwIfNoEntry: false })
  const wanted = old ?? statSync(dirname(path))
  const { uid, gid } = fstatSync(file)
  if (wanted.uid === uid && wanted.gid === gid) return
  if (old === undefined && uid !== 0) return
  try {
    fchownSync(file, wanted.uid, wanted.gid)
  } catch {
    if (old === undefined || old.uid === uid) return
    throw new UserError(
      `${path} belongs to another user.`,
      'It was left as it is. Give isolate: true, which keeps this login in a file of its own.'
    )
  }
}

/**
 * Makes a directory, and those above it, for the owner of the nearest one that is there.
 * @returns the topmost that was made, relative to the directory; undefined where it was there
 * @throws UserError where it can't be made
 */
export function createDirectory(directory: string): string | undefined {
  try {
    const top = mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (top === undefined) return undefined
    for (let made = directory; made.startsWith(top); made = dirname(made)) giveToOwnerOf(dirname(top), made)
    return relative(directory, top)
  } catch (error) {
    throw explainWrite(directory, error)
  }
}

function giveToOwnerOf(parent: string, made: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(parent)
  lchownSync(made, uid, gid)
}

/**
 * Removes a directory, and those above it up to the topmost that was made, as far as they are empty.
 * @param top as `createDirectory` gave it
 */
export function removeEmptyDirectories(directory: string, top: string): void {
  const last = resolve(directory, top)
  try {
    for (let next = directory; next.startsWith(last); next = dirname(next)) rmdirSync(next)
  } catch {
    // Somebody else keeps something there by now.
  }
}
