import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors/user-error.ts'
import { isObject, isSame, parseObject } from '../../json.ts'
import type { ProcessId } from './lock.ts'
import type { Access } from './write.ts'

/** An entry of config.json's `auths`. */
export type AuthEntry = Readonly<Record<string, unknown>>

/** What each of some hosts has in config.json, or is to have: undefined for no entry. */
export type Entries = ReadonlyMap<string, unknown>

/** A login that a job holds. */
export interface Login {
  /** Names the login of one step. */
  readonly id: string
  /** As `hashJob` gives it. */
  readonly job: string
  /** In milliseconds since 1970. */
  readonly since: number
  /** The process that runs the job. */
  readonly runner: ProcessId
  readonly entry: AuthEntry
  readonly username?: string
  /** Somebody else's entry has taken its place since, or it was never written: what its removal comes to. */
  readonly replaced?: Outcome
}

/** What a credential helper holds for a host while we use it. */
export interface HelperUse {
  readonly name: string
  /** Whether it held the very same credential before us; then it keeps it. */
  readonly before: boolean
  /** What it holds, by its hash: what anyone else stores there since is not ours to erase. */
  readonly digest: string
}

interface HostRecord {
  /** The entry that nobody of ours has made; absent for none. */
  readonly before?: unknown
  /** From the oldest to the newest. */
  readonly logins: readonly Login[]
  readonly helper?: HelperUse
}

/** Kept beside config.json while a login of ours is held. */
export interface Ledger {
  readonly version: 2
  /** The file that it is about, relative to the directory: the same directory can have several paths. */
  readonly file: string
  /** The text to restore where docker's layout is not enough; null: there was no file. */
  readonly original?: string | null | undefined
  readonly access?: Access | undefined
  /** The topmost directory that was made for it, relative to the directory. */
  readonly createdDirectory?: string | undefined
  /** The hash of config.json as one of ours has last written it. */
  readonly lastWritten?: string
  readonly hosts: Readonly<Record<string, HostRecord>>
}

/**
 * What came of a host's entry. `removed`: there was none before. `restored`: the user's entry of before is back.
 * `shared`: another login shows, of a job that still runs or for good. `gone`: somebody else has put things as they
 * were before, or it never came into config.json. `changed`: somebody else's entry, or removal, is left as it is.
 */
export type Outcome = 'removed' | 'restored' | 'shared' | 'gone' | 'changed'

export interface Release {
  readonly host: string
  readonly outcome: Outcome
  /** The helper that nobody of ours needs any longer. */
  readonly helper?: HelperUse
}

/** The path of the ledger in a directory. */
export function ledgerPath(directory: string): string {
  return join(directory, 'icr-login.json')
}

/** The ledger in a directory, if there is one. @throws UserError where it is none of ours, or of another version */
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

export function isLedger(value: unknown): value is Ledger {
  if (!isObject(value) || !isObject(value['hosts'])) return false
  const logins = Object.values(value['hosts']).map((record) => isObject(record) && record['logins'])
  const areLogins = logins.every((each) => Array.isArray(each) && each.every(isLogin))
  return value['version'] === 2 && typeof value['file'] === 'string' && areLogins
}

function isLogin(value: unknown): boolean {
  const { id, since, runner, entry } = isObject(value) ? value : {}
  return typeof id === 'string' && typeof since === 'number' && isObject(runner) && isObject(entry)
}

/** The logins for a host that config.json shows, or will show again. */
export function activeLogins(record: HostRecord | undefined): readonly Login[] {
  return record?.logins.filter(({ replaced }) => replaced === undefined) ?? []
}

/** What config.json is to show for a host. */
function expectedEntry(record: HostRecord): unknown {
  return activeLogins(record).at(-1)?.entry ?? record.before
}

/** Puts a login on top of `shown`, the host's entry in config.json. */
export function addLogin(
  ledger: Ledger,
  host: string,
  shown: unknown,
  login: Login,
  helper?: HelperUse
): Ledger {
  const record = ledger.hosts[host] ?? { before: shown, logins: [] }
  const rest = { ...record, logins: record.logins.filter(({ id }) => id !== login.id) }
  // What is shown may be our own login, or what lies below it: then another program has undone it, and it is made again.
  const known = [record, rest].some((each) => isSame(expectedEntry(each), shown))
  const undone = isSame(record.before, shown) ? 'gone' : 'changed'
  const base = known ? rest : { before: shown, logins: markReplaced(rest.logins, undone) }
  const use = record.helper ?? helper
  return withHost(ledger, host, {
    ...base,
    logins: [...base.logins, login],
    ...(use === undefined ? {} : { helper: { ...use, digest: helper?.digest ?? use.digest } })
  })
}

function markReplaced(logins: readonly Login[], replaced: Outcome): readonly Login[] {
  return logins.map((login) => ({ replaced, ...login }))
}

/**
 * Takes logins out of the ledger, one after the other.
 * @param shown a host's entry in config.json
 * @returns what came of each host, and the entries that config.json must show now
 */
export function removeLogins(
  ledger: Ledger,
  ids: readonly string[],
  shown: (host: string) => unknown
): { ledger: Ledger; releases: readonly Release[]; entries: Entries } {
  const releases: Release[] = []
  const entries = new Map<string, unknown>()
  for (const id of ids) {
    for (const [host, record] of Object.entries(ledger.hosts)) {
      const login = record.logins.find((each) => each.id === id)
      if (login === undefined) continue
      const now = entries.has(host) ? entries.get(host) : shown(host)
      const rest = { ...record, logins: record.logins.filter((each) => each !== login) }
      ledger = withHost(ledger, host, rest)
      const isShown = activeLogins(record).at(-1) === login && isSame(login.entry, now)
      if (isShown) entries.set(host, expectedEntry(rest))
      const helper = rest.logins.length > 0 || record.helper === undefined ? {} : { helper: record.helper }
      releases.push({ host, outcome: outcomeOf(login, record, rest, now), ...helper })
    }
  }
  return { ledger, releases, entries }
}

function outcomeOf(login: Login, record: HostRecord, rest: HostRecord, shown: unknown): Outcome {
  if (activeLogins(record).at(-1) === login && !isSame(login.entry, shown))
    return isSame(expectedEntry(rest), shown) ? 'gone' : 'changed'
  if (activeLogins(rest).length > 0) return 'shared'
  return login.replaced ?? (rest.before === undefined ? 'removed' : 'restored')
}

/** Forgets that a login is ours: from now on it is the user's own, and older ones are not shown again. */
export function keepLogin(ledger: Ledger, id: string): Ledger {
  for (const [host, { before, logins, helper }] of Object.entries(ledger.hosts)) {
    const at = logins.findIndex((login) => login.id === id)
    const login = logins[at]
    if (login === undefined) continue
    ledger = withHost(ledger, host, {
      before: login.replaced === undefined ? login.entry : before,
      logins: [...markReplaced(logins.slice(0, at), 'shared'), ...logins.slice(at + 1)],
      // What is the user's own by now is not a later job's to erase.
      ...(helper === undefined ? {} : { helper: { ...helper, before: true } })
    })
  }
  return ledger
}

/** The longest that a job on a self-hosted runner lives (docs/references.md, "Runner"). */
const MAX_JOB_MS = 5 * 24 * 60 * 60 * 1000

/** The logins of jobs that can't be running any more: too old, by a clock that may be wrong, and without a process. */
export function findAbandoned(
  ledger: Ledger,
  now: number,
  isRunning: (process: ProcessId) => boolean
): string[] {
  const logins = Object.values(ledger.hosts).flatMap((record) => record.logins)
  const isGone = ({ since, runner }: Login): boolean =>
    Math.abs(now - since) > MAX_JOB_MS && !isRunning(runner)
  return logins.filter(isGone).map(({ id }) => id)
}

/** Whether no login of ours is held any more. */
export function isEmpty(ledger: Ledger): boolean {
  return Object.keys(ledger.hosts).length === 0
}

function withHost(ledger: Ledger, host: string, record: HostRecord): Ledger {
  const hosts = Object.entries({ ...ledger.hosts, [host]: record })
  return { ...ledger, hosts: Object.fromEntries(hosts.filter(([, { logins }]) => logins.length > 0)) }
}
