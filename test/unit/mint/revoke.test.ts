// The loop that revokes, with a clock of its own: it looks as long as something may still be made, and no longer.
import { describe, expect, test } from '@jest/globals'
import type { MintState } from '../../../src/mint/journal.ts'
import { digestOf } from '../../../src/mint/mint.ts'
import { revokeMinted } from '../../../src/mint/revoke.ts'
import { makeContext, type RecordingContext } from '../support/context.ts'
import { type Answer, type Received, startServer, type Server } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

const SECRET = 'the-long-lived-secret'
const NAME = 'icr-login/octocat/hello-world/1/1/0123456789abcdef'

const claims = Buffer.from(JSON.stringify({ account: { bss: 'a'.repeat(32) } })).toString('base64url')
const accessToken = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.x`

/**
 * An IAM with keys.
 * @param at the IDs that a list shows, by its number
 * @param has whether a key can be looked up by its ID
 */
async function startIam(
  at: (list: number) => string[],
  remove: (id: string) => Answer = () => ({ status: 204 }),
  has: (id: string) => boolean = () => false
): Promise<Server> {
  let lists = 0
  return await startServer(({ method, url }: Received) => {
    const id = /^\/v1\/apikeys\/(.+)$/.exec(url)?.[1]
    if (url === '/identity/token') return { body: JSON.stringify({ access_token: accessToken }) }
    if (method === 'DELETE') return remove(id ?? '')
    if (id !== undefined) return has(id) ? { body: JSON.stringify({ id }) } : { status: 404 }
    lists += 1
    const keys = at(lists).map((one) => ({ id: one, name: NAME }))
    return { body: JSON.stringify({ apikeys: [{ id: 'ApiKey-other', name: 'other' }, ...keys] }) }
  })
}

function stateFor(iam: Server, more: Partial<MintState> = {}): MintState {
  return {
    method: 'api-key',
    name: NAME,
    iamUrl: `http://${iam.host}`,
    authMethod: 'api-key',
    digest: digestOf(SECRET),
    profile: '',
    serviceId: 'iam-ServiceId-1',
    sent: true,
    unanswered: 0,
    lastSentAt: Date.now(),
    made: [],
    expiresAt: '2030-01-01T00:00:00Z',
    openUntil: 0,
    ...more
  }
}

async function revoke(
  state: MintState,
  context: RecordingContext,
  secret = SECRET
): Promise<string | undefined> {
  return await revokeMinted(state, ['us.icr.io'], () => secret, { ...context, untilDeadline: true })
}

const lists = ({ received }: Server): number =>
  received.filter(({ method, url }) => method === 'GET' && url.startsWith('/v1/apikeys?')).length
const deleted = ({ received }: Server): string[] =>
  received.filter(({ method }) => method === 'DELETE').map(({ url }) => url.split('/').at(-1) ?? '')
const waited = ({ sleeps }: RecordingContext): number => sleeps.reduce((sum, one) => sum + one, 0)

describe('Where every request was answered', () => {
  test('what was made is deleted, and read back once', async () => {
    const iam = await startIam(() => [])
    const context = makeContext()
    expect(await revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), context)).toBe(
      'Revoked the minted api-key ApiKey-1.'
    )
    expect([deleted(iam), lists(iam), waited(context)]).toEqual([['ApiKey-1'], 1, 0])
  })

  test('what the list shows goes too, and is read back until it shows nothing', async () => {
    const iam = await startIam((list) => (list < 3 ? ['ApiKey-2'] : []))
    const context = makeContext()
    expect(await revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), context)).toBe(
      'Revoked the minted api-key ApiKey-1 and ApiKey-2.'
    )
    expect(lists(iam)).toBe(3)
  })

  test('nothing is said where there was nothing', async () => {
    const iam = await startIam(() => [])
    expect(await revoke(stateFor(iam), makeContext())).toBeUndefined()
    expect([deleted(iam), lists(iam)]).toEqual([[], 1])
  })

  test('one that is gone already is gone', async () => {
    const iam = await startIam(
      () => [],
      () => ({ status: 404 })
    )
    expect(await revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), makeContext())).toContain('ApiKey-1')
  })

  test('a key of another name is never touched', async () => {
    const iam = await startIam((list) => (list === 1 ? ['ApiKey-1'] : []))
    await revoke(stateFor(iam), makeContext())
    expect(deleted(iam)).toEqual(['ApiKey-1'])
  })

  test('a list that never empties ends with the time', async () => {
    const iam = await startIam(() => ['ApiKey-1'])
    const context = makeContext({ budgetMs: 2_000 })
    expect(await userError(revoke(stateFor(iam), context))).toContain('could not be revoked')
    expect(waited(context)).toBeLessThan(2_500)
  })
})

describe('Where a request may still be on its way', () => {
  test('the list is read again until none can be, and no longer', async () => {
    const iam = await startIam(() => [])
    const context = makeContext()
    const openUntil = context.now() + 20_000
    expect(await revoke(stateFor(iam, { openUntil }), context)).toBeUndefined()
    expect(context.now()).toBeGreaterThanOrEqual(openUntil)
    expect(context.infos[0]).toMatch(
      /^A request of the mint may still be on its way: looking for what it made until \d{4}-.+Z\.$/u
    )
    expect(waited(context)).toBeLessThanOrEqual(20_100)
    expect(lists(iam)).toBeGreaterThanOrEqual(20)
    expect(lists(iam)).toBeLessThanOrEqual(22)
  })

  test('what comes late is deleted, and the looking goes on to the end', async () => {
    const iam = await startIam((list) => (list === 9 ? ['ApiKey-late'] : list === 15 ? ['ApiKey-later'] : []))
    const context = makeContext()
    const openUntil = context.now() + 20_000
    expect(await revoke(stateFor(iam, { openUntil }), context)).toBe(
      'Revoked the minted api-key ApiKey-late and ApiKey-later.'
    )
    expect(context.now()).toBeGreaterThanOrEqual(openUntil)
  })

  test('the last look begins when none can be any more', async () => {
    // What is made while a list is on its way, at the very end, is in the next one.
    const context = makeContext()
    const openUntil = context.now() + 900
    const iam = await startIam((list) => {
      if (list === 1) void context.sleep(1_000)
      return list === 2 ? ['ApiKey-late'] : []
    })
    expect(await revoke(stateFor(iam, { openUntil }), context)).toContain('ApiKey-late')
  })

  test('a time that state can’t mean ends with the budget', async () => {
    const iam = await startIam(() => [])
    const context = makeContext({ budgetMs: 5_000 })
    await userError(revoke(stateFor(iam, { openUntil: Number.MAX_SAFE_INTEGER }), context))
    expect(waited(context)).toBeLessThan(6_500)
  })
})

describe('What can’t be revoked', () => {
  test('is named, with its end, even where the list does not show it', async () => {
    const iam = await startIam(
      () => [],
      () => ({ status: 403 })
    )
    const message = await userError(revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), makeContext()))
    expect(message).toContain('The minted api-key ApiKey-1 could not be revoked')
    expect(message).toContain('2030-01-01T00:00:00Z')
  })

  test('keeps nothing else from being revoked', async () => {
    const iam = await startIam(
      () => ['ApiKey-locked', 'ApiKey-2'],
      (id) => ({ status: id === 'ApiKey-locked' ? 409 : 204 })
    )
    const message = await userError(revoke(stateFor(iam, { made: [{ id: 'ApiKey-locked' }] }), makeContext()))
    expect(message).toContain('The minted api-key ApiKey-locked could not be revoked')
    expect(message).toContain('2030-01-01T00:00:00Z')
    expect(deleted(iam)).toContain('ApiKey-2')
  })

  test.each([['another secret'], ['']])(
    'is left where the secret is not main’s (%s), and nothing is sent',
    async (secret) => {
      const iam = await startIam(() => [])
      const message = await userError(
        revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), makeContext(), secret)
      )
      expect(message).toContain('api-key is not what it was when it minted')
      expect(message).toContain('ApiKey-1')
      expect(iam.received).toEqual([])
    }
  )
})

describe('What IAM has not caught up with', () => {
  test('a key that lives on after its deletion is deleted again, until IAM no longer has it', async () => {
    let deletions = 0
    const iam = await startIam(
      () => [],
      () => ({ status: (deletions += 1) === 1 ? 404 : 204 }),
      () => deletions < 3
    )
    const state = stateFor(iam, { made: [{ id: 'ApiKey-1' }] })
    expect(await revoke(state, makeContext())).toBe('Revoked the minted api-key ApiKey-1.')
    expect(deleted(iam)).toEqual(['ApiKey-1', 'ApiKey-1', 'ApiKey-1'])
  })

  test.each([404, 204])('a key that stays after a %i is not called revoked', async (status) => {
    const iam = await startIam(
      () => [],
      () => ({ status }),
      () => true
    )
    const context = makeContext({ budgetMs: 3_000 })
    const message = await userError(revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), context))
    expect(message).toContain(
      'The minted api-key ApiKey-1 could not be revoked: IBM Cloud accepted the deletion'
    )
    expect(message).toContain('2030-01-01T00:00:00Z')
  })

  test('a request without an answer, of which nothing is found, is a warning with name and end', async () => {
    const context = makeContext()
    expect(await revoke(stateFor(await startIam(() => []), { unanswered: 1 }), context)).toBeUndefined()
    expect(context.warnings).toHaveLength(1)
    expect(context.warnings[0]).toContain(NAME)
    expect(context.warnings[0]).toContain('2030-01-01T00:00:00Z')
  })

  test('is none once every list must show it', async () => {
    const context = makeContext()
    const lastSentAt = context.now() - 6 * 60_000
    await revoke(stateFor(await startIam(() => []), { unanswered: 1, lastSentAt }), context)
    expect(context.warnings).toEqual([])
  })

  test('and so it is beside a key that was answered', async () => {
    const context = makeContext()
    const state = stateFor(await startIam(() => []), { made: [{ id: 'ApiKey-1' }], unanswered: 1 })
    expect(await revoke(state, context)).toContain('ApiKey-1')
    expect(context.warnings[0]).toContain(NAME)
  })

  test('one that is found by its name is none', async () => {
    const context = makeContext()
    const iam = await startIam((list) => (list === 1 ? ['ApiKey-2'] : []))
    await revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }], unanswered: 1 }), context)
    expect(context.warnings).toEqual([])
  })
})

describe('After a create that was refused', () => {
  test('the list is read once, and what was made all the same is deleted', async () => {
    const iam = await startIam((list) => (list === 1 ? ['ApiKey-1'] : []))
    expect(await revoke(stateFor(iam), makeContext())).toBe('Revoked the minted api-key ApiKey-1.')
  })

  test('a list that is refused too is no second warning', async () => {
    const iam = await startServer(({ url }: Received) =>
      url === '/identity/token' ? { body: JSON.stringify({ access_token: accessToken }) } : { status: 403 }
    )
    const context = makeContext()
    expect(await revoke(stateFor(iam), context)).toBeUndefined()
    expect(context.warnings).toEqual([])
    expect(lists(iam)).toBe(1)
  })
})

test('an IAM that is down for 15 s is asked until it answers: nobody comes after post', async () => {
  const context = makeContext({ budgetMs: 40_000 })
  const up = context.now() + 15_000
  const iam = await startServer(({ method, url }: Received) => {
    if (context.now() < up) return { status: 503 }
    if (url === '/identity/token') return { body: JSON.stringify({ access_token: accessToken }) }
    if (method === 'DELETE') return { status: 204 }
    return url.includes('ApiKey-1') ? { status: 404 } : { body: '{"apikeys":[]}' }
  })
  expect(await revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), context)).toContain('ApiKey-1')
  expect(context.now()).toBeGreaterThanOrEqual(up)
})

test('an IAM that stays down ends with the time, and no advice to run the job again', async () => {
  const iam = await startServer({ status: 503 })
  const context = makeContext({ budgetMs: 40_000 })
  const message = await userError(revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), context))
  expect(message).toContain('503')
  expect(message).not.toMatch(/run the job/iu)
  expect(waited(context)).toBeGreaterThan(30_000)
  expect(iam.received.length).toBeLessThan(60)
})

test.each([409, 423])('%i on a deletion says that the key is locked', async (status) => {
  const iam = await startIam(
    () => [],
    () => ({ status, headers: { 'transaction-id': 'bd12-7c' }, body: '{"errors":[{"message":"locked"}]}' })
  )
  const message = await userError(revoke(stateFor(iam, { made: [{ id: 'ApiKey-1' }] }), makeContext()))
  expect(message).toContain(`IAM did not delete the API key ApiKey-1 (${status}): it is locked`)
  expect(message).toContain('Transaction-Id: bd12-7c')
  expect(message).not.toContain('credential was refused')
})

test.each(['repository-token', 'iam-token', 'none', 'toString'])(
  'mint: %s has nothing to revoke',
  async (way) => {
    const iam = await startIam(() => ['ApiKey-1'])
    expect(await revoke(stateFor(iam, { method: way }), makeContext())).toBeUndefined()
    expect(iam.received).toEqual([])
  }
)
