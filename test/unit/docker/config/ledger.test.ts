// Who stands in config.json when several jobs and other programs come and go.
import fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import {
  expired,
  forget,
  parseLedger,
  push,
  release,
  type AuthEntry,
  type HelperUse,
  type Ledger,
  type Release
} from '../../../../src/docker/config/ledger.ts'

const EMPTY_LEDGER: Ledger = { version: 1, file: '/home/me/.docker/config.json', hosts: {} }
const HOST = 'us.icr.io'
const DAY = 24 * 60 * 60 * 1000
const HELPER: HelperUse = { name: 'pass', before: false, digest: 'one' }

/** One config.json and its ledger, with jobs and others at work on it. */
class Machine {
  ledger: Ledger = EMPTY_LEDGER
  readonly shown = new Map<string, AuthEntry>()

  constructor(entry: AuthEntry | null = null) {
    this.write(entry)
  }

  entry(host = HOST): AuthEntry | null {
    return this.shown.get(host) ?? null
  }

  /** As `docker login`, `docker logout` or an editor would. */
  write(entry: AuthEntry | null, host = HOST): void {
    if (entry === null) this.shown.delete(host)
    else this.shown.set(host, entry)
  }

  logIn(nonce: string, entry: AuthEntry, helper?: HelperUse): void {
    const login = { entry, nonce, since: 0, ...(helper === undefined ? {} : { helper }) }
    this.ledger = this.#saved(push(this.ledger, HOST, this.entry(), login))
    this.write(entry)
  }

  logOut(nonce: string): readonly Release[] {
    const { ledger, releases } = release(this.ledger, nonce, (host) => this.entry(host))
    this.ledger = this.#saved(ledger)
    for (const { host, show } of releases) if (show !== undefined) this.write(show, host)
    return releases
  }

  keep(nonce: string): void {
    this.ledger = this.#saved(forget(this.ledger, nonce))
  }

  /** The ledger lies in a file between two uses. */
  #saved(ledger: Ledger): Ledger {
    const saved = parseLedger(JSON.parse(JSON.stringify(ledger)))
    if (saved === undefined) throw new Error('the ledger can’t be read back')
    return saved
  }
}

const entryOf = (text: string): AuthEntry => ({ auth: text })
const outcomes = (releases: readonly Release[]): unknown => releases.map(({ outcome }) => outcome)

describe('one job', () => {
  test('leaves nothing where nothing was', () => {
    const machine = new Machine()
    machine.logIn('a', entryOf('A'))
    expect(machine.entry()).toEqual(entryOf('A'))
    expect(machine.logOut('a')).toStrictEqual([{ host: HOST, outcome: 'removed', show: null }])
    expect([machine.entry(), machine.ledger]).toEqual([null, EMPTY_LEDGER])
  })

  test('brings back what the user had, in every part', () => {
    const user = { auth: 'dTpw', email: 'me@example.test', other: { x: [1, null] } }
    const machine = new Machine(user)
    machine.logIn('a', entryOf('A'))
    expect(outcomes(machine.logOut('a'))).toEqual(['restored'])
    expect(machine.entry()).toEqual(user)
  })

  test('that is not in the ledger changes nothing', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    const { ledger } = machine
    expect(machine.logOut('b')).toEqual([])
    expect([machine.ledger, machine.entry()]).toEqual([ledger, entryOf('A')])
  })

  test('does not overwrite what somebody else wrote since', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    machine.write(entryOf('somebody'))
    expect(outcomes(machine.logOut('a'))).toEqual(['changed'])
    expect([machine.entry(), machine.ledger]).toEqual([entryOf('somebody'), EMPTY_LEDGER])
  })

  test('does not bring back what somebody logged out of since', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    machine.write(null)
    expect(outcomes(machine.logOut('a'))).toEqual(['changed'])
    expect(machine.entry()).toBeNull()
  })

  test('has nothing to do where nothing was before, and somebody logged out since', () => {
    const machine = new Machine()
    machine.logIn('a', entryOf('A'))
    machine.write(null)
    expect(machine.logOut('a')).toEqual([{ host: HOST, outcome: 'gone' }])
    expect(machine.entry()).toBeNull()
  })

  test.each([
    ['nothing', null],
    ['the user’s entry', entryOf('user')]
  ])('that was killed before its login was in config.json, over %s, changes nothing', (_, user) => {
    const machine = new Machine(user)
    machine.logIn('a', entryOf('A'))
    machine.write(user)
    expect(outcomes(machine.logOut('a'))).not.toContain('changed')
    expect([machine.entry(), machine.ledger]).toEqual([user, EMPTY_LEDGER])
  })

  test('whose ledger has lost what lay below takes its login out', () => {
    const layers = [{ entry: entryOf('A'), nonce: 'a', since: 0 }]
    const ledger = parseLedger({ ...EMPTY_LEDGER, hosts: { [HOST]: { layers } } })
    expect(ledger && release(ledger, 'a', () => entryOf('A'))).toEqual({
      ledger: EMPTY_LEDGER,
      releases: [{ host: HOST, outcome: 'removed', show: null }]
    })
  })

  test('that logs in twice is in the stack once, and logs out once', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', {})
    machine.logIn('a', entryOf('A'))
    expect(machine.ledger.hosts[HOST]?.layers).toHaveLength(2)
    expect(outcomes(machine.logOut('a'))).toEqual(['restored'])
    expect(machine.entry()).toEqual(entryOf('user'))
  })
})

describe('two jobs', () => {
  test.each([
    ['the first one out', ['a', 'b'], entryOf('B')],
    ['the last one out', ['b', 'a'], entryOf('A')]
  ])('with %s first, the other one’s login stays, and then the user’s is back', (_, order, between) => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    machine.logIn('b', entryOf('B'))
    const [first = '', second = ''] = order
    expect(outcomes(machine.logOut(first))).toEqual(['shared'])
    expect(machine.entry()).toEqual(between)
    expect(outcomes(machine.logOut(second))).toEqual(['restored'])
    expect([machine.entry(), machine.ledger]).toEqual([entryOf('user'), EMPTY_LEDGER])
  })

  test('with the same secret count as two', () => {
    const machine = new Machine()
    machine.logIn('a', entryOf('same'))
    machine.logIn('b', entryOf('same'))
    expect(outcomes(machine.logOut('b'))).toEqual(['shared'])
    expect(machine.entry()).toEqual(entryOf('same'))
    expect(outcomes(machine.logOut('a'))).toEqual(['removed'])
    expect(machine.entry()).toBeNull()
  })

  test('with somebody else’s login between them bring that one back, and say so', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    machine.write(entryOf('somebody'))
    machine.logIn('b', entryOf('B'))
    expect(outcomes(machine.logOut('b'))).toEqual(['restored'])
    expect(machine.entry()).toEqual(entryOf('somebody'))
    // Not "another job is still logged in": there is none.
    expect(outcomes(machine.logOut('a'))).toEqual(['changed'])
    expect([machine.entry(), machine.ledger]).toEqual([entryOf('somebody'), EMPTY_LEDGER])
  })

  test('of which the later one logs in twice leave the earlier one’s login, and then nothing', () => {
    const machine = new Machine()
    machine.logIn('a', entryOf('A'))
    machine.logIn('b', entryOf('B'))
    machine.logIn('b', entryOf('B anew'))
    machine.logOut('b')
    expect(machine.entry()).toEqual(entryOf('A'))
    expect(outcomes(machine.logOut('a'))).toEqual(['removed'])
  })

  test('have nothing to do where nothing was before, and somebody logged in between them and out since', () => {
    const machine = new Machine()
    machine.logIn('a', entryOf('A'))
    machine.write(entryOf('somebody'))
    machine.logIn('b', entryOf('B'))
    machine.logOut('b')
    machine.write(null)
    expect(outcomes(machine.logOut('a'))).toEqual(['gone'])
  })

  test('on two hosts are two stacks', () => {
    const login = { entry: entryOf('A'), nonce: 'a', since: 0 }
    const one = push(EMPTY_LEDGER, HOST, null, login)
    const both = push(one, 'icr.io', null, { ...login, nonce: 'b' })
    expect(release(both, 'b', () => entryOf('A')).ledger).toEqual(one)
  })

  test('keep nothing of an entry that somebody replaced once nobody can get it back', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    machine.write(entryOf('somebody'))
    machine.logIn('b', entryOf('B'))
    machine.logOut('a')
    expect(machine.ledger.hosts[HOST]?.layers.map(({ entry }) => entry)).toEqual([
      entryOf('somebody'),
      entryOf('B')
    ])
  })
})

describe('a login that is kept', () => {
  test('is the user’s from then on', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    machine.keep('a')
    expect([machine.entry(), machine.ledger]).toEqual([entryOf('A'), EMPTY_LEDGER])
    machine.logIn('b', entryOf('B'))
    machine.logOut('b')
    expect(machine.entry()).toEqual(entryOf('A'))
  })

  test('comes back when a job that came later has gone', () => {
    const machine = new Machine(entryOf('user'))
    machine.logIn('a', entryOf('A'))
    machine.logIn('b', entryOf('B'))
    machine.keep('a')
    expect(machine.entry()).toEqual(entryOf('B'))
    expect(outcomes(machine.logOut('b'))).toEqual(['restored'])
    expect(machine.entry()).toEqual(entryOf('A'))
  })

  test('in a helper is not erased by a job that shared it', () => {
    const machine = new Machine()
    machine.logIn('a', {}, HELPER)
    machine.logIn('b', {}, { ...HELPER, before: true })
    machine.keep('a')
    expect(machine.logOut('b').map(({ helper }) => helper)).toEqual([{ ...HELPER, before: true }])
    expect(machine.entry()).toEqual({})
  })

  test('is nothing to the logins of other jobs', () => {
    const machine = new Machine()
    machine.logIn('a', {}, HELPER)
    const { ledger } = machine
    machine.keep('b')
    expect(machine.ledger).toEqual(ledger)
  })

  test('leaves no helper behind where there was none', () => {
    const machine = new Machine()
    machine.logIn('a', entryOf('A'))
    machine.logIn('b', entryOf('B'))
    machine.keep('a')
    expect(machine.logOut('b')).toStrictEqual([{ host: HOST, outcome: 'restored', show: entryOf('A') }])
  })
})

describe('a helper', () => {
  test('is given up by the last job alone', () => {
    const machine = new Machine()
    machine.logIn('a', {}, HELPER)
    machine.logIn('b', {}, { ...HELPER, before: true })
    expect(machine.logOut('a').map(({ helper }) => helper)).toEqual([undefined])
    expect(machine.logOut('b').map(({ helper }) => helper)).toEqual([HELPER])
  })

  test('is remembered for the job that uses it while another one logs in without', () => {
    const machine = new Machine()
    machine.logIn('a', {}, HELPER)
    machine.logIn('b', entryOf('B'))
    machine.logOut('b')
    expect(machine.logOut('a').map(({ helper }) => helper)).toEqual([HELPER])
  })

  test('is remembered with the digest of what it holds now', () => {
    const machine = new Machine()
    machine.logIn('a', {}, HELPER)
    machine.logIn('a', {}, { ...HELPER, digest: 'two' })
    expect(machine.logOut('a').map(({ helper }) => helper)).toEqual([{ ...HELPER, digest: 'two' }])
  })
})

describe('a job that never ended', () => {
  const held = push(push(EMPTY_LEDGER, HOST, null, { entry: {}, nonce: 'a', since: 1000 }), 'icr.io', null, {
    entry: {},
    nonce: 'b',
    since: 2000
  })

  test('is over after five days, and not before', () => {
    expect(expired(held, 5 * DAY + 1000)).toEqual([])
    expect(expired(held, 5 * DAY + 1001)).toEqual(['a'])
    expect(expired(held, 5 * DAY + 2001)).toEqual(['a', 'b'])
  })

  test('is over where nobody knows when it began', () => {
    const layers = [{ entry: null }, { entry: {}, nonce: 'a' }]
    expect(expired({ ...EMPTY_LEDGER, hosts: { [HOST]: { layers } } }, Date.UTC(2026))).toEqual(['a'])
  })

  test('is not over because a clock was set back', () => {
    expect(expired(held, -30 * DAY)).toEqual([])
  })

  test('does not take the user’s own entry along', () => {
    const ledger = push(EMPTY_LEDGER, HOST, entryOf('user'), { entry: {}, nonce: 'a', since: 0 })
    expect(expired(ledger, 100 * DAY)).toEqual(['a'])
  })
})

describe('a file that is no ledger', () => {
  test.each([
    undefined,
    null,
    [],
    'text',
    {},
    { version: 1, hosts: {} },
    { version: 1, file: null, hosts: {} },
    { version: 2, file: '/home/me/.docker/config.json', hosts: {} },
    { version: '1', file: '/home/me/.docker/config.json', hosts: {} },
    { version: 1, file: '/home/me/.docker/config.json' },
    { version: 1, file: '/home/me/.docker/config.json', hosts: [] },
    { version: 1, file: '/home/me/.docker/config.json', hosts: { 'us.icr.io': null } },
    { version: 1, file: '/home/me/.docker/config.json', hosts: { 'us.icr.io': {} } },
    { version: 1, file: '/home/me/.docker/config.json', hosts: { 'us.icr.io': { layers: {} } } },
    { version: 1, file: '/home/me/.docker/config.json', hosts: { 'us.icr.io': { layers: [] } } },
    { version: 1, file: '/home/me/.docker/config.json', hosts: { 'us.icr.io': { layers: [null] } } },
    { version: 1, file: '/home/me/.docker/config.json', hosts: { 'us.icr.io': { layers: [{}] } } },
    {
      version: 1,
      file: '/home/me/.docker/config.json',
      hosts: { 'us.icr.io': { layers: [{ entry: 'auth' }] } }
    },
    { version: 1, file: '/home/me/.docker/config.json', hosts: { 'us.icr.io': { layers: [{ entry: [] }] } } },
    {
      version: 1,
      file: '/home/me/.docker/config.json',
      hosts: { 'us.icr.io': { layers: [{ entry: null }, { entry: 1 }] } }
    }
  ])('is not read as one: %j', (value) => {
    expect(parseLedger(value)).toBeUndefined()
  })
})

// What is in force: the user's entry, then each login that is still held and each write of somebody else, in order.
// The last of them is what config.json shows.
interface Standing {
  readonly job?: string
  readonly entry: AuthEntry | null
}

class Model {
  standing: Standing[]

  constructor(entry: AuthEntry | null) {
    this.standing = [{ entry }]
  }

  shown(): AuthEntry | null {
    return this.standing.at(-1)?.entry ?? null
  }

  holds(job: string): boolean {
    return this.standing.some((other) => other.job === job)
  }

  logIn(job: string, entry: AuthEntry): void {
    this.standing = [...this.standing.filter((other) => other.job !== job), { job, entry }]
  }

  logOut(job: string): string | undefined {
    const at = this.standing.findIndex((other) => other.job === job)
    if (at < 0) return undefined
    const before = this.shown()
    const above = this.standing.slice(at + 1)
    this.standing.splice(at, 1)
    if (above.some((other) => other.job !== undefined)) return 'shared'
    if (above.length > 0)
      return before === null && (this.standing[at - 1]?.entry ?? null) === null ? 'gone' : 'changed'
    const below = this.standing.at(-1)
    if (below?.job !== undefined) return 'shared'
    return below?.entry == null ? 'removed' : 'restored'
  }

  write(entry: AuthEntry | null): void {
    this.standing.push({ entry })
  }

  keep(job: string): void {
    this.standing = this.standing.map((other) => (other.job === job ? { entry: other.entry } : other))
  }
}

type Step =
  | { readonly act: 'log in'; readonly job: string; readonly entry: AuthEntry }
  | { readonly act: 'log out'; readonly job: string }
  | { readonly act: 'keep'; readonly job: string }
  | { readonly act: 'write'; readonly entry: AuthEntry | null }

const job = fc.constantFrom('a', 'b', 'c', 'd')
// Jobs often have the same secret; what others write is never one of theirs, and nothing that was there before.
const logIn = fc.record({
  act: fc.constant('log in' as const),
  job,
  entry: fc.constantFrom(entryOf('1'), entryOf('2'), { auth: 'dTo=', identitytoken: 't' }, {})
})
const logOut = fc.record({ act: fc.constant('log out' as const), job })
const keep = fc.record({ act: fc.constant('keep' as const), job })
const write = fc.record({
  act: fc.constant('write' as const),
  entry: fc.constantFrom(null, entryOf('somebody'))
})
const first = fc.option(fc.constantFrom(entryOf('user'), entryOf('1'), {}))

const withOwnEntry = (step: Step, at: number): Step =>
  step.act === 'write' && step.entry !== null ? { ...step, entry: entryOf(`somebody ${at}`) } : step

function follow(machine: Machine, model: Model, step: Step): void {
  if (step.act === 'write') {
    machine.write(step.entry)
    model.write(step.entry)
  } else if (step.act === 'log in') {
    machine.logIn(step.job, step.entry)
    model.logIn(step.job, step.entry)
  } else if (step.act === 'keep') {
    machine.keep(step.job)
    model.keep(step.job)
  } else {
    const [release] = machine.logOut(step.job)
    expect(release?.outcome).toBe(model.logOut(step.job))
  }
}

/** Ends all jobs, in some order. */
function endAll(machine: Machine, model: Model, order: readonly string[]): void {
  for (const name of order) follow(machine, model, { act: 'log out', job: name })
}

const order = fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 })

describe('whatever the order', () => {
  test('the last one out brings back what the user had', () => {
    fc.assert(
      fc.property(first, fc.array(fc.oneof(logIn, logOut), { maxLength: 20 }), order, (user, steps, last) => {
        const [machine, model] = [new Machine(user), new Model(user)]
        for (const step of steps) follow(machine, model, step)
        endAll(machine, model, last)
        expect([machine.entry(), machine.ledger]).toEqual([user, EMPTY_LEDGER])
      }),
      { numRuns: 500 }
    )
  })

  test('config.json shows the newest of what is in force, and what somebody else wrote is never overwritten', () => {
    const steps = fc.array(fc.oneof(logIn, logIn, logOut, logOut, write, keep), { maxLength: 25 })
    fc.assert(
      fc.property(first, steps, order, (user, each, last) => {
        const [machine, model] = [new Machine(user), new Model(user)]
        for (const [at, step] of each.entries()) {
          follow(machine, model, withOwnEntry(step, at))
          expect(machine.entry()).toEqual(model.shown())
          const held = ['a', 'b', 'c', 'd'].some((name) => model.holds(name))
          expect(Object.keys(machine.ledger.hosts)).toEqual(held ? [HOST] : [])
        }
        endAll(machine, model, last)
        expect([machine.entry(), machine.ledger]).toEqual([model.shown(), EMPTY_LEDGER])
      }),
      { numRuns: 1500 }
    )
  })
})
