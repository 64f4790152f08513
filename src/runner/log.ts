import * as core from '@actions/core'
import type { Context } from '../context.ts'
import { escapeLine } from '../errors/quote.ts'
import { knownSecrets } from '../errors/redact.ts'
import { findProxySecrets } from '../http/proxy-settings.ts'

// A runner that closes the log is no reason to leave work half done.
process.stdout.on('error', () => undefined)

/** Writes one line to the log. */
export function info(line: string): void {
  core.info(escapeLine(line))
}

/** Writes a warning, which GitHub shows beside the run. */
export function warning(message: string): void {
  core.warning(escapeLines(message))
}

/** Writes the error of a failed step, and sets its exit code. */
export function fail(message: string): void {
  core.setFailed(escapeLines(message))
}

function escapeLines(message: string): string {
  return message.split('\n').map(escapeLine).join('\n')
}

const hidden = new Set<string>()

/** Hides a text in the log from now on. */
export function hide(text: string): void {
  if (!hidden.has(text)) core.setSecret(text)
  hidden.add(text)
}

/** Hides a secret in the log, and remembers it: no child process gets it in a variable, and no error shows it. */
export function mask(secret: string): void {
  hide(secret)
  knownSecrets.add(secret)
}

/**
 * What the layers below can log, mask and wait for.
 * @param budgetMs from now until the deadline, in milliseconds
 * @param phase see `Context`: main checks that it is still active, post retries until the deadline
 */
export function createContext(
  budgetMs: number,
  phase: Partial<Pick<Context, 'checkActive' | 'untilDeadline'>> = {}
): Context {
  for (const secret of findProxySecrets(process.env)) hide(secret)
  return {
    mask,
    info,
    warning,
    checkActive: () => undefined,
    ...phase,
    now: () => Date.now(),
    sleep: async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
    },
    deadline: Date.now() + budgetMs
  }
}
