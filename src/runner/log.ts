import { writeSync } from 'node:fs'
import * as core from '@actions/core'
import type { Context } from '../context.ts'
import { findProxySecrets } from '../http/environment.ts'
import { codeOf } from '../errors/user-error.ts'
import { knownSecrets } from '../errors/redact.ts'
import { escapeLine } from '../errors/quote.ts'

/**
 * Has all that @actions/core says go out at once. Node's own process.stdout loads streams and sockets for it, a sixth of
 * a bare Node (docs/performance.md), and where it writes later a mask could come after its secret.
 */
export function logAtOnce(): void {
  Object.defineProperty(process, 'stdout', { value: { write } })
}

function write(text: string): boolean {
  let rest = Buffer.from(text)
  while (rest.length > 0) rest = rest.subarray(writeSome(rest))
  return true
}

/** @returns how many bytes are dealt with */
function writeSome(bytes: Buffer): number {
  try {
    return writeSync(1, bytes)
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
    info: say,
    warning: (line) => {
      core.warning(line)
    },
    now: () => Date.now(),
    sleep: async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
    },
    checkActive: () => undefined,
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
