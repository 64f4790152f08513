// A credential helper on the PATH that keeps its logins where a test can look.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Held {
  Username: string
  Secret: string
}

export interface StandInHelper {
  /** Goes into `startJob({ path })`. */
  directory: string
  held(): Record<string, Held>
  /** As if somebody had stored it by hand. */
  hold(host: string, login: Held): void
  /** From now on this verb takes so many milliseconds. */
  delay(verb: 'get' | 'store' | 'erase', milliseconds: number): void
  /** From now on this verb fails with these words. */
  breakOn(verb: 'get' | 'store' | 'erase', words: string): void
  mend(verb: 'get' | 'store' | 'erase'): void
  calls(): { verb: string; env: Record<string, string> }[]
  close(): void
}

const program = join(import.meta.dirname, 'credential-helper-program.mjs')

export function makeHelper(name: string): StandInHelper {
  const directory = mkdtempSync(join(tmpdir(), 'icr-login-helper-'))
  const [store, calls] = [join(directory, 'store.json'), join(directory, 'calls.jsonl')]
  const script = join(directory, `docker-credential-${name}`)
  writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${program}' '${directory}' "$@"\n`)
  chmodSync(script, 0o755)
  const held = (): Record<string, Held> =>
    existsSync(store) ? (JSON.parse(readFileSync(store, 'utf8')) as Record<string, Held>) : {}
  const readCalls = (): string[] =>
    existsSync(calls)
      ? readFileSync(calls, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : []
  return {
    directory,
    held,
    hold(host, login) {
      writeFileSync(store, JSON.stringify({ ...held(), [host]: login }))
    },
    delay(verb, milliseconds) {
      writeFileSync(join(directory, `delay-${verb}`), String(milliseconds))
    },
    breakOn(verb, words) {
      writeFileSync(join(directory, `broken-${verb}`), words)
    },
    mend(verb) {
      rmSync(join(directory, `broken-${verb}`))
    },
    calls: () => readCalls().map((line) => JSON.parse(line) as { verb: string; env: Record<string, string> }),
    close() {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
