import { describe, expect, test } from '@jest/globals'
import { formatScope, parseGrants } from '../../../src/registry/scope.ts'

const token = (claims: unknown): string =>
  [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') +
  '.x'

function grants(claims: unknown): Record<string, string[]> | undefined {
  const found = parseGrants(token(claims))
  return found && Object.fromEntries([...found].map(([name, actions]) => [name, [...actions]]))
}

test('A scope is written as the distribution’s specification has it', () => {
  expect(formatScope('team/app', ['pull'])).toBe('repository:team/app:pull')
  expect(formatScope('team/app', ['pull', 'push'])).toBe('repository:team/app:pull,push')
})

describe('What a token grants', () => {
  test('is read by repository, several entries together', () => {
    const access = [
      { type: 'repository', name: 'team/app', actions: ['pull'] },
      { type: 'repository', name: 'team/app', actions: ['push', 'pull'] },
      { type: 'repository', class: 'image', name: 'team/web', actions: [] }
    ]
    expect(grants({ access })).toEqual({ 'team/app': ['pull', 'push'], 'team/web': [] })
    expect(grants({ access: [] })).toEqual({})
  })

  test.each([
    ['no access', {}],
    ['access that is null', { access: null }],
    ['access that is a word', { access: 'pull' }],
    ['access that is an object', { access: { 'team/app': ['pull'] } }]
  ])('is not known with %s', (_, claims) => {
    expect(grants(claims)).toBeUndefined()
  })

  test.each(['', 'opaque', 'a.b', 'a.b.c', 'a.b.c.d', token([]), token('x'), token(null), '..'])(
    'is not known of a token that is no JWT of claims (%s)',
    (text) => {
      expect(parseGrants(text)).toBeUndefined()
    }
  )

  test.each([
    [null],
    [7],
    ['team/app'],
    [['team/app']],
    [{ type: 'repository' }],
    [{ type: 'repository', name: 7, actions: ['pull'] }],
    [{ type: 'repository', name: 'team/app', actions: 'pull' }],
    [{ type: 'repository', name: 'team/app', actions: { 0: 'pull' } }],
    [{ type: 'repository', name: 'team/app', actions: [7] }],
    [{ type: 'repository', name: '__proto__', actions: ['pull'] }],
    [{ type: 'registry', name: 'catalog', actions: ['*'] }],
    [{ name: 'team/app', actions: ['pull'] }]
  ])('is not known where an entry is %j', (entry) => {
    expect(
      grants({ access: [{ type: 'repository', name: 'team/app', actions: ['pull'] }, entry] })
    ).toBeUndefined()
  })
})
