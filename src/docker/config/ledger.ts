import { isObject, isSame } from '../../json.ts'

/** An entry of config.json's `auths`. */
export type AuthEntry = Readonly<Record<string, unknown>>

/** What config.json showed for a host, or was made to show. */
interface Layer {
  /** null: no entry. */
  readonly entry: AuthEntry | null
  /** Whose login it is, where it is one of ours that is still held. */
  readonly nonce?: string
  /** When that login was made, in milliseconds since 1970. */
  readonly since?: number
}

/** What a credential helper holds for a host while we use it. */
export interface HelperUse {
  readonly name: string
  /** Whether it held the very same credential before us; then it keeps it. */
  readonly before: boolean
  /** What it holds, by its hash: what anyone else stores there since is not ours to erase. */
  readonly digest: string
}

interface HostStack {
  /** The lowest is what the user had; the newest is what config.json shows. Ours carry a nonce. */
  readonly layers: readonly Layer[]
  readonly helper?: HelperUse
}

/** Kept beside config.json while a login of ours is held. */
export interface Ledger {
  readonly version: 1
  /** The file that it is about: where config.json led when it was begun, if that was a link. */
  readonly file: string
  /** What the file held when it had nothing in it: null where there was no file. Undefined: it had something. */
  readonly blank?: string | null
  /** Whether `auths` was made by us. */
  readonly madeAuths?: boolean
  readonly madeDirectory?: boolean
  /** The checksum of config.json as one of ours has last written it. */
  readonly wrote?: number
  readonly hosts: Readonly<Record<string, HostStack>>
}

/** No job on a self-hosted runner lives longer than 5 days (GitHub's limit), so no login of ours is held longer. */
const LONGEST_JOB_MS = 5 * 24 * 60 * 60 * 1000

/** The ledger in a file's text; undefined where it is none. */
export function parseLedger(value: unknown): Ledger | undefined {
  return isObject(value) &&
    value['version'] === 1 &&
    typeof value['file'] === 'string' &&
    isHosts(value['hosts'])
    ? (value as unknown as Ledger)
    : undefined
}

function isHosts(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isHostStack)
}

function isHostStack(value: unknown): boolean {
  return (
    isObject(value) &&
    Array.isArray(value['layers']) &&
    value['layers'].length > 0 &&
    value['layers'].every(isLayer)
  )
}

function isLayer(value: unknown): boolean {
  return isObject(value) && (value['entry'] === null || isObject(value['entry']))
}

/**
 * Puts a login on top of what config.json shows now.
 * @param shown the host's entry in config.json
 */
export function push(
  ledger: Ledger,
  host: string,
  shown: AuthEntry | null,
  login: {
    readonly entry: AuthEntry
    readonly nonce: string
    readonly since: number
    readonly helper?: HelperUse
  }
): Ledger {
  const { helper, ...layer } = login
  const stack = ledger.hosts[host]
  const layers = (stack?.layers ?? []).filter(({ nonce }) => nonce !== login.nonce)
  // What is shown may be our own login, or what lies below it: then another program has undone it, and it is made again.
  const known = [stack?.layers.at(-1), layers.at(-1)].some((top) => isSame(top?.entry, shown))
  // Somebody changed the entry since: from now on that is what lies below us.
  const seen = known ? [] : [{ entry: shown }]
  const use = stack?.helper ?? helper
  return withHost(ledger, host, {
    layers: collapse([...layers, ...seen, layer]),
    ...(use === undefined ? {} : { helper: { ...use, digest: helper?.digest ?? use.digest } })
  })
}

/** What came of a host's entry. */
export type Outcome =
  /** The entry is gone; there was none before. */
  | 'removed'
  /** The user's entry of before is back. */
  | 'restored'
  /** Another job's login shows, or still lies on top. */
  | 'shared'
  /** Somebody else has put things as they were before, or it never came into config.json (main was killed). */
  | 'gone'
  /** Somebody else changed the entry since, or removed one that was there before: it is left. */
  | 'changed'

export interface Release {
  readonly host: string
  readonly outcome: Outcome
  /** What config.json must show now: null for no entry, undefined for what it shows already. */
  readonly show?: AuthEntry | null
  /** The helper that nobody of ours needs any longer. */
  readonly helper?: HelperUse
}

/** Takes one login out of every host's stack. */
export function release(
  ledger: Ledger,
  nonce: string,
  shown: (host: string) => AuthEntry | null
): { readonly ledger: Ledger; readonly releases: readonly Release[] } {
  let rest = ledger
  const releases: Release[] = []
  for (const [host, stack] of Object.entries(ledger.hosts)) {
    const at = stack.layers.findIndex((layer) => layer.nonce === nonce)
    if (at < 0) continue
    const layers = collapse(stack.layers.filter((_, index) => index !== at))
    const held = layers.some((layer) => layer.nonce !== undefined)
    rest = held ? withHost(rest, host, { ...stack, layers }) : withoutHost(rest, host)
    releases.push({
      ...settle(host, stack.layers, at, shown(host)),
      ...(held || stack.helper === undefined ? {} : { helper: stack.helper })
    })
  }
  return { ledger: rest, releases }
}

function settle(host: string, layers: readonly Layer[], at: number, shown: AuthEntry | null): Release {
  const above = layers.slice(at + 1)
  if (above.some(({ nonce }) => nonce !== undefined)) return { host, outcome: 'shared' }
  const below = layers[at - 1]
  const show = below?.entry ?? null
  if (above.length > 0 || !isSame(layers[at]?.entry, shown)) {
    const asBefore = isSame(show, shown) && (above.length === 0 || shown === null)
    return { host, outcome: asBefore ? 'gone' : 'changed' }
  }
  if (below?.nonce !== undefined) return { host, outcome: 'shared', show }
  return { host, outcome: show === null ? 'removed' : 'restored', show }
}

/** Forgets that a login is ours: from now on it is the user's own. */
export function forget(ledger: Ledger, nonce: string): Ledger {
  let rest = ledger
  for (const [host, stack] of Object.entries(ledger.hosts)) {
    if (!stack.layers.some((layer) => layer.nonce === nonce)) continue
    const layers = collapse(
      stack.layers.map((layer) => (layer.nonce === nonce ? { entry: layer.entry } : layer))
    )
    const held = layers.some((layer) => layer.nonce !== undefined)
    // What is the user's own by now is not a later job's to erase.
    const helper = stack.helper === undefined ? {} : { helper: { ...stack.helper, before: true } }
    rest = held ? withHost(rest, host, { layers, ...helper }) : withoutHost(rest, host)
  }
  return rest
}

/** The logins of jobs that can't be running any more. */
export function expired(ledger: Ledger, now: number): string[] {
  const layers = Object.values(ledger.hosts).flatMap((stack) => stack.layers)
  return layers.flatMap(({ nonce, since }) =>
    nonce !== undefined && now - (since ?? 0) > LONGEST_JOB_MS ? [nonce] : []
  )
}

/** Of entries that are nobody's login, only the newest counts: the user replaced the one by the other. */
function collapse(layers: readonly Layer[]): readonly Layer[] {
  return layers.filter(
    (layer, at) =>
      layer.nonce !== undefined || layers[at + 1]?.nonce !== undefined || at === layers.length - 1
  )
}

function withHost(ledger: Ledger, host: string, stack: HostStack): Ledger {
  return { ...ledger, hosts: { ...ledger.hosts, [host]: stack } }
}

function withoutHost(ledger: Ledger, host: string): Ledger {
  return {
    ...ledger,
    hosts: Object.fromEntries(Object.entries(ledger.hosts).filter(([other]) => other !== host))
  }
}
