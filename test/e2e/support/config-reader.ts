// A program that reads config.json all the time, while jobs write it.
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { runChild } from '../../support/child.ts'

export interface Readings {
  readonly reads: number
  /** There was no file. */
  readonly absent: number
  /** How many different texts it read. */
  readonly texts: number
  /** What no client could have read. */
  readonly invalid: readonly string[]
}

export interface ConfigReader {
  stop(): Promise<Readings>
}

/** Reads `file` about once a millisecond until it is stopped. */
export function startReader(file: string): ConfigReader {
  const program = join(import.meta.dirname, 'config-reader-program.mjs')
  let child: ChildProcess | undefined
  const ended = runChild(process.execPath, [program, file], {
    timeout: 900_000,
    onStart: (started) => {
      child = started
    }
  })
  return {
    stop: async () => {
      child?.kill('SIGTERM')
      const { stdout, stderr } = await ended
      if (stdout === '') throw new Error(`the reader ended early: ${stderr}`)
      return JSON.parse(stdout) as Readings
    }
  }
}
