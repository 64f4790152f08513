import { lstat, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ConfigFile, explainWrite, readConfig, writePrivate } from './config-file.ts'
import type { Context } from './context.ts'
import { codeOf, UserError } from './errors.ts'
import { withLock } from './file-lock.ts'
import { isObject, parseObject } from './json.ts'
import * as ledgers from './ledger.ts'
import type { Ledger } from './ledger.ts'

/** The path of the config.json in a directory. */
export function configPath(directory: string): string {
  return join(directory, 'config.json')
}

/** What lies on the desk while the lock is held. */
export interface Desk {
  readonly file: ConfigFile
  readonly ledger: Ledger | undefined
  /** null removes the file. */
  writeConfig(text: string | null): Promise<void>
  writeLedger(ledger: Ledger): Promise<void>
  /** What a process that was killed left of its writing. */
  removeDrafts(): Promise<void>
}

/**
 * Does `work` at the desk while no other job is at it.
 * @param nonce names the job's use of the config
 * @throws UserError where the files can't be read or written, or the lock stays taken until the deadline
 */
export async function locked<T>(
  directory: string,
  nonce: string,
  context: Context,
  work: (desk: Desk) => Promise<T>
): Promise<T> {
  const path = lockPath(directory)
  const workAtDesk = async (checkOwned: () => Promise<void>): Promise<T> =>
    await work(await openDesk(directory, nonce, checkOwned))
  try {
    return await withLock(path, nonce, context, workAtDesk).catch(async (error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error
      // The last job that left took the directory with it.
      await mkdir(directory, { recursive: true, mode: 0o700 })
      return await withLock(path, nonce, context, workAtDesk)
    })
  } catch (error) {
    throw explainWrite(path, error)
  }
}

function lockPath(directory: string): string {
  return join(directory, 'icr-login.lock')
}

async function openDesk(directory: string, nonce: string, checkOwned: () => Promise<void>): Promise<Desk> {
  const file = await readConfig(configPath(directory))
  const path = join(directory, 'icr-login.json')
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
    ledger: await readLedger(path),
    writeConfig: async (text) => {
      await write(file.path, text)
    },
    writeLedger: async (ledger) => {
      await write(path, isEmpty(ledger) ? null : JSON.stringify(ledger))
    },
    removeDrafts: async () => {
      for (const target of [file.path, path]) await rm(`${target}.icr-login-${nonce}`, { force: true })
      for (const end of ['', '.old']) await rm(`${lockPath(directory)}.${nonce}${end}`, { force: true })
    }
  }
}

async function readLedger(path: string): Promise<Ledger | undefined> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return undefined
  const ledger = found.isFile() ? ledgers.parseLedger(parseObject(await readFile(path, 'utf8'))) : undefined
  if (ledger !== undefined) return ledger
  throw new UserError(
    `${path} is not the file that icr-login keeps there.`,
    'It was left as it is. Look at it, and delete it if no other job is running on this machine.'
  )
}

/** A ledger without a login yet, which knows what of the file was there before. */
export function beginLedger({ path, text, content }: ConfigFile, madeDirectory: boolean): Ledger {
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
