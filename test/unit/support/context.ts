// A Context that writes down what it is told. Its waits take no time: they move its clock on instead.
import { setTimeout as wait } from 'node:timers/promises'
import type { Context } from '../../../src/context.ts'

export interface RecordingContext extends Context {
  readonly infos: string[]
  readonly warnings: string[]
  readonly masks: string[]
  /** Each wait that was asked for, in milliseconds. */
  readonly sleeps: number[]
}

export interface ContextOptions {
  /** 60 seconds if not given. */
  readonly budgetMs?: number
  /** True: waits take their time, for work that others do at the same time. */
  readonly patient?: boolean
}

export function makeContext({ budgetMs = 60_000, patient = false }: ContextOptions = {}): RecordingContext {
  let ahead = 0
  const infos: string[] = []
  const warnings: string[] = []
  const masks: string[] = []
  const sleeps: number[] = []
  return {
    infos,
    warnings,
    masks,
    sleeps,
    mask: (secret) => {
      masks.push(secret)
    },
    info: (line) => {
      infos.push(line)
    },
    warning: (line) => {
      warnings.push(line)
    },
    now: () => Date.now() + ahead,
    sleep: async (milliseconds) => {
      sleeps.push(milliseconds)
      if (patient) await wait(milliseconds)
      else ahead += milliseconds
    },
    checkActive: () => undefined,
    deadline: Date.now() + budgetMs
  }
}
