import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type Context, jitter, timeLeft } from '../../context.ts'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { isSame } from '../../json.ts'
import * as config from './file.ts'
import * as ledgers from './ledger.ts'
import type { Entries, Ledger } from './ledger.ts'
import { acquireLock, type Lock } from './lock.ts'
import * as write from './write.ts'

/** config.json and its ledger, while no other job is at them. */
export interface Files {
  readonly directory: string
  readonly lock: Lock
  readonly file: config.ConfigFile
  /** One without a login where there is none yet. */
  readonly ledger: Ledger
}

/** Before a transaction is done again: long enough for the other program to come to its end. */
const PAUSE_MS = 100

/**
 * Works on config.json and its ledger, under the lock beside them; the directory is made where there is none.
 * @param work is done again where another program, or another job, was at the files at the same moment
 * @throws UserError where the files can't be read or written, or the lock stays taken until the deadline
 */
export async function transact<T>(
  directory: string,
  context: Context,
  work: (files: Files) => T | Promise<T>
): Promise<T> {
  const lockPath = join(directory, 'icr-login.lock')
  let created: string | undefined
  for (;;) {
    let lock: Lock | undefined
    try {
      // Read before the wait: the last job that leaves takes the ledger with it, but no directory where others wait.
      created = write.createDirectory(directory) ?? ledgers.readLedger(directory)?.createdDirectory ?? created
      lock = await acquireLock(lockPath, context)
      write.removeDrafts(lockPath)
      return await work(openFiles(directory, created, lock))
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

function openFiles(directory: string, created: string | undefined, lock: Lock): Files {
  const path = config.configPath(directory)
  const file = config.readConfig(path)
  if (file.path === config.NOWHERE)
    throw new UserError(
      `${path} can't hold a login: it leads to /dev/null.`,
      'Give isolate: true, which keeps this login in a file of its own, or put a file there.'
    )
  for (const written of [file.path, ledgers.ledgerPath(directory)]) write.removeDrafts(written)
  const real = realpathSync(directory)
  const name = relative(real, file.path)
  const ledger: Ledger = ledgers.readLedger(directory) ?? {
    version: 2,
    file: name,
    hosts: {},
    original: config.findOriginal(file),
    access: write.accessOf(file.path)
  }
  if (ledger.file !== name)
    throw new UserError(
      `${file.path} is not the file that was logged in to, which is ${join(real, ledger.file)}.`,
      'Neither was changed. Take the login out of it by hand: docker logout.'
    )
  const createdDirectory = ledger.createdDirectory ?? created
  return { directory, lock, file, ledger: { ...ledger, createdDirectory } }
}

/** Writes the ledger; one without a login is removed. */
export function writeLedger({ directory, lock, ledger: before }: Files, ledger: Ledger): void {
  const path = ledgers.ledgerPath(directory)
  const found = ledgers.isEmpty(before) ? null : readFileSync(path, 'utf8')
  write.replaceFile(path, found, [ledgers.isEmpty(ledger) ? null : JSON.stringify(ledger)], lock)
}

/**
 * Writes the first of some texts to config.json, where the disk is full a shorter one, and reads it back.
 * @param entries what some hosts must show then
 * @returns the text that was written
 * @throws Conflict where another program wrote the file at the same moment
 */
export async function writeConfig(
  { directory, file, lock }: Files,
  entries: Entries,
  texts: write.Texts,
  access?: write.Access
): Promise<string | null> {
  const written = write.replaceFile(file.path, file.text, texts, lock, access)
  // Yield once, so that a concurrent write becomes visible.
  await new Promise((resolve) => setImmediate(resolve))
  if (written === texts[0]) checkShown(directory, entries)
  return written
}

/** @throws Conflict where config.json shows something else for a host than it is to show */
export function checkShown(directory: string, entries: Entries): void {
  const path = config.configPath(directory)
  const file = config.readConfig(path)
  const lost = [...entries].filter(([host, entry]) => !isSame(config.entryOf(file, host), entry))
  const hosts = lost.map(([host]) => host).join(', ')
  if (hosts !== '')
    throw new write.Conflict(path, `lost the change for ${hosts} to another program, each time`)
}

/** Tells our own text from that of another program. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
