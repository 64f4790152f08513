// Whenever main is ended while it mints, post leaves nothing alive at IBM Cloud and nothing on the machine.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { setTimeout as wait } from 'node:timers/promises'
import {
  cutAnswerFault,
  delayAnswerFault,
  delayFault,
  dropAnswerFault,
  type Fault,
  hangFault,
  holdAnswerFault,
  stallAnswerFault,
  statusAfterFault,
  statusFault
} from '../cloud/faults.ts'
import {
  endAt,
  listChanges,
  type Outcome,
  type Point,
  type RevocableWay,
  type Signal,
  SIGNALS
} from './support/mint-kill.ts'

const TOKEN = { service: 'iam', method: 'POST', path: '/identity/token' } as const
const PROOF = { service: 'registry', path: '/oauth/token' } as const

/** A gateway that loses patience at once, before a service that does its work later. */
const lateAfter =
  (status: number, milliseconds: number) =>
  (): Fault =>
  async ({ answer }) => {
    setTimeout(() => void answer(), milliseconds)
    return Promise.resolve({ status })
  }

const beforeTheRequest: Omit<Point, 'way'>[] = [
  { name: 'before IAM has heard of it', moment: (when) => when('received', TOKEN) },
  { name: 'before IAM has given its token', moment: (when) => when('committed', TOKEN) },
  ...[0, 2, 5].map((milliseconds) => ({
    name: `${milliseconds} ms after IAM’s token`,
    moment: async (when: Parameters<NonNullable<Point['moment']>>[0]) => {
      await when('answered', TOKEN)
      await wait(milliseconds)
    }
  }))
]

const onItsWay: Omit<Point, 'way'>[] = [
  { name: 'when the request has been read', moment: (when) => when('received'), slow: true },
  ...[500, 3_000, 8_000].map((milliseconds) => ({
    name: `when the request has been read, which is worked on ${milliseconds} ms later`,
    faults: [() => delayFault(milliseconds)],
    lateMs: milliseconds,
    moment: (when: Parameters<NonNullable<Point['moment']>>[0]) => when('received'),
    slow: true as const
  })),
  {
    name: 'when the request has been read, and nothing comes of it',
    faults: [hangFault],
    moment: (when) => when('received'),
    slow: true
  },
  { name: 'when it is made and nothing was said yet', moment: (when) => when('committed'), slow: true },
  {
    name: 'when it is made and the answer is late',
    faults: [() => delayAnswerFault(2_000)],
    moment: async (when) => {
      await when('committed')
      await wait(100)
    },
    slow: true
  },
  {
    name: 'when it is made and the answer never comes',
    faults: [holdAnswerFault],
    moment: async (when) => {
      await when('committed')
      await wait(500)
    },
    slow: true
  },
  {
    name: 'in the middle of the answer',
    faults: [stallAnswerFault],
    moment: async (when) => {
      await when('committed')
      await wait(30)
    },
    slow: true
  }
]

const afterTheAnswer: Omit<Point, 'way'>[] = [0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20].map((milliseconds) => ({
  name: `${milliseconds} ms after the answer`,
  moment: async (when) => {
    await when('answered')
    if (milliseconds > 0) await wait(milliseconds)
  },
  // The answer may not have got there yet.
  slow: true
}))

const tries: Omit<Point, 'way'>[] = [
  {
    name: 'between the lost answer and the next try',
    faults: [dropAnswerFault],
    moment: async (when) => {
      await when('committed')
      await wait(30)
    },
    slow: true
  },
  {
    name: 'when the second try has been read',
    faults: [dropAnswerFault],
    moment: async (when) => {
      await when('committed')
      await when('received')
    },
    slow: true
  },
  {
    name: 'when the second try has made another',
    faults: [cutAnswerFault],
    moment: async (when) => {
      await when('committed')
      await when('committed')
    },
    slow: true
  },
  {
    name: 'after the answer to the second try',
    faults: [dropAnswerFault],
    moment: (when) => when('answered'),
    slow: true
  },
  {
    name: 'after a 504 to what was made',
    faults: [() => statusAfterFault(504)],
    moment: async (when) => {
      await when('answered')
      await wait(30)
    },
    slow: true
  },
  ...[504, 408].map((status) => ({
    name: `after a ${status} to what is made 3 s later`,
    faults: [lateAfter(status, 3_000)],
    lateMs: 3_000,
    moment: async (when: Parameters<NonNullable<Point['moment']>>[0]) => {
      await when('answered')
      await wait(30)
    },
    slow: true as const
  })),
  {
    name: 'after a 503 to what is made 8 s later, at the second try',
    faults: [lateAfter(503, 8_000), () => statusFault(503)],
    lateMs: 8_000,
    moment: async (when) => {
      await when('answered')
      await when('answered')
      await wait(30)
    },
    slow: true
  }
]

const proving: Omit<Point, 'way'>[] = [
  { name: 'while it is shown to the registry', moment: (when) => when('received', PROOF) },
  { name: 'while docker logs in', haltAt: 'docker 30', docker: true },
  { name: 'when docker has begun to log in', haltAt: 'docker 300', docker: true }
]

const of = (way: RevocableWay, points: readonly Omit<Point, 'way'>[]): Point[] =>
  points.map((point) => ({ ...point, way }))

/** Every save of state, from both sides, and every change to a file. */
async function changePoints(way: RevocableWay): Promise<Point[]> {
  const changes = await listChanges(way)
  return changes.flatMap((change): Point[] => {
    const [kind = '', number = '', ...what] = change.split(' ')
    if (kind === 'state') {
      return ['before', 'after'].map((when) => ({
        name: `just ${when} save ${number} of state`,
        way,
        haltAt: `state ${number} ${when}`,
        slow: true
      }))
    }
    if (kind !== 'file') return []
    const [verb = '', path = ''] = what
    const file = path
      .split('/')
      .slice(-1)
      .join()
      .replaceAll(/[0-9a-f]{16}/gu, '…')
    return [{ name: `before change ${number} to a file (${verb} ${file})`, way, haltAt: `file ${number}` }]
  })
}

const keyPoints = [...beforeTheRequest, ...onItsWay, ...afterTheAnswer, ...tries, ...proving]
const tokenPoints = [...onItsWay, ...tries, ...proving, ...afterTheAnswer.slice(0, 3)]

const planned = [
  ...of('api-key', keyPoints),
  ...of('registry-token', tokenPoints),
  ...(await changePoints('api-key')),
  ...(await changePoints('registry-token')).filter(({ haltAt = '' }) => haltAt.startsWith('state'))
]

const outcomes = new Map<string, Outcome | Error>()
const keyOf = (point: Point, signal: Signal): string => `${point.way} ${point.name} ${signal}`

async function work(runs: [Point, Signal][]): Promise<void> {
  for (let run = runs.shift(); run !== undefined; run = runs.shift()) {
    const [point, signal] = run
    const outcome = await endAt(point, signal).catch((error: unknown) => error as Error)
    outcomes.set(keyOf(point, signal), outcome)
  }
}

const began = Date.now()

beforeAll(async () => {
  const runs = planned.flatMap((point) => SIGNALS.map((signal): [Point, Signal] => [point, signal]))
  // Those that wait cost no time of the processor's, so there are many of them at once.
  const slow = runs.filter(([{ slow: waits }]) => waits === true)
  const quick = runs.filter(([{ slow: waits }]) => waits !== true)
  const workers = [...Array<[Point, Signal][]>(30).fill(slow), ...Array<[Point, Signal][]>(2).fill(quick)]
  await Promise.all(workers.map((queue) => work(queue)))
}, 230_000)

const ended = (): Outcome[] =>
  [...outcomes.values()].flatMap((outcome) => (outcome instanceof Error ? [] : [outcome]))
const sum = (of: (outcome: Outcome) => number): number => ended().reduce((total, one) => total + of(one), 0)

afterAll(() => {
  process.stdout.write(
    `Killed ${ended().length} times at ${planned.length} points: made ${sum(({ made }) => made)}, ` +
      `alive at the end ${sum(({ alive }) => alive)}, without an end ${sum(({ endless }) => endless)}, ` +
      `done before the signal ${sum(({ killed }) => (killed ? 0 : 1))}; ${Math.round((Date.now() - began) / 1000)} s.\n`
  )
})

describe.each(['api-key', 'registry-token'] as const)('mint: %s, ended', (way) => {
  const points = planned.filter((point) => point.way === way)

  test.each(points.map((point): [string, Point] => [point.name, point]))('%s', (_, point) => {
    for (const signal of SIGNALS) {
      const outcome = outcomes.get(keyOf(point, signal))
      if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('did not run')
      const { alive, endless, survivors, leftovers, mainMs, postMs, post } = outcome
      const { exitCode, errors } = post
      // A request that was cut short may have made something: where nothing is found, that is said.
      const warnings = post.warnings.filter((line) => !line.includes('got no clear response'))
      expect([signal, { alive, endless, survivors, leftovers, exitCode, errors, warnings }]).toEqual([
        signal,
        { alive: 0, endless: 0, survivors: [], leftovers: [], exitCode: 0, errors: [], warnings: [] }
      ])
      expect([signal, mainMs < 5_000, postMs < 31_000]).toEqual([signal, true, true])
    }
  })
})

test('At 40 points or more, and things were made at most of them', () => {
  expect(planned.length).toBeGreaterThanOrEqual(40)
  expect(sum(({ made }) => made)).toBeGreaterThan(ended().length / 2)
  // Main was ended, and did not just come to its end before that; its last steps are one turn, which no signal enters.
  expect(sum(({ killed }) => (killed ? 1 : 0))).toBeGreaterThan(ended().length * 0.8)
})
