import { continueLedger, type Desk, findLost, isEmpty, locked, lostAgain } from './config-desk.ts'
import { removeEmptyAuths, editEntries } from './config-edit.ts'
import { type ConfigFile, configPath, entryOf, readConfig } from './file.ts'
import { type Context, timeLeft } from '../../context.ts'
import { UserError } from '../../errors/user-error.ts'
import { readdir, rmdir, stat } from '../../files.ts'
import { isSame, parseObject } from '../../json.ts'
import * as ledgers from './ledger.ts'
import type { AuthEntry, HelperUse, Ledger, Release } from './ledger.ts'

/** A login that is to stand in config.json. */
export interface HeldLogin {
  readonly host: string
  readonly entry: AuthEntry
  readonly helper?: HelperUse
}

/** `docker login` reads config.json, talks to the registry, and writes: for so long it may undo what we have written. */
const SETTLE_MS = 1_000
const SETTLE_LOOKS = 20

/**
 * Puts logins into the user's config.json, and writes down beside it what stood there before. Where programs without a
 * lock write that file at the same time, it stays until they have let the logins stand for a while.
 * @param nonce names the job's use of the config; the same one is given to `release`
 * @param seen config.json as it was when the job began to log in
 * @returns the logins of dead jobs that fell out on the way
 * @throws UserError where config.json can't be read or written; then it is as it was
 */
export async function hold(
  directory: string,
  nonce: string,
  logins: readonly HeldLogin[],
  context: Context,
  seen?: ConfigFile
): Promise<readonly Release[]> {
  const releases: Release[] = []
  for (let tries = 0; ;) {
    const { dropped, contested } = await locked(directory, nonce, context, async (desk) => {
      tries += 1
      const changed = seen !== undefined && wasChanged(desk, seen)
      return { dropped: await putOnTop(desk, nonce, logins, context), contested: changed || tries > 1 }
    })
    releases.push(...dropped)
    if (!contested || (await settle(directory, logins, context))) return releases
  }
}

/** Whether a program that is none of ours has written config.json since. */
function wasChanged({ file: { text }, ledger }: Desk, seen: ConfigFile): boolean {
  return text !== seen.text && (text === null || ledger?.wrote !== checksumOf(text))
}

async function putOnTop(
  desk: Desk,
  nonce: string,
  logins: readonly HeldLogin[],
  context: Context
): Promise<readonly Release[]> {
  const { ledger, releases, entries } = dropExpired(continueLedger(desk), desk.file, context)
  let next = ledger
  for (const { host, ...login } of logins) {
    next = ledgers.push(next, host, shownIn(entries, desk.file, host), {
      ...login,
      nonce,
      since: context.now()
    })
    entries.set(host, login.entry)
  }
  const text = editEntries(desk.file, entries)
  await desk.writeLedger({ ...next, wrote: checksumOf(text) })
  await desk.writeConfig(text, entries)
  return releases
}

/** Enough to know one's own text again; a real hash would load node:crypto (docs/performance.md). */
function checksumOf(text: string): number {
  let sum = 0
  for (let at = 0; at < text.length; at++) sum = (Math.imul(sum, 31) + text.charCodeAt(at)) | 0
  return sum
}

/** Waits for a while, and tells whether the logins are there at each look. */
async function settle(directory: string, logins: readonly HeldLogin[], context: Context): Promise<boolean> {
  const path = configPath(directory)
  const entries = new Map(logins.map(({ host, entry }) => [host, entry]))
  for (let looks = 0; looks < SETTLE_LOOKS && timeLeft(context) > 0; looks++) {
    await context.sleep(Math.min(SETTLE_MS / SETTLE_LOOKS, timeLeft(context)))
    const lost = findLost(await readConfig(path), entries)
    if (lost.length > 0 && timeLeft(context) === 0) throw lostAgain(path, lost)
    if (lost.length > 0) return false
  }
  return true
}

/**
 * Takes a job's logins out of config.json: each host shows again what it showed before.
 * @returns what came of each host; a host that is missing was not in the ledger
 * @throws UserError where config.json or the ledger can't be read or written
 */
export async function release(
  directory: string,
  nonce: string,
  context: Context
): Promise<readonly Release[]> {
  const found = await stat(directory).catch(() => undefined)
  if (found?.isDirectory() !== true) return []
  if (!(await hasTraces(directory))) return []
  const { releases, lastOut } = await locked(directory, nonce, context, async (desk) => {
    if (desk.ledger === undefined) return { releases: [], lastOut: desk.madeDirectory }
    checkSameFile(desk.ledger, desk.file)
    const own = ledgers.release(desk.ledger, nonce, (host) => entryOf(desk.file, host))
    const entries = new Map(
      own.releases.flatMap(({ host, show }) => (show === undefined ? [] : [[host, show]]))
    )
    const rest = dropExpired(own.ledger, desk.file, context, entries)
    const edited = rest.entries.size === 0 ? desk.file.text : editEntries(desk.file, rest.entries)
    const text = restoreText(edited, desk, rest.ledger)
    if (text !== desk.file.text) await desk.writeConfig(text, rest.entries)
    await desk.writeLedger({ ...rest.ledger, ...(text === null ? {} : { wrote: checksumOf(text) }) })
    const lastOut = continueLedger(desk).madeDirectory === true && isEmpty(rest.ledger)
    return { releases: [...own.releases, ...rest.releases], lastOut }
  })
  // Not empty: somebody else keeps something there by now.
  if (lastOut) await rmdir(directory).catch(() => undefined)
  return releases
}

/** Where config.json leads elsewhere by now, that file is not ours to change. */
function checkSameFile(ledger: Ledger, { path }: ConfigFile): void {
  if (ledger.file === path) return
  throw new UserError(
    `${path} is not the file that was logged in to, which is ${ledger.file}.`,
    'Neither was changed. Take the login out of it by hand: docker logout.'
  )
}

/** Whether anything of ours lies there. If not, a folder that can't be written is no reason to warn. */
async function hasTraces(directory: string): Promise<boolean> {
  await readConfig(configPath(directory))
  const names = await readdir(directory).catch(() => [])
  return names.some((name) => name.startsWith('icr-login'))
}

/** Leaves a job's logins in config.json for good: they are the user's own from now on. */
export async function keep(directory: string, nonce: string, context: Context): Promise<void> {
  await locked(directory, nonce, context, async (desk) => {
    if (desk.ledger !== undefined) await desk.writeLedger(ledgers.forget(desk.ledger, nonce))
  })
}

/** Takes out the logins of jobs that can't be running any more. */
function dropExpired(
  ledger: Ledger,
  file: ConfigFile,
  context: Context,
  entries = new Map<string, AuthEntry | null>()
): { ledger: Ledger; releases: readonly Release[]; entries: Map<string, AuthEntry | null> } {
  let rest = ledger
  const releases: Release[] = []
  for (const nonce of ledgers.expired(ledger, context.now())) {
    const dropped = ledgers.release(rest, nonce, (host) => shownIn(entries, file, host))
    rest = dropped.ledger
    releases.push(...dropped.releases)
    for (const { host, show } of dropped.releases) if (show !== undefined) entries.set(host, show)
  }
  return { ledger: rest, releases, entries }
}

/** What config.json shows for a host, once these entries are in it. */
function shownIn(
  entries: ReadonlyMap<string, AuthEntry | null>,
  file: ConfigFile,
  host: string
): AuthEntry | null {
  return entries.get(host) ?? (entries.has(host) ? null : entryOf(file, host))
}

/** The file's text once nobody of ours is left: without what we made, or no file where there was none. */
function restoreText(text: string | null, { ledger }: Desk, rest: Ledger): string | null {
  if (text === null || text.trim() === '' || !isEmpty(rest)) return text
  const bare = ledger?.madeAuths === true ? removeEmptyAuths(text) : text
  const empty = isSame(parseObject(bare), {})
  return empty && ledger?.blank !== undefined ? ledger.blank : bare
}
