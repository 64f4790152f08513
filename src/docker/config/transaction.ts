import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type Context, jitter, timeLeft } from '../../context.ts'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { isSame, parseObject } from '../../json.ts'
import {
  checkWritable,
  type ConfigFile,
  configPath,
  entryOf,
  findOriginal,
  readConfig,
  realpathIfExists,
  restoreText
} from './file.ts'
import { activeLogins, isEmpty, isLedger, type Ledger } from './ledger.ts'
import { acquireLock, type Lock } from './lock.ts'
import * as write from './write.ts'

/** What each of some hosts has in config.json, or is to have: undefined for no entry. */
export type Entries = ReadonlyMap<string, unknown>

/** Before a transaction is done again: long enough for the other program to come to its end. */
const PAUSE_MS = 100

/**
 * Works on config.json and its ledger, under the lock beside them; the directory is made where there is none.
 * @param work is done again where another program, or another job, was at the files at the same moment
 * @param afterwards is called without the lock; where it throws a `Conflict`, all is done again
 * @throws UserError where the files can't be read or written, or the lock stays taken until the deadline
 */
export async function transact<T>(
  directory: string,
  context: Context,
  work: (transaction: Transaction) => T | Promise<T>,
  afterwards?: (result: T, tries: number) => Promise<void>
): Promise<T> {
  const lockPath = join(directory, 'icr-login.lock')
  let created: string | undefined
  for (let tries = 1; ; tries++) {
    let lock: Lock | undefined
    try {
      // Read before the wait: the last job that leaves takes the ledger with it, but no directory where others wait.
      created = write.createDirectory(directory) ?? readLedger(directory)?.createdDirectory ?? created
      lock = await acquireLock(lockPath, context)
      write.removeDrafts(lockPath)
      const result = await work(new Transaction(directory, created, lock))
      lock.release()
      await afterwards?.(result, tries)
      return result
    } catch (error) {
      // ENOENT: the last job that left took the directory with it.
      const again = error instanceof write.Conflict || codeOf(error) === 'ENOENT'
      if (!again || timeLeft(context) === 0) throw write.explainWrite(lockPath, error)
    } finally {
      lock?.release()
    }
    await context.sleep(jitter(PAUSE_MS))
  }
}

/** config.json and its ledger, while no other job is at them. */
export class Transaction {
  readonly #path: string
  readonly #ledgerPath: string
  /** How the ledger names the file: from its own directory, which another job may see at another path. */
  readonly #name: string
  readonly #lock: Lock
  readonly file: ConfigFile
  readonly ledger: Ledger | undefined
  /** The topmost directory that was made for the file, relative to its directory. */
  readonly createdDirectory: string | undefined

  constructor(directory: string, createdDirectory: string | undefined, lock: Lock) {
    this.#path = configPath(directory)
    this.#ledgerPath = ledgerPath(directory)
    this.#lock = lock
    this.file = readConfig(this.#path)
    checkWritable(this.file, this.#path)
    for (const written of [this.file.path, this.#ledgerPath]) write.removeDrafts(written)
    this.ledger = readLedger(directory)
    this.#name = relative(realpathIfExists(directory), this.file.path)
    if (this.ledger !== undefined && this.ledger.file !== this.#name)
      throw otherFile(directory, this.ledger, this.file)
    this.createdDirectory = this.ledger?.createdDirectory ?? createdDirectory
  }

  /** The ledger that is there; else one without a login yet, which knows what was there before. */
  continueLedger(): Ledger {
    const { file, ledger, createdDirectory } = this
    const found = statSync(file.path, { throwIfNoEntry: false })
    if (ledger === undefined)
      return {
        version: 2,
        file: this.#name,
        hosts: {},
        createdDirectory,
        original: findOriginal(file),
        access: found && { mode: found.mode & 0o7777, gid: found.gid }
      }
    const showsOurs = Object.keys(ledger.hosts).some((host) =>
      activeLogins(ledger, host).some(({ entry }) => isSame(entry, entryOf(file, host)))
    )
    const { original } = ledger
    const known = showsOurs || restoreText(file.path, file.content, original) === original
    // Else another program has written a text without a login of ours: from now on that is what is restored.
    return { ...ledger, original: known ? original : findOriginal(file), createdDirectory }
  }

  /**
   * Writes config.json, and reads it back.
   * @param text null removes the file
   * @param entries what some hosts must show then
   * @param shorter where the disk is full, the first of these that is no longer than the file overwrites it
   * @returns the text that was written
   * @throws Conflict where another program wrote the file at the same moment
   */
  async writeConfig(
    text: string | null,
    entries: Entries = new Map(),
    shorter: readonly string[] = []
  ): Promise<string | null> {
    const written = this.#put(this.file.path, text, this.file.text, shorter)
    // Yield once, so that a concurrent write becomes visible.
    await new Promise((resolve) => setImmediate(resolve))
    if (written === text) checkShown(this.#path, entries)
    return written
  }

  /** Writes the ledger; one without a login is removed. */
  writeLedger(ledger: Ledger): void {
    const before = this.ledger === undefined ? null : readFileSync(this.#ledgerPath, 'utf8')
    const text = JSON.stringify(ledger)
    const shrinks = before !== null && text.length <= before.length
    this.#put(this.#ledgerPath, isEmpty(ledger) ? null : text, before, shrinks ? [text] : [])
  }

  #put(path: string, text: string | null, before: string | null, shorter: readonly string[]): string | null {
    try {
      if (text !== null) write.writeAtomic(path, text, this.#lock)
      else if (before !== null) {
        this.#lock.check()
        if (!write.removeExact(path, before, this.#lock.id)) throw conflict(path)
      }
      return text
    } catch (error) {
      const full = write.isDiskFull(error) && shorter.length > 0
      if (full) this.#lock.check()
      const written = full ? write.writeInPlace(path, shorter) : undefined
      if (written === undefined) throw write.explainWrite(path, error)
      return written
    }
  }
}

/** @throws Conflict where config.json shows something else for a host than it is to show */
export function checkShown(path: string, entries: Entries): void {
  const file = readConfig(path)
  const lost = [...entries].filter(([host, entry]) => !isSame(entryOf(file, host), entry))
  if (lost.length > 0) throw conflict(path, ` for ${lost.map(([host]) => host).join(', ')}`)
}

function conflict(path: string, where = ''): UserError {
  return new write.Conflict(
    `${path} lost the change${where} to another program, each time.`,
    'Give isolate: true, which keeps this login in a file of its own.'
  )
}

/** Where config.json leads elsewhere by now, that file is not ours to change. */
function otherFile(directory: string, ledger: Ledger, { path }: ConfigFile): UserError {
  return new UserError(
    `${path} is not the file that was logged in to, which is ${join(realpathIfExists(directory), ledger.file)}.`,
    'Neither was changed. Take the login out of it by hand: docker logout.'
  )
}

function ledgerPath(directory: string): string {
  return join(directory, 'icr-login.json')
}

/**
 * The ledger in a directory; undefined where there is none.
 * @throws UserError where it is none of ours, or of another version
 */
export function readLedger(directory: string): Ledger | undefined {
  const path = ledgerPath(directory)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  const value = found.isFile() ? parseObject(readFileSync(path, 'utf8')) : undefined
  if (isLedger(value)) return value
  const version = value?.['version']
  throw new UserError(
    typeof version === 'number' && version !== 2
      ? `${path} is of another version of icr-login: version ${version} of the file, where this one reads version 2.`
      : `${path} is not the file that icr-login keeps there.`,
    'It was left as it is. Look at it, and delete it if no other job is running on this machine.'
  )
}

/** Tells one's own text from another program's. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
