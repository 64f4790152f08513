import { closeSync, constants, fchmodSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs'
import { type Context, timeLeft } from '../../context.ts'
import { isSame } from '../../json.ts'
import {
  type ConfigFile,
  configPath,
  entryOf,
  findOriginal,
  formatConfig,
  readConfig,
  restoreText,
  withEntries
} from './file.ts'
import * as ledgers from './ledger.ts'
import type { AuthEntry, HelperUse, Ledger, Release } from './ledger.ts'
import { isRunning, thisMachine } from './lock.ts'
import { checkShown, type Entries, hash, transact, type Transaction } from './transaction.ts'
import { removeEmptyDirectories } from './write.ts'

/** A login that is to stand in config.json. */
export interface HeldLogin {
  readonly host: string
  readonly entry: AuthEntry
  readonly username?: string
  readonly helper?: HelperUse
}

/** Whose login it is. */
export interface LoginOwner {
  /** Names the login of one step; `removeLogins` is given the same. */
  readonly loginId: string
  /** As `hashJob` gives it. */
  readonly job: string
}

/** The same for every step of a job, and for no other job of the machine. */
export function hashJob(env: NodeJS.ProcessEnv): string {
  const { RUNNER_TRACKING_ID = '', GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB, RUNNER_NAME } = env
  const run = [GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB, RUNNER_NAME].join('\n')
  return hash(RUNNER_TRACKING_ID === '' ? run : RUNNER_TRACKING_ID)
}

/** `docker login` reads config.json, talks to the registry, and writes: for so long it may undo what we have written. */
const STABLE_MS = 1_000
const STABLE_CHECKS = 20

/**
 * Puts logins into the user's config.json, and writes down beside it what stood there before. Where programs without a
 * lock write that file at the same time, it stays until they have let the logins stand for a while. Warns where a login
 * of another job is hidden.
 * @param seen config.json as it was when the job began to log in
 * @returns the logins of dead jobs that fell out on the way
 * @throws UserError where config.json can't be read or written; then it is as it was
 */
export async function addLogins(
  directory: string,
  { loginId: id, job }: LoginOwner,
  logins: readonly HeldLogin[],
  context: Context,
  seen?: ConfigFile
): Promise<readonly Release[]> {
  const wanted = new Map(logins.map(({ host, entry }) => [host, entry]))
  const login = { id, job, since: context.now(), runner: { machine: thisMachine(), pid: process.ppid } }
  const dropped: Release[] = []
  const warnings = new Set<string>()
  const work = async (transaction: Transaction): Promise<boolean> => {
    const { file } = transaction
    const rest = removeFrom(transaction.continueLedger(), [], transaction, context)
    dropped.push(...rest.releases)
    let { ledger } = rest
    const shown = (host: string): unknown =>
      rest.entries.has(host) ? rest.entries.get(host) : entryOf(file, host)
    for (const { host, entry, helper, username } of logins) {
      for (const line of describeHidden(ledger, host, job, entry)) warnings.add(line)
      const named = username === undefined ? {} : { username }
      ledger = ledgers.addLogin(ledger, host, shown(host), { ...login, ...named, entry }, helper)
    }
    const entries = new Map([...rest.entries, ...wanted])
    const text = formatConfig(withEntries(file.content, entries))
    context.checkActive()
    transaction.writeLedger({ ...ledger, lastWritten: hash(text) })
    await transaction.writeConfig(text, entries)
    return seen !== undefined && file.text !== seen.text && !isOurs(file, transaction.ledger)
  }
  await transact(directory, context, work, async (changed, tries) => {
    if (changed || tries > 1) await waitUntilStable(configPath(directory), wanted, context)
  })
  for (const line of warnings) context.warning(line)
  return dropped
}

/** Whether one of ours was the last to write config.json. */
function isOurs({ text }: ConfigFile, ledger: Ledger | undefined): boolean {
  return text !== null && ledger?.lastWritten === hash(text)
}

function describeHidden(ledger: Ledger, host: string, job: string, entry: AuthEntry): string[] {
  const newest = ledgers.activeLogins(ledger, host).at(-1)
  if (newest === undefined || newest.job === job || isSame(newest.entry, entry)) return []
  const user = newest.username === undefined ? '' : ` as ${newest.username}`
  return [
    `Another job on this machine is logged in to ${host}${user} since ${new Date(newest.since).toISOString()}. ` +
      'Until this job ends, that job uses the login of this job too. To keep them apart, set isolate: true.'
  ]
}

/** @throws Conflict where another program takes a login out again */
async function waitUntilStable(path: string, entries: Entries, context: Context): Promise<void> {
  for (let checks = 0; checks < STABLE_CHECKS && timeLeft(context) > 0; checks++) {
    await context.sleep(Math.min(STABLE_MS / STABLE_CHECKS, timeLeft(context)))
    checkShown(path, entries)
  }
}

/**
 * Takes the logins of a step out of config.json: each host shows again what it showed before.
 * @returns what came of each host; a host that is missing was not in the ledger
 * @throws UserError where config.json or the ledger can't be read or written
 */
export async function removeLogins(
  directory: string,
  loginId: string,
  context: Context
): Promise<readonly Release[]> {
  if (!hasTraces(directory)) return []
  const { releases, emptyFrom } = await transact(directory, context, async (transaction) => {
    const { ledger: before } = transaction
    if (before === undefined) return { releases: [], emptyFrom: transaction.createdDirectory }
    const { ledger, entries, releases } = removeFrom(before, [loginId], transaction, context)
    const last = ledgers.isEmpty(ledger)
    const text = await restore(transaction, before, entries, last, context)
    transaction.writeLedger(text === null ? ledger : { ...ledger, lastWritten: hash(text) })
    return { releases, emptyFrom: last ? transaction.createdDirectory : undefined }
  })
  if (emptyFrom !== undefined) removeEmptyDirectories(directory, emptyFrom)
  return releases
}

/** Takes logins out of the ledger, and those of jobs that can't be running any more. */
function removeFrom(
  ledger: Ledger,
  ids: readonly string[],
  { file }: Transaction,
  context: Context
): ReturnType<typeof ledgers.removeLogins> {
  const abandoned = ledgers.findAbandoned(ledger, context.now(), isRunning)
  return ledgers.removeLogins(ledger, [...ids, ...abandoned], (host) => entryOf(file, host))
}

/**
 * Writes config.json without the logins that are gone. After the last one it is what it was, and for whom it was.
 * @returns its text
 */
async function restore(
  transaction: Transaction,
  { original, access }: Ledger,
  entries: Entries,
  last: boolean,
  context: Context
): Promise<string | null> {
  const { file } = transaction
  if (file.text === null) return null
  const mode = statSync(file.path).mode & 0o7777
  const content = entries.size === 0 ? file.content : withEntries(file.content, entries)
  const restored = last ? restoreText(file.path, content, original) : formatConfig(content)
  const changed = entries.size > 0 || (last && restored === original)
  let text = changed ? restored : file.text
  if (text !== file.text) {
    const hosts = [...entries.keys()]
    const bare = JSON.stringify(withEntries(content, new Map(hosts.map((host) => [host, undefined]))))
    const compact = JSON.stringify(content)
    const shorter = [...(text === null ? [] : [text]), formatConfig(content), compact, bare]
    text = await transaction.writeConfig(text, entries, shorter)
    const lost =
      text === bare && bare !== compact ? `the earlier login for ${hosts.join(', ')}` : 'its layout'
    if (text !== restored)
      context.warning(
        `The disk is full. ${file.path} no longer holds the login of this job, but ${lost} was not restored.`
      )
  }
  if (last && text !== null) restoreAccess(file.path, mode, access)
  return text
}

/** While the login was in, only its user could read the file; a mode that somebody else has set since stays. */
function restoreAccess(
  path: string,
  mode: number,
  access: Ledger['access'] = { mode: 0o600, gid: -1 }
): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const found = fstatSync(file)
    const before = found.gid === access.gid ? access.mode : access.mode & ~0o070
    const wanted = mode === 0o600 ? before : mode
    if ((found.mode & 0o7777) !== wanted) fchmodSync(file, wanted)
  } finally {
    closeSync(file)
  }
}

/** Whether anything of ours lies there. If not, a directory that can't be written is no reason to warn. */
function hasTraces(directory: string): boolean {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return false
  readConfig(configPath(directory))
  return readdirSync(directory).some((name) => name.startsWith('icr-login'))
}

/** Leaves the logins of a step in config.json for good: they are the user's own from now on. */
export async function keepLogins(directory: string, loginId: string, context: Context): Promise<void> {
  await transact(directory, context, (files) => {
    if (files.ledger !== undefined) files.writeLedger(ledgers.keepLogin(files.ledger, loginId))
  })
}

/**
 * Gives a host the entry again that it had before docker logged in to it in the user's own config.json.
 * @param entry that docker wrote; another one is left
 * @param before config.json as it was then
 */
export async function undoLogin(
  directory: string,
  host: string,
  entry: unknown,
  before: ConfigFile,
  context: Context
): Promise<void> {
  await transact(directory, context, async (transaction) => {
    const { file } = transaction
    if (!isSame(entryOf(file, host), entry)) return
    const entries = new Map([[host, entryOf(before, host)]])
    const text = restoreText(file.path, withEntries(file.content, entries), findOriginal(before))
    await transaction.writeConfig(text, text === null ? new Map() : entries)
  })
}
