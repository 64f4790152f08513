// What can go wrong between a client and IBM Cloud. A rule names a service and how many of its
// requests the fault is for; the fault answers in place of the service, or around it.
import type { Duplex } from 'node:stream'
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply, Request } from './http.ts'
import type { ServiceName } from './recorder.ts'

export interface Exchange {
  request: Request
  /** For faults below HTTP: what is written here is the answer. */
  socket: Duplex
  /** What the service would say. Asking it makes the service do its work. */
  answer: () => Promise<Reply>
}

/** Gives a reply, or nothing if it has dealt with the socket itself. */
export type Fault = (exchange: Exchange) => Promise<Reply | undefined>

export interface FaultRule {
  service: ServiceName
  fault: Fault
  host?: string
  method?: string
  path?: string | RegExp
  /** How many requests it is for; not given: all. */
  times?: number
}

export function takeFault(rules: FaultRule[], request: Request): Fault | undefined {
  const rule = rules.find((candidate) => candidate.times !== 0 && concerns(candidate, request))
  if (rule?.times !== undefined) rule.times -= 1
  return rule?.fault
}

function concerns(rule: FaultRule, request: Request): boolean {
  return (
    rule.service === request.service &&
    (rule.host ?? request.host) === request.host &&
    (rule.method ?? request.method) === request.method &&
    concernsPath(rule.path, request.path)
  )
}

function concernsPath(wanted: string | RegExp | undefined, path: string): boolean {
  if (wanted === undefined) return true
  return typeof wanted === 'string' ? wanted === path : wanted.test(path)
}

export function statusFault(status: number, headers: Record<string, string> = {}, body = ''): Fault {
  return () => Promise.resolve({ status, headers, body })
}

export function resetFault(): Fault {
  return ({ socket }) => {
    if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
    else socket.destroy()
    return Promise.resolve(undefined)
  }
}

/** Says nothing until the client gives up or the cloud is closed. */
export function hangFault(): Fault {
  return () => new Promise(() => undefined)
}

export function delayFault(milliseconds: number): Fault {
  return async ({ answer }) => {
    await sleep(milliseconds, undefined, { ref: false })
    return answer()
  }
}
