import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Context } from '../context.ts'
import type { Credential } from '../credential/credential.ts'
import { type CredentialHelper, eraseFromHelper, findHelper, getFromHelper } from './helper.ts'
import { messageOf, UserError } from '../errors/user-error.ts'
import { parseObject } from '../json.ts'
import { homeConfigDirectory } from './config/file.ts'
import { type HelperUse, ledgerPath, type Release } from './config/ledger.ts'
import { hash } from './config/transaction.ts'
import { createDirectory, removeEmptyDirectories } from './config/write.ts'

/** A helper that is to keep a host's login. */
export interface HelperClaim {
  readonly helper: CredentialHelper
  readonly use: HelperUse
}

/**
 * Finds the helper of a host.
 * @param wanted.path of the config.json that names it
 * @throws UserError where it is missing or fails, or holds another login, which nobody could bring back
 */
export async function claimHelper(
  name: string,
  wanted: { readonly host: string; readonly credential: Credential; readonly path: string },
  context: Context
): Promise<HelperClaim> {
  const helper = await findHelper(name)
  const found = await getFromHelper(helper, wanted.host, context)
  const digest = digestOf(wanted.credential)
  if (found === undefined || digestOf(found) === digest) {
    const [user] = readUsers(name, wanted.host)
    return { helper, use: { name, before: user?.before ?? found !== undefined, digest } }
  }
  throw new UserError(
    `The credential helper "${name}" (${wanted.path}) holds another login for ${wanted.host}, which could not be brought back.`,
    'Give isolate: true, which keeps this login away from it, or run docker logout first if that login is not needed.'
  )
}

/**
 * Reads the login back from the helper.
 * @returns the use of the helper, to be written down
 * @throws UserError where the helper holds nothing, or something else
 */
export async function checkHelperLogin(
  { helper, use }: HelperClaim,
  host: string,
  context: Context
): Promise<HelperUse> {
  const found = await getFromHelper(helper, host, context)
  // docker's name for an identity token, which it keeps in place of the secret where the registry gives one.
  if (found !== undefined && (found.username === '<token>' || digestOf(found) === use.digest)) {
    return { ...use, digest: digestOf(found) }
  }
  throw new UserError(
    `docker login for ${host} ended well, but the credential helper "${helper.name}" does not hold this login.`,
    `Does the helper work by hand? Try: echo ${host} | docker-credential-${helper.name} get`
  )
}

function digestOf({ username, secret }: Credential): string {
  return hash(`${username}:${secret}`)
}

/**
 * Makes credential helpers forget what nobody of ours needs any longer, unless they held it before us, or hold
 * something else by now.
 * @returns the hosts whose helper holds something else
 * @throws UserError where a helper fails, or holds the login still
 */
export async function eraseUnused(
  directory: string,
  releases: readonly Release[],
  context: Context
): Promise<string[]> {
  const changed: string[] = []
  const failures: unknown[] = []
  for (const { host, helper: use } of releases) {
    if (use === undefined || leaveStore(directory, host, use).length > 0 || use.before) continue
    try {
      const helper = await findHelper(use.name)
      const found = await getFromHelper(helper, host, context)
      if (found === undefined) continue
      if (digestOf(found) === use.digest) await eraseAndCheck(helper, host, context)
      else changed.push(host)
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 1) throw new Error(failures.map(messageOf).join('\n'))
  if (failures.length === 1) throw failures[0]
  return changed
}

async function eraseAndCheck(helper: CredentialHelper, host: string, context: Context): Promise<void> {
  await eraseFromHelper(helper, host, context)
  if ((await getFromHelper(helper, host, context)) === undefined) return
  throw new UserError(
    `The credential helper "${helper.name}" still holds the login for ${host}.`,
    `Erase it by hand: echo ${host} | docker-credential-${helper.name} erase`
  )
}

/** A config directory whose jobs use a store for a host: the store belongs to its user, not to a config.json. */
interface StoreUser {
  readonly directory: string
  /** Whether the store held the login before any of ours. */
  readonly before: boolean
}

function usersDirectory(name: string, host: string): string {
  return join(dirname(homeConfigDirectory()), '.icr-login-stores', hash(`${name} ${host}`).slice(0, 16))
}

/** The users of a store. One whose ledger is gone is no user any more. */
function readUsers(name: string, host: string): StoreUser[] {
  return ifRecorded([], () => {
    const users = usersDirectory(name, host)
    const files = existsSync(users) ? readdirSync(users).map((file) => join(users, file)) : []
    return files.flatMap((file) => {
      const { directory, before } = parseObject(readFileSync(file, 'utf8')) ?? {}
      if (typeof directory === 'string' && existsSync(ledgerPath(directory)))
        return [{ directory, before: before === true }]
      rmSync(file, { force: true })
      return []
    })
  })
}

/** Registers a config directory as a user of a store; called once its ledger has the use, and before the login. */
export function joinStore(directory: string, host: string, { name, before }: HelperUse): void {
  ifRecorded(undefined, () => {
    const users = usersDirectory(name, host)
    createDirectory(users)
    const file = join(users, hash(directory).slice(0, 16))
    writeFileSync(file, JSON.stringify({ directory, before }), { mode: 0o600 })
  })
}

/** @returns the other config directories that still use the store */
function leaveStore(directory: string, host: string, { name }: HelperUse): StoreUser[] {
  ifRecorded(undefined, () => {
    rmSync(join(usersDirectory(name, host), hash(directory).slice(0, 16)), { force: true })
  })
  const others = readUsers(name, host)
  ifRecorded(undefined, () => {
    removeEmptyDirectories(usersDirectory(name, host), '..')
  })
  return others
}

/** Without a home directory that can be written, a store is used as if no other config directory used it. */
function ifRecorded<T>(otherwise: T, work: () => T): T {
  try {
    return work()
  } catch {
    return otherwise
  }
}
