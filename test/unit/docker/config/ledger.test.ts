// What the ledger makes of logins that come and go. file.test.ts holds the same for any order, with real files.
import { describe, expect, test } from '@jest/globals'
import {
  activeLogins,
  addLogin,
  findAbandoned,
  isEmpty,
  isLedger,
  keepLogin,
  removeLogins,
  type Ledger,
  type Login
} from '../../../../src/docker/config/ledger.ts'

const HOST = 'us.icr.io'
const USER = { auth: 'user' }
const DAY = 24 * 60 * 60 * 1000
const runner = { machine: 'here', pid: 1 }
const EMPTY: Ledger = { version: 2, file: 'config.json', hosts: {} }

const login = (id: string, since = 0): Login => ({ id, job: id, since, runner, entry: { auth: id } })
const helper = (digest: string, before = false): { name: string; before: boolean; digest: string } => ({
  name: 'pass',
  before,
  digest
})

/** The ledger after these logins, one upon the other. */
const held = (...ids: string[]): Ledger =>
  ids.reduce(
    (ledger, id, at) => addLogin(ledger, HOST, at === 0 ? USER : login(ids[at - 1] ?? '').entry, login(id)),
    EMPTY
  )

/** What comes of the logins when they leave in this order, and what config.json shows in the end. */
function leave(ledger: Ledger, shown: unknown, ...ids: string[]): unknown[] {
  const outcomes: unknown[] = []
  for (const id of ids) {
    const removed = removeLogins(ledger, [id], () => shown)
    ledger = removed.ledger
    shown = removed.entries.has(HOST) ? removed.entries.get(HOST) : shown
    outcomes.push(...removed.releases.map(({ outcome }) => outcome))
  }
  return [...outcomes, shown, isEmpty(ledger)]
}

describe('logins leave', () => {
  test.each([
    [
      ['a', 'b', 'c'],
      ['shared', 'shared', 'restored']
    ],
    [
      ['c', 'b', 'a'],
      ['shared', 'shared', 'restored']
    ],
    [
      ['b', 'a', 'c'],
      ['shared', 'shared', 'restored']
    ]
  ])('in the order %j, and what was there before is back', (order, outcomes) => {
    expect(leave(held('a', 'b', 'c'), login('c').entry, ...order)).toEqual([...outcomes, USER, true])
  })

  test('a host that had no entry has none again', () => {
    const ledger = addLogin(EMPTY, HOST, undefined, login('a'))
    expect(leave(ledger, login('a').entry, 'a')).toEqual(['removed', undefined, true])
  })

  test.each([null, 'text', [1], {}])('an entry of %j is back as it was', (entry) => {
    const ledger = addLogin(EMPTY, HOST, entry, login('a'))
    expect(leave(JSON.parse(JSON.stringify(ledger)) as Ledger, login('a').entry, 'a')).toEqual([
      'restored',
      entry,
      true
    ])
  })

  test('after docker logout, or after somebody put the old entry back: it was gone', () => {
    expect(leave(addLogin(EMPTY, HOST, undefined, login('a')), undefined, 'a')).toEqual([
      'gone',
      undefined,
      true
    ])
    expect(leave(held('a'), USER, 'a')).toEqual(['gone', USER, true])
  })

  test('after another program’s login: that one stays', () => {
    expect(leave(held('a', 'b'), { auth: 'x' }, 'b', 'a')).toEqual([
      'changed',
      'changed',
      { auth: 'x' },
      true
    ])
  })

  test('another program’s login between two of ours is what is there before the second', () => {
    const ledger = addLogin(held('a'), HOST, { auth: 'x' }, login('b'))
    expect(leave(ledger, login('b').entry, 'b', 'a')).toEqual(['restored', 'changed', { auth: 'x' }, true])
    expect(leave(ledger, login('b').entry, 'a', 'b')).toEqual(['shared', 'restored', { auth: 'x' }, true])
  })

  test('a login that was undone, or never written, is not shown again', () => {
    const ledger = addLogin(held('a'), HOST, USER, login('b'))
    expect(leave(ledger, login('b').entry, 'b', 'a')).toEqual(['restored', 'gone', USER, true])
  })

  test('a login that is made again after another program undid it keeps what is below it', () => {
    const again = addLogin(held('a', 'b'), HOST, login('a').entry, login('b'))
    expect(leave(again, login('b').entry, 'b', 'a')).toEqual(['shared', 'restored', USER, true])
  })
})

describe('a login that is kept', () => {
  test('is what is there before, for those that come later', () => {
    const ledger = addLogin(keepLogin(held('a'), 'a'), HOST, login('a').entry, login('b'))
    expect(leave(ledger, login('b').entry, 'b')).toEqual(['restored', login('a').entry, true])
  })

  test('is no change to warn of, for those that came earlier', () => {
    expect(leave(keepLogin(held('a', 'b'), 'b'), login('b').entry, 'a')).toEqual([
      'shared',
      login('b').entry,
      true
    ])
  })

  test('and hides behind a newer one shows when that leaves', () => {
    expect(leave(keepLogin(held('a', 'b'), 'a'), login('b').entry, 'b')).toEqual([
      'restored',
      login('a').entry,
      true
    ])
  })

  test('stays in its helper', () => {
    const ledger = keepLogin(addLogin(held('a'), HOST, login('a').entry, login('b'), helper('1')), 'b')
    expect(removeLogins(ledger, ['a'], () => USER).releases[0]?.helper).toEqual(helper('1', true))
  })
})

describe('a helper', () => {
  test('is let go with the last login, as it was found by the first', () => {
    const first = addLogin(EMPTY, HOST, undefined, login('a'), helper('1'))
    const ledger = addLogin(first, HOST, login('a').entry, login('b'), helper('2', true))
    const { releases, ledger: rest } = removeLogins(ledger, ['a'], () => login('b').entry)
    expect(releases).toEqual([{ host: HOST, outcome: 'shared' }])
    expect(removeLogins(rest, ['b'], () => login('b').entry).releases[0]?.helper).toEqual(helper('2'))
  })
})

describe('abandoned logins', () => {
  test.each([
    ['young', 4.9, false, []],
    ['old, and its process is gone', 5.1, false, ['a']],
    ['old, by a clock that is wrong: its process runs', 5.1, true, []],
    ['of a day to come, and its process is gone', -5.1, false, ['a']]
  ])('one that is %s', (_, days, running, expected) => {
    const ledger = addLogin(EMPTY, HOST, undefined, login('a', Date.now() - days * DAY))
    expect(findAbandoned(ledger, Date.now(), () => running)).toEqual(expected)
  })
})

test('only logins that are still valid count as active', () => {
  expect(
    activeLogins(addLogin(held('a'), HOST, { auth: 'x' }, login('b')).hosts[HOST]).map(({ id }) => id)
  ).toEqual(['b'])
  expect(activeLogins(EMPTY.hosts[HOST])).toEqual([])
})

describe('a text is a ledger', () => {
  test('with what is written, read again', () => {
    expect(isLedger(JSON.parse(JSON.stringify(held('a', 'b'))))).toBe(true)
  })

  test.each([
    undefined,
    {},
    { ...EMPTY, version: 1 },
    { ...EMPTY, file: 1 },
    { ...EMPTY, hosts: [] },
    { ...EMPTY, hosts: { [HOST]: {} } },
    { ...EMPTY, hosts: { [HOST]: { logins: [{}] } } },
    { ...EMPTY, hosts: { [HOST]: { logins: [{ ...login('a'), entry: null }] } } },
    { ...EMPTY, hosts: { [HOST]: { logins: [{ ...login('a'), runner: null }] } } }
  ])('but not %j', (value) => {
    expect(isLedger(value)).toBe(false)
  })
})
