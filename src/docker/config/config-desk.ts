import { join } from 'node:path'
import {
  checkHolds,
  type ConfigFile,
  configPath,
  entryOf,
  explainWrite,
  followLinks,
  readConfig,
  readConfigAt
} from './file.ts'
import { type Context, jitter, timeLeft } from '../../context.ts'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { removeLockDrafts, withLock } from './lock.ts'
import { lookAt, mkdir, readFile, rm } from '../../files.ts'
import { isObject, isSame, parseObject } from '../../json.ts'
import * as ledgers from './ledger.ts'
import type { AuthEntry, Ledger } from './ledger.ts'
import { removeDrafts, writePrivate } from './private-file.ts'

/** Before the work is done again: long enough for the other program to come to its end. */
const PAUSE_MS = 100

/** What each of some hosts has in config.json, or is to have: null for no entry. */
export type Entries = ReadonlyMap<string, AuthEntry | null>

/** What lies on the desk while the lock is held. */
export interface Desk {
  readonly file: ConfigFile
  readonly ledger: Ledger | undefined
  /** Whether there was no directory before us, or before the jobs that were here when we came. */
  readonly madeDirectory: boolean
  /**
   * Writes config.json, and reads back what it shows.
   * @param text null removes the file
   * @param entries what some hosts must show then
   */
  writeConfig(text: string | null, entries?: Entries): Promise<void>
  writeLedger(ledger: Ledger): Promise<void>
}

/** Another program wrote config.json at the same moment, without a lock: docker itself does. */
class EntryLost extends UserError {}

/**
 * Does `work` at the desk while no other job is at it; the directory is made where there is none.
 * @param nonce names the job's use of the config
 * @param work is done again where another program wrote config.json at the same moment
 * @throws UserError where the files can't be read or written, or the lock stays taken until the deadline
 */
export async function locked<T>(
  directory: string,
  nonce: string,
  context: Context,
  work: (desk: Desk) => Promise<T>
): Promise<T> {
  const path = join(directory, 'icr-login.lock')
  const { madeDirectory = false } = (await readLedger(directory).catch(() => undefined)) ?? {}
  for (let made = madeDirectory; ;) {
    made = (await makeDirectory(directory)) || made
    try {
      return await withLock(path, nonce, context, async (checkOwned) => {
        await removeLockDrafts(path)
        return await work(await openDesk(directory, nonce, made, checkOwned))
      })
    } catch (error) {
      // ENOENT: the last job that left took the directory with it.
      const again = error instanceof EntryLost || codeOf(error) === 'ENOENT'
      if (!again || timeLeft(context) === 0) throw explainWrite(path, error)
      await context.sleep(jitter(PAUSE_MS))
    }
  }
}

async function makeDirectory(directory: string): Promise<boolean> {
  try {
    return (await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined
  } catch (error) {
    throw explainWrite(directory, error)
  }
}

async function openDesk(
  directory: string,
  nonce: string,
  madeDirectory: boolean,
  checkOwned: () => Promise<void>
): Promise<Desk> {
  const path = configPath(directory)
  const target = await followLinks(path)
  for (const written of [target, ledgerPath(directory)]) await removeDrafts(written)
  const file = await readConfigAt(target, path)
  checkHolds(file, path)
  const write = async (target: string, text: string | null): Promise<void> => {
    if (text === null) {
      await checkOwned()
      await rm(target, { force: true })
    } else {
      await writePrivate(target, text, nonce, checkOwned)
    }
  }
  return {
    file,
    ledger: await readLedger(directory),
    madeDirectory,
    writeConfig: async (text, entries = new Map()) => {
      await write(file.path, text)
      // Not in the same breath: what another program writes at this very moment is to be seen.
      await new Promise((resolve) => setImmediate(resolve))
      await checkShown(path, entries)
    },
    writeLedger: async (ledger) => {
      await write(ledgerPath(directory), isEmpty(ledger) ? null : JSON.stringify(ledger))
    }
  }
}

async function checkShown(path: string, entries: Entries): Promise<void> {
  const lost = findLost(await readConfig(path), entries)
  if (lost.length > 0) throw lostAgain(path, lost)
}

/** The hosts for which config.json shows something else than it is to show. */
export function findLost(file: ConfigFile, entries: Entries): string[] {
  return [...entries].flatMap(([host, entry]) => (isSame(entryOf(file, host), entry) ? [] : [host]))
}

/** The error for hosts whose change did not last, however often it was made. */
export function lostAgain(path: string, hosts: readonly string[]): UserError {
  return new EntryLost(
    `${path} lost the change for ${hosts.join(', ')} to another program, each time.`,
    'Run the job again, or give isolate: true, which keeps this login in a file of its own.'
  )
}

function ledgerPath(directory: string): string {
  return join(directory, 'icr-login.json')
}

async function readLedger(directory: string): Promise<Ledger | undefined> {
  const path = ledgerPath(directory)
  const found = await lookAt(path)
  if (found === undefined) return undefined
  const ledger = found.isFile() ? ledgers.parseLedger(parseObject(await readFile(path, 'utf8'))) : undefined
  if (ledger !== undefined) return ledger
  throw new UserError(
    `${path} is not the file that icr-login keeps there.`,
    'It was left as it is. Look at it, and delete it if no other job is running on this machine.'
  )
}

/** The ledger that is there for this file; else one without a login yet, which knows what was there before. */
export function continueLedger({ file: { path, text, content }, ledger, madeDirectory }: Desk): Ledger {
  if (ledger?.file === path)
    return { ...ledger, madeDirectory: ledger.madeDirectory === true || madeDirectory }
  return {
    version: 1,
    file: path,
    hosts: {},
    ...(Object.keys(content).length === 0 ? { blank: text } : {}),
    madeAuths: !isObject(content['auths']),
    madeDirectory
  }
}

/** Whether no login of ours is held any more. */
export function isEmpty(ledger: Ledger): boolean {
  return Object.keys(ledger.hosts).length === 0
}
