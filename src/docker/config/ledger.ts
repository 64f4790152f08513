import { isObject, isSame } from '../../json.ts'
import type { ProcessId } from './lock.ts'

/** An entry of config.json's `auths`. */
export type AuthEntry = Readonly<Record<string, unknown>>

/** A login that a job holds. */
export interface Login {
  /** Names the login of one step. */
  readonly id: string
  /** Tells two steps of one job from two jobs. */
  readonly job: string
  /** When it was made, in milliseconds since 1970. */
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
  /** The newest is the last. */
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
  /** Who could read the file. */
  readonly access?: { readonly mode: number; readonly gid: number } | undefined
  /** The topmost directory that was made for it, relative to the directory. */
  readonly createdDirectory?: string | undefined
  /** The hash of config.json as one of ours has last written it. */
  readonly lastWritten?: string
  readonly hosts: Readonly<Record<string, HostRecord>>
}

/** What came of a host's entry. */
export type Outcome =
  /** The entry is gone; there was none before. */
  | 'removed'
  /** The user's entry of before is back. */
  | 'restored'
  /** Another login shows, of a job that still runs or for good. */
  | 'shared'
  /** Somebody else has put things as they were before, or it never came into config.json (main was killed). */
  | 'gone'
  /** Somebody else changed the entry since, or removed one that was there before: it is left. */
  | 'changed'

export interface Release {
  readonly host: string
  readonly outcome: Outcome
  /** The helper that nobody of ours needs any longer. */
  readonly helper?: HelperUse
}

export function isLedger(value: unknown): value is Ledger {
  if (!isObject(value) || !isObject(value['hosts'])) return false
  const logins = Object.values(value['hosts']).map((record) => isObject(record) && record['logins'])
  return (
    value['version'] === 2 &&
    typeof value['file'] === 'string' &&
    logins.every((each) => Array.isArray(each) && each.every(isLogin))
  )
}

function isLogin(value: unknown): boolean {
  if (!isObject(value)) return false
  const { id, since, runner, entry } = value
  return typeof id === 'string' && typeof since === 'number' && isObject(runner) && isObject(entry)
}

/** The logins that config.json shows, or will show again. */
function activeIn(record: HostRecord | undefined): readonly Login[] {
  return record?.logins.filter(({ replaced }) => replaced === undefined) ?? []
}

/** What config.json is to show for a host. */
function expectedEntry(record: HostRecord): unknown {
  return activeIn(record).at(-1)?.entry ?? record.before
}

/** The logins for a host that are still valid. */
export function activeLogins(ledger: Ledger, host: string): readonly Login[] {
  return activeIn(ledger.hosts[host])
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
  const base = known ? rest : { ...rest, before: shown, logins: markReplaced(rest.logins, undone) }
  const use = record.helper ?? helper
  return withHost(ledger, host, {
    ...base,
    logins: [...base.logins, login],
    ...(use === undefined ? {} : { helper: { ...use, digest: helper?.digest ?? use.digest } })
  })
}

function markReplaced(logins: readonly Login[], outcome: Outcome): readonly Login[] {
  return logins.map((login) => ({ replaced: outcome, ...login }))
}

/**
 * Takes logins out of the ledger, one after the other.
 * @param shown a host's entry in config.json
 * @returns what came of each host, and the entries that config.json must show now: undefined for none
 */
export function removeLogins(
  ledger: Ledger,
  ids: readonly string[],
  shown: (host: string) => unknown
): {
  readonly ledger: Ledger
  readonly releases: readonly Release[]
  readonly entries: ReadonlyMap<string, unknown>
} {
  let left = ledger
  const releases: Release[] = []
  const entries = new Map<string, unknown>()
  const removeOne = (host: string, record: HostRecord, login: Login): void => {
    const now = entries.has(host) ? entries.get(host) : shown(host)
    const rest = { ...record, logins: record.logins.filter((each) => each !== login) }
    left = withHost(left, host, rest)
    if (isShown(login, record, now)) entries.set(host, expectedEntry(rest))
    const helper = rest.logins.length > 0 || record.helper === undefined ? {} : { helper: record.helper }
    releases.push({ host, outcome: outcomeOf(login, record, rest, now), ...helper })
  }
  for (const id of ids) {
    for (const [host, record] of Object.entries(left.hosts)) {
      const login = record.logins.find((each) => each.id === id)
      if (login !== undefined) removeOne(host, record, login)
    }
  }
  return { ledger: left, releases, entries }
}

function isShown(login: Login, record: HostRecord, shown: unknown): boolean {
  return activeIn(record).at(-1) === login && isSame(login.entry, shown)
}

function outcomeOf(login: Login, record: HostRecord, rest: HostRecord, shown: unknown): Outcome {
  const others = activeIn(rest)
  if (login.replaced !== undefined) return others.length > 0 ? 'shared' : login.replaced
  if (activeIn(record).at(-1) !== login) return 'shared'
  if (!isShown(login, record, shown)) return isSame(expectedEntry(rest), shown) ? 'gone' : 'changed'
  if (others.length > 0) return 'shared'
  return rest.before === undefined ? 'removed' : 'restored'
}

/** Forgets that a login is ours: from now on it is the user's own, and older ones are not shown again. */
export function keepLogin(ledger: Ledger, id: string): Ledger {
  let left = ledger
  for (const [host, record] of Object.entries(ledger.hosts)) {
    const at = record.logins.findIndex((login) => login.id === id)
    const login = record.logins[at]
    if (login === undefined) continue
    left = withHost(left, host, {
      before: login.replaced === undefined ? login.entry : record.before,
      logins: [...markReplaced(record.logins.slice(0, at), 'shared'), ...record.logins.slice(at + 1)],
      // What is the user's own by now is not a later job's to erase.
      ...(record.helper === undefined ? {} : { helper: { ...record.helper, before: true } })
    })
  }
  return left
}

/** No job on a self-hosted runner lives longer than 5 days (docs/references.md, "Runner"). */
const MAX_JOB_MS = 5 * 24 * 60 * 60 * 1000

/** The logins of jobs that can't be running any more: too old, by a clock that may be wrong, and without a process. */
export function findAbandoned(
  ledger: Ledger,
  now: number,
  isRunning: (process: ProcessId) => boolean
): string[] {
  const logins = Object.values(ledger.hosts).flatMap((record) => record.logins)
  return logins.flatMap(({ id, since, runner }) =>
    Math.abs(now - since) > MAX_JOB_MS && !isRunning(runner) ? [id] : []
  )
}

/** Whether no login of ours is held any more. */
export function isEmpty(ledger: Ledger): boolean {
  return Object.keys(ledger.hosts).length === 0
}

function withHost(ledger: Ledger, host: string, record: HostRecord): Ledger {
  const hosts = Object.entries({ ...ledger.hosts, [host]: record })
  return { ...ledger, hosts: Object.fromEntries(hosts.filter(([, { logins }]) => logins.length > 0)) }
}
