import * as fs from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { codeOf, UserError } from '../../errors/user-error.ts'

/** Another process was at the same file: the transaction is to be done again. */
export class Conflict extends UserError {
  constructor(path: string, what: string) {
    super(`${path} ${what}.`, 'Give isolate: true, which keeps this login in a file of its own.')
  }
}

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

/** Who can use a file: its mode is meant for the members of this group. */
export interface Access {
  readonly mode: number
  readonly gid: number
}

/** The access to a file; undefined where there is none. */
export function accessOf(path: string): Access | undefined {
  const found = fs.statSync(path, { throwIfNoEntry: false })
  return found && { mode: found.mode & 0o7777, gid: found.gid }
}

/** The owner of the lock: its ID names the drafts. */
interface Owner {
  readonly id: string
  check(): void
}

const PRIVATE: Access = { mode: 0o600, gid: -1 }
const DRAFT = '.icr-login-'
/** ENOENT: the draft is gone. Windows replaces no file that another program has open, such as a virus scanner. */
const LOST = process.platform === 'win32' ? ['ENOENT', 'EPERM', 'EACCES', 'EBUSY'] : ['ENOENT']

/**
 * Writes a new file beside the old one, synced, then renames it over it: a reader sees the old or the new one, never a
 * part. It belongs to whom the old one did, else to the owner of the directory.
 * @throws UserError, or an error of the file system, where the file can't be written; then it is as it was
 * @throws Conflict where the next owner of the lock has removed the draft
 */
export function writeAtomic(path: string, text: string, owner: Owner, access = PRIVATE): void {
  const draft = `${path}${DRAFT}${owner.id}`
  const file = fs.openSync(draft, 'wx', 0o600)
  try {
    fill(file, path, text, access)
    owner.check()
    fs.renameSync(draft, path)
  } catch (error) {
    fs.rmSync(draft, { force: true })
    const code = codeOf(error)
    throw LOST.includes(code) ? new Conflict(path, `is in use by another program (${code})`) : error
  }
}

/** Puts the text in an open file, which is, or will be, at `path`, and closes it. */
function fill(file: number, path: string, text: string, { mode, gid }: Access): void {
  try {
    keepOwner(path, file)
    fs.writeFileSync(file, text)
    fs.ftruncateSync(file, Buffer.byteLength(text))
    fs.fchmodSync(file, fs.fstatSync(file).gid === gid ? mode : mode & ~0o070)
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
}

/** The text that a file is to have, null for no file; then what may overwrite it instead where the disk is full. */
export type Texts = readonly [string | null, ...string[]]

/**
 * Writes or removes a file; on a full disk, overwrites it with the first text that is no longer than it.
 * @param before what it holds
 * @returns the text that it has now
 * @throws UserError where it can't be written
 */
export function replaceFile(
  path: string,
  before: string | null,
  texts: Texts,
  owner: Owner,
  access = PRIVATE
): string | null {
  const [text] = texts
  try {
    if (text !== null) writeAtomic(path, text, owner, access)
    else if (before !== null) {
      owner.check()
      if (!removeExact(path, before, owner.id))
        throw new Conflict(path, 'was changed by another program, each time')
    }
    return text
  } catch (error) {
    const size = Buffer.byteLength(before ?? '')
    const shorter = texts.find((each) => each !== null && Buffer.byteLength(each) <= size)
    if (!isDiskFull(error) || typeof shorter !== 'string' || before === null) throw explainWrite(path, error)
    owner.check()
    fill(fs.openSync(path, 'r+'), path, shorter, access)
    return shorter
  }
}

/**
 * Removes a file that holds `expected`. It is moved away first, so that what another process has put in its place is
 * never removed, but put back.
 * @returns whether it was removed
 */
export function removeExact(path: string, expected: string, id: string): boolean {
  const draft = `${path}${DRAFT}${id}`
  try {
    fs.renameSync(path, draft)
    const same = fs.readFileSync(draft, 'utf8') === expected
    if (same || fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) fs.rmSync(draft)
    else fs.renameSync(draft, path)
    return same
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Removes the drafts of killed processes, and of an owner of the lock who has lost it and does not know it yet. */
export function removeDrafts(path: string): void {
  let names: string[] = []
  try {
    names = fs.readdirSync(dirname(path))
  } catch {
    // Where the directory can't be listed, it is not ours either.
  }
  for (const name of names.filter((each) => each.startsWith(`${basename(path)}${DRAFT}`)))
    fs.rmSync(join(dirname(path), name), { force: true })
}

/**
 * Gives a new file to whom the old one belongs, else to the owner of the directory: a job in a container is often root
 * in the home of a user, whose own jobs come later.
 * @param isNew whether the file at `path` is the new one already
 * @throws UserError where the old file belongs to somebody else, and only root can give files away
 */
export function keepOwner(path: string, file: number, isNew = false): void {
  const old = isNew ? undefined : fs.lstatSync(path, { throwIfNoEntry: false })
  const wanted = old ?? fs.statSync(dirname(path))
  const { uid, gid } = fs.fstatSync(file)
  if ((wanted.uid === uid && wanted.gid === gid) || (old === undefined && uid !== 0)) return
  try {
    fs.fchownSync(file, wanted.uid, wanted.gid)
  } catch {
    if (wanted.uid === uid || old === undefined) return
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
    const top = fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (top === undefined) return undefined
    const { uid, gid } = fs.statSync(dirname(top))
    if (process.getuid?.() === 0)
      for (let made = directory; made.startsWith(top); made = dirname(made)) fs.lchownSync(made, uid, gid)
    return relative(directory, top)
  } catch (error) {
    throw explainWrite(directory, error)
  }
}

/** Removes a directory, and those above it up to the topmost that `createDirectory` made, as far as they are empty. */
export function removeEmptyDirectories(directory: string, top: string): void {
  const last = resolve(directory, top)
  try {
    for (let next = directory; next.startsWith(last); next = dirname(next)) fs.rmdirSync(next)
  } catch {
    // Somebody else keeps something there by now.
  }
}
