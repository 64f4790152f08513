// What can go wrong between a client and IBM Cloud. A rule names a service and how many of its
// requests the fault is for; the fault answers in place of the service, or around it.
import type { Duplex } from 'node:stream'
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { bombed, dripped, firstHalf, mistyped, padded } from './fault-bodies.ts'
import type { Reply, Request } from './http.ts'
import { concerns } from './matching.ts'
import type { Match } from './matching.ts'

export interface Exchange {
  request: Request
  /** For faults below HTTP: what is written here is the answer. */
  socket: Duplex
  /** What the service would say. Asking it makes the service do its work. */
  answer: () => Promise<Reply>
}

/** Gives a reply, or nothing if it has dealt with the socket itself. */
export type Fault = (exchange: Exchange) => Promise<Reply | undefined>

export interface FaultRule extends Match {
  fault: Fault
  /** How many requests it is for; not given: all. */
  times?: number
}

export function takeFault(rules: FaultRule[], request: Request): Fault | undefined {
  const rule = rules.find((candidate) => candidate.times !== 0 && concerns(candidate, request))
  if (rule?.times !== undefined) rule.times -= 1
  return rule?.fault
}

/** Holds what waits for it until it is opened; for good, if it never is. */
export interface Gate {
  open: () => void
  opened: Promise<void>
}

export function makeGate(): Gate {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

const pause = (milliseconds: number): Promise<void> => sleep(milliseconds, undefined, { ref: false })

// In place of the service, which does not do its work.

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

/** Hangs up in good order, but with nothing said. */
export function closeFault(): Fault {
  return ({ socket }) => {
    socket.end()
    return Promise.resolve(undefined)
  }
}

export function garbageFault(): Fault {
  return ({ socket }) => {
    socket.end('SSH-2.0-OpenSSH_9.2p1\r\n\r\n')
    return Promise.resolve(undefined)
  }
}

/** Says nothing until the client gives up or the cloud is closed. */
export function hangFault(): Fault {
  return () => new Promise(() => undefined)
}

// Before the service, which does its work later, or never.

/** The request has been read: the service does its work even if the client is gone by then. */
export function delayFault(milliseconds: number): Fault {
  return async ({ answer }) => {
    await pause(milliseconds)
    return answer()
  }
}

/** The request has been read, and nothing happens until the gate opens. */
export function holdFault(gate: Gate = makeGate()): Fault {
  return async ({ answer }) => {
    await gate.opened
    return answer()
  }
}

// After the service, which has done its work.

export function holdAnswerFault(gate: Gate = makeGate()): Fault {
  return async ({ answer }) => {
    const reply = await answer()
    await gate.opened
    return reply
  }
}

export function delayAnswerFault(milliseconds: number): Fault {
  return async ({ answer }) => {
    const reply = await answer()
    await pause(milliseconds)
    return reply
  }
}

export function dropAnswerFault(): Fault {
  return async (exchange) => {
    await exchange.answer()
    return resetFault()(exchange)
  }
}

/** What a gateway says that has lost patience with a service that has not. */
export function statusAfterFault(status: number): Fault {
  return async ({ answer }) => {
    await answer()
    return { status }
  }
}

export function cutAnswerFault(): Fault {
  return async ({ socket, answer }) => {
    socket.end(await firstHalf(await answer()))
    return undefined
  }
}

/** The first half of the answer, and no more. */
export function stallAnswerFault(): Fault {
  return async ({ socket, answer }) => {
    socket.write(await firstHalf(await answer()))
    return undefined
  }
}

export function mistypeFault(): Fault {
  return async ({ answer }) => mistyped(await answer())
}

export function padFault(bytes: number): Fault {
  return async ({ answer }) => padded(await answer(), bytes)
}

export function bombFault(mebibytes: number): Fault {
  return async ({ answer }) => bombed(await answer(), mebibytes)
}

export function dripFault(milliseconds: number): Fault {
  return async ({ answer }) => dripped(await answer(), milliseconds)
}

const HTML = '<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please sign in.</body></html>'
const SOON = { 'Retry-After': '1' }

/** Every fault by its name. With those of a body's, and with `late`, the service does its work. */
export const FAULTS = {
  reset: resetFault,
  'close before an answer': closeFault,
  'garbage status line': garbageFault,
  'body cut short': cutAnswerFault,
  'empty 200': () => statusFault(200),
  'HTML 200': () => statusFault(200, { 'Content-Type': 'text/html' }, HTML),
  '408': () => statusFault(408),
  '425': () => statusFault(425),
  '429': () => statusFault(429),
  '429 with Retry-After': () => statusFault(429, SOON),
  '500': () => statusFault(500),
  '502': () => statusFault(502, { 'Content-Type': 'text/html' }, HTML),
  '503': () => statusFault(503),
  '503 with Retry-After': () => statusFault(503, SOON),
  '504': () => statusFault(504),
  '520': () => statusFault(520),
  'hang before headers': hangFault,
  'hang in the body': stallAnswerFault,
  late: () => delayFault(2000),
  'wrong JSON types': mistypeFault,
  '10 MiB body': () => padFault(10 * 1024 * 1024),
  'one byte a second': () => dripFault(1000),
  'gzip bomb': () => bombFault(256)
} satisfies Record<string, () => Fault>
