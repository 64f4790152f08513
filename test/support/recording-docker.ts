// A stand-in for the docker CLI that sends nothing: it records how it was called and does what it was told to do.
// For tests with IBM's real host names, and for what a real docker does too seldom to wait for.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface DockerAnswer {
  exitCode?: number
  stdout?: string
  stderr?: string
  /**
   * What `login` leaves in config.json: the entry that docker would write (the default if the exit code is 0), the one
   * it writes when the registry gives it a refresh token, or nothing. As with docker, a credential helper that
   * config.json names for the host is handed the secret, and the entry is empty.
   */
  entry?: 'secret' | 'identity-token' | 'none'
  /** Milliseconds to wait before the end. */
  delay?: number
}

export interface DockerCall {
  argv: string[]
  env: Record<string, string>
  /** What came on standard input: never the text, which is a secret. */
  stdin: { bytes: number; sha256: string }
  /** The folder whose config.json it used, and that file's text before the call; null where there was none. */
  configDirectory: string
  config: string | null
  pid: number
  /** Milliseconds since 1970. */
  started: number
  ended: number
}

export interface RecordingDocker {
  /** Goes into `startJob({ docker })`. */
  directory: string
  /** All calls so far, in the order in which they ended. */
  calls(): DockerCall[]
  /** From now on: the answers to the calls that follow, one each, the last for all the rest; for one host or for all. */
  answer(answers: DockerAnswer[], host?: string): void
  close(): void
}

const program = join(import.meta.dirname, 'recording-docker-program.mjs')

/** Single quotes for sh. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

function readCalls(file: string): DockerCall[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DockerCall)
}

export function makeRecordingDocker(answers: DockerAnswer[] = [{}]): RecordingDocker {
  const directory = mkdtempSync(join(tmpdir(), 'icr-login-docker-'))
  const [callsFile, answersFile] = [join(directory, 'calls.jsonl'), join(directory, 'answers.json')]
  const script = join(directory, 'docker')
  writeFileSync(
    script,
    `#!/bin/sh\nexec ${[process.execPath, program, directory].map(quote).join(' ')} "$@"\n`
  )
  chmodSync(script, 0o755)

  // `from` is how many calls had ended when the answers were given: the program counts on from there.
  const given: Record<string, { from: number; answers: DockerAnswer[] }> = {}
  const docker: RecordingDocker = {
    directory,
    calls: () => readCalls(callsFile),
    answer(next, host = '') {
      const calls = readCalls(callsFile)
      const from = host === '' ? calls.length : calls.filter((call) => call.argv.at(-1) === host).length
      given[host] = { from, answers: next }
      writeFileSync(answersFile, JSON.stringify(given))
    },
    close() {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  docker.answer(answers)
  return docker
}
