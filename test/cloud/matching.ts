// Which requests a fault or a test means, and word for a test of how far such a request has got.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Request } from './http.ts'
import type { ServiceName } from './recorder.ts'

export interface Match {
  service: ServiceName
  host?: string
  method?: string
  path?: string | RegExp
}

/**
 * received: it is here as a whole (with an image's bytes: its head), and nothing has been done yet.
 * committed: the service has done its work, and has said nothing yet. answered: the whole answer is on its
 * way; never, if a fault keeps or breaks it.
 */
export type Stage = 'received' | 'committed' | 'answered'

export interface Watcher {
  match: Match
  stage: Stage
  tell: () => void
}

export function concerns(match: Match, request: Request): boolean {
  return (
    match.service === request.service &&
    (match.host ?? request.host) === request.host &&
    (match.method ?? request.method) === request.method &&
    concernsPath(match.path, request.path)
  )
}

function concernsPath(wanted: string | RegExp | undefined, path: string): boolean {
  if (wanted === undefined) return true
  return typeof wanted === 'string' ? wanted === path : wanted.test(path)
}

/** Resolves with the next such request that gets so far; not with one that was there before. */
export function watch(watchers: Watcher[], match: Match, stage: Stage): Promise<void> {
  return new Promise((resolve) => {
    watchers.push({ match, stage, tell: resolve })
  })
}

/** Whoever waited for this acts on it before anything else happens to the request. */
export async function announce(watchers: Watcher[], request: Request, stage: Stage): Promise<void> {
  const told = watchers.filter((watcher) => watcher.stage === stage && concerns(watcher.match, request))
  for (const watcher of told) {
    watchers.splice(watchers.indexOf(watcher), 1)
    watcher.tell()
  }
  if (told.length > 0) await nextTurn()
}
