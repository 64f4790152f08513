import { readdirSync, statSync } from 'node:fs'
import { type Context, timeLeft } from '../../context.ts'
import { isSame } from '../../json.ts'
import * as config from './file.ts'
import * as ledgers from './ledger.ts'
import type { AuthEntry, Entries, HelperUse, Ledger, Release } from './ledger.ts'
import { isRunning, thisMachine } from './lock.ts'
import { checkShown, type Files, hash, transact, writeConfig, writeLedger } from './transaction.ts'
import { accessOf, removeEmptyDirectories } from './write.ts'

/** A login that is to stand in config.json. */
export interface HeldLogin {
  readonly host: string
  readonly entry: AuthEntry
  readonly username?: string
  readonly helper?: HelperUse
}

/** The same for every step of a job, and for no other job of the machine. */
export function hashJob(env: NodeJS.ProcessEnv): string {
  const { RUNNER_TRACKING_ID = '', GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB, RUNNER_NAME } = env
  const run = [GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB, RUNNER_NAME].join('\n')
  return hash(RUNNER_TRACKING_ID === '' ? run : RUNNER_TRACKING_ID)
}

/**
 * Puts logins into the user's config.json, and writes down beside it what stood there before. Warns where a login of
 * another job is hidden. Where a program without a lock writes the file, it waits until that lets the logins stand.
 * @param owner names the login of one step, and its job as `hashJob` does
 * @param seen config.json as it was when the job began to log in
 * @returns the logins of dead jobs that fell out on the way
 * @throws UserError where config.json can't be read or written; then it is as it was
 */
export async function addLogins(
  directory: string,
  { loginId: id, job }: { readonly loginId: string; readonly job: string },
  logins: readonly HeldLogin[],
  context: Context,
  seen?: config.ConfigFile
): Promise<readonly Release[]> {
  const wanted = new Map(logins.map(({ host, entry }) => [host, entry]))
  const login = { id, job, since: context.now(), runner: { machine: thisMachine(), pid: process.ppid } }
  const dropped: Release[] = []
  const warnings = new Set<string>()
  let tries = 0
  await transact(directory, context, async (files) => {
    tries += 1
    const { file } = files
    const rest = removeFrom({ ...files, ledger: withOriginal(files) }, [], context)
    dropped.push(...rest.releases)
    let { ledger } = rest
    for (const { host, entry, helper, username } of logins) {
      for (const line of describeHidden(ledger, host, job, entry)) warnings.add(line)
      const shown = rest.entries.has(host) ? rest.entries.get(host) : config.entryOf(file, host)
      const named = username === undefined ? {} : { username }
      ledger = ledgers.addLogin(ledger, host, shown, { ...login, ...named, entry }, helper)
    }
    const entries = new Map([...rest.entries, ...wanted])
    const text = config.formatConfig(config.withEntries(file.content, entries))
    context.checkActive()
    writeLedger(files, { ...ledger, lastWritten: hash(text) })
    await writeConfig(files, entries, [text])
    files.lock.release()
    const isForeign = file.text !== seen?.text && hash(file.text ?? '') !== files.ledger.lastWritten
    if ((seen !== undefined && isForeign) || tries > 1) await waitUntilStable(directory, wanted, context)
  })
  for (const line of warnings) context.warning(line)
  return dropped
}

/** The ledger, with another original where another program has written a text without a login of ours. */
function withOriginal({ file, ledger }: Files): Ledger {
  const showsOurs = Object.entries(ledger.hosts).some(([host, record]) =>
    ledgers.activeLogins(record).some(({ entry }) => isSame(entry, config.entryOf(file, host)))
  )
  const known = showsOurs || config.restoreText(file.content, ledger.original) === ledger.original
  return known ? ledger : { ...ledger, original: config.findOriginal(file) }
}

function describeHidden(ledger: Ledger, host: string, job: string, entry: AuthEntry): string[] {
  const newest = ledgers.activeLogins(ledger.hosts[host]).at(-1)
  if (newest === undefined || newest.job === job || isSame(newest.entry, entry)) return []
  const user = newest.username === undefined ? '' : ` as ${newest.username}`
  return [
    `Another job on this machine is logged in to ${host}${user} since ${new Date(newest.since).toISOString()}. ` +
      'Until this job ends, that job uses the login of this job too. To keep them apart, set isolate: true.'
  ]
}

/** `docker login` reads config.json, talks to the registry, and writes: for so long it may undo what we have written. */
const STABLE_MS = 1_000
const STABLE_CHECKS = 20

/** @throws Conflict where another program takes a login out again */
async function waitUntilStable(directory: string, entries: Entries, context: Context): Promise<void> {
  for (let checks = 0; checks < STABLE_CHECKS && timeLeft(context) > 0; checks++) {
    await context.sleep(Math.min(STABLE_MS / STABLE_CHECKS, timeLeft(context)))
    checkShown(directory, entries)
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
  return await transact(directory, context, async (files) => {
    const { ledger, entries, releases } = removeFrom(files, [loginId], context)
    const text = await restore(files, entries, ledgers.isEmpty(ledger), context)
    writeLedger(files, text === null ? ledger : { ...ledger, lastWritten: hash(text) })
    files.lock.release()
    if (ledgers.isEmpty(ledger) && ledger.createdDirectory !== undefined)
      removeEmptyDirectories(directory, ledger.createdDirectory)
    return releases
  })
}

/** Whether anything of ours lies there. If not, a directory that can't be written is no reason to warn. */
function hasTraces(directory: string): boolean {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return false
  config.readConfig(config.configPath(directory))
  return readdirSync(directory).some((name) => name.startsWith('icr-login'))
}

/** Takes logins out of the ledger, and those of jobs that can't be running any more. */
function removeFrom(
  { file, ledger }: Files,
  ids: readonly string[],
  context: Context
): ReturnType<typeof ledgers.removeLogins> {
  const abandoned = ledgers.findAbandoned(ledger, context.now(), isRunning)
  return ledgers.removeLogins(ledger, [...ids, ...abandoned], (host) => config.entryOf(file, host))
}

/**
 * Writes config.json without the logins that are gone. After the last one it is what it was, and for whom it was.
 * @returns its text
 */
async function restore(
  files: Files,
  entries: Entries,
  last: boolean,
  context: Context
): Promise<string | null> {
  const { file, ledger } = files
  const found = accessOf(file.path)
  if (file.text === null || found === undefined) return null
  const content = config.withEntries(file.content, entries)
  const restored = last ? config.restoreText(content, ledger.original) : config.formatConfig(content)
  const text = entries.size > 0 || (last && restored === ledger.original) ? restored : file.text
  // A mode that somebody else has set since stays.
  const access = last && found.mode === 0o600 ? ledger.access : last ? found : undefined
  if (text === file.text && (access?.mode ?? found.mode) === found.mode) return text
  const hosts = [...entries.keys()]
  const compact = JSON.stringify(content)
  const bare = JSON.stringify(config.withEntries(content, new Map(hosts.map((host) => [host, undefined]))))
  const written = await writeConfig(files, entries, [text, compact, bare], access)
  const lost = written === compact ? 'its layout' : `the earlier login for ${hosts.join(', ')}`
  if (written !== text)
    context.warning(
      `The disk is full. ${file.path} no longer holds the login of this job, but ${lost} was not restored.`
    )
  return written
}

/** Leaves the logins of a step in config.json for good: they are the user's own from now on. */
export async function keepLogins(directory: string, loginId: string, context: Context): Promise<void> {
  await transact(directory, context, (files) => {
    writeLedger(files, ledgers.keepLogin(files.ledger, loginId))
  })
}

/**
 * The logins of a step that could not be taken out, one line each: which, where, until when, and how to remove it.
 * @param expiresAt when the credential expires, in ISO 8601; empty where it is not known
 */
export function describeRemaining(
  directory: string,
  loginId: string,
  hosts: readonly string[],
  expiresAt: string
): string[] {
  const until = expiresAt === '' ? '' : ` It expires ${expiresAt}.`
  const describe = (host: string, username?: string): string =>
    `The login for ${host}${username === undefined ? '' : ` as ${username}`} may still be in ` +
    `${config.configPath(directory)}.${until} To remove it, run: docker logout ${host}`
  try {
    const records = ledgers.readLedger(directory)?.hosts ?? {}
    return hosts.flatMap((host) => {
      const login = records[host]?.logins.find(({ id }) => id === loginId)
      return login === undefined ? [] : [describe(host, login.username)]
    })
  } catch {
    return hosts.map((host) => describe(host))
  }
}
