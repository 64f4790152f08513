import { writeSync } from 'node:fs'
import * as core from '@actions/core'
import type { Context } from './context.ts'
import { findProxySecrets } from './environment.ts'
import { codeOf, escapeLine, knownSecrets } from './errors.ts'

/**
 * Has all that @actions/core says go out at once. Node's own process.stdout loads streams and sockets for it, a sixth of
 * a bare Node (docs/performance.md), and where it writes later a mask could come after its secret. Nothing of ours goes
 * to standard error, but each socket that ends asks whether it is that, and has Node make it.
 */
export function logAtOnce(): void {
  for (const [descriptor, name] of [
    [1, 'stdout'],
    [2, 'stderr']
  ] as const) {
    const write = (text: string): void => {
      writeAll(descriptor, text)
    }
    Object.defineProperty(process, name, { value: { write } })
  }
}

function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) rest = rest.subarray(writeSome(descriptor, rest))
}

/** @returns how many bytes are dealt with */
function writeSome(descriptor: number, bytes: Buffer): number {
  try {
    return writeSync(descriptor, bytes)
  } catch (error) {
    // EAGAIN: a pipe that is full. With any other error nobody reads any more: no reason to leave work half done.
    return codeOf(error) === 'EAGAIN' ? 0 : bytes.length
  }
}

/** What the rooms below may say, mask and wait for: the log, the real clock, and a budget from now on. */
export function createContext(budgetMs: number): Context {
  for (const secret of findProxySecrets(process.env)) core.setSecret(secret)
  return {
    mask: (secret) => {
      knownSecrets.add(secret)
      core.setSecret(secret)
    },
    note: say,
    warn: (line) => {
      core.warning(line)
    },
    now: () => Date.now(),
    sleep: async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
    },
    deadline: Date.now() + budgetMs
  }
}

/**
 * Writes one line to the log: a path or a name in it can't start a command of the runner's. @actions/core would load
 * node:os for it, to ask how a line ends.
 */
export function say(line: string): void {
  process.stdout.write(`${escapeLine(line)}\n`)
}
