// A registry that lies, or says what it should not: nothing is called proven that is not.
import { describe, expect, test } from '@jest/globals'
import { verifyCredentialAccess, verifyMinted, verifyTokenAccess } from '../../../src/mint/verify.ts'
import { METHODS } from '../../../src/mint/methods.ts'
import { makeContext, type RecordingContext } from '../support/context.ts'
import { type Answer, type Received, startServer, type Server } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

const APP = 'team/app'
const credential = { username: 'iamapikey', secret: 'minted' }

const token = (access: unknown): string =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ access })).toString('base64url')}.x`

const pulls = (...actions: unknown[]): unknown[] => [{ type: 'repository', name: APP, actions }]

/** Gives tokens as `give` has it; its repositories have tags, if `tags` says 200. */
async function startRegistry(
  give: (scopes: string[], request: Received) => Answer,
  tags = 200
): Promise<Server> {
  const server: Server = await startServer((request) => {
    const url = new URL(request.url, 'http://registry')
    if (url.pathname === '/oauth/token') return give(url.searchParams.getAll('scope'), request)
    if (url.pathname.endsWith('/tags/list')) return { status: tags, body: '{"tags":[]}' }
    const challenge = `Bearer realm="http://${server.host}/oauth/token", service="registry"`
    return { status: 401, headers: { 'www-authenticate': challenge } }
  })
  return server
}

const ok = (value: unknown): Answer => ({ body: JSON.stringify(value) })
const refused: Answer = { status: 403, body: '{"errors":[{"code":"DENIED","message":"insufficient scope"}]}' }

async function prove(
  give: Parameters<typeof startRegistry>[0],
  repositories = [APP],
  tags = 200
): Promise<unknown> {
  const { host } = await startRegistry(give, tags)
  return await verifyCredentialAccess(host, credential, repositories, makeContext())
}

describe('What a registry’s token says it grants', () => {
  test.each<[string, unknown[], 'pull' | 'pull,push']>([
    ['pull', ['pull'], 'pull'],
    ['pull twice', ['pull', 'pull'], 'pull'],
    ['push as well', ['pull', 'push'], 'pull,push'],
    ['everything', ['pull', '*'], 'pull,push'],
    ['delete', ['pull', 'delete'], 'pull,push'],
    ['an action that nobody knows', ['pull', 'admin'], 'pull,push'],
    ['an action that is no text', ['pull', 7], 'pull,push']
  ])('%s', async (_, actions, access) => {
    expect(await prove(() => ok({ token: token(pulls(...actions)) }))).toBe(access)
  })

  test.each<[string, unknown]>([
    ['nothing', []],
    ['push alone', pulls('push')],
    ['everything, but not pull', pulls('*')],
    ['another repository', [{ type: 'repository', name: 'team/apple', actions: ['pull'] }]],
    ['the repository in capitals', [{ type: 'repository', name: 'Team/App', actions: ['pull'] }]],
    ['another type', [{ type: 'registry', name: APP, actions: ['pull'] }]],
    ['a name that is no text', [{ type: 'repository', name: [APP], actions: ['pull'] }]],
    ['actions that are a word', [{ type: 'repository', name: APP, actions: 'pull' }]],
    ['entries that are none', [null, 1, APP]]
  ])('%s is no pull', async (_, access) => {
    expect(await userError(prove(() => ok({ token: token(access) })))).toContain(
      `would not let the minted credential pull ${APP}.`
    )
  })

  test('about one repository of two is told by name', async () => {
    const message = await userError(prove(() => ok({ token: token(pulls('pull')) }), [APP, 'team/web']))
    expect(message).toContain('pull team/web.')
  })

  test('push on one repository of two is push', async () => {
    const access = [...pulls('pull'), { type: 'repository', name: 'team/web', actions: ['pull', 'push'] }]
    expect(await prove(() => ok({ token: token(access) }), [APP, 'team/web'])).toBe('pull,push')
  })
})

describe('A token that can’t be read', () => {
  test.each<[string, unknown]>([
    ['is no JWT', 'opaque'],
    ['has no access', `${token([]).split('.')[0] ?? ''}.${Buffer.from('{}').toString('base64url')}.x`],
    ['has access of another type', token('pull')]
  ])('%s, proves nothing; that pull works is read from the tags', async (_, text) => {
    expect(await prove(() => ok({ token: text }))).toBeUndefined()
  })

  test('and tags that can’t be read fail', async () => {
    await userError(prove(() => ok({ token: 'opaque' }), [APP], 403))
  })
})

describe('A refusal of the larger scope', () => {
  const smaller =
    (access: unknown) =>
    (scopes: string[]): Answer =>
      scopes.some((scope) => scope.includes('push')) ? refused : ok({ token: token(access) })

  test('followed by a grant of the smaller one is pull', async () => {
    expect(await prove(smaller(pulls('pull')))).toBe('pull')
  })

  test('is asked again for each repository: one of two may push', async () => {
    const give = (scopes: string[]): Answer => {
      const writes = scopes.filter((scope) => scope.includes('push'))
      if (writes.some((scope) => scope.includes(APP))) return refused
      const access = scopes.map((scope) => {
        const [, name, actions = ''] = scope.split(':')
        return { type: 'repository', name, actions: actions.split(',') }
      })
      return ok({ token: token(access) })
    }
    expect(await prove(give, [APP, 'team/web'])).toBe('pull,push')
  })

  test('followed by a token that says nothing is not proven', async () => {
    const give = (scopes: string[]): Answer =>
      scopes.some((scope) => scope.includes('push')) ? refused : ok({ token: 'opaque' })
    expect(await prove(give)).toBeUndefined()
  })

  test('followed by a token that says more than was asked is push', async () => {
    expect(await prove(smaller(pulls('pull', 'push')))).toBe('pull,push')
  })

  test('followed by a token that grants nothing is no pull', async () => {
    expect(await userError(prove(smaller([])))).toContain(`would not let the minted credential pull ${APP}.`)
  })

  test('followed by another refusal is an error', async () => {
    expect(await userError(prove(() => refused))).toContain('403')
  })
})

test.each<[string, Answer]>([
  ['200 and garbage', { body: '<html>Welcome</html>' }],
  ['200 and nothing', {}],
  ['200 and no token', ok({ expires_in: 60 })],
  ['200 and a token that is no text', ok({ token: 7 })],
  ['a list', ok([token(pulls('pull'))])],
  ['500', { status: 500 }]
])('%s for an answer proves nothing, and is no refusal of push', async (_, answer) => {
  await userError(prove(() => answer))
})

test('Nothing but GET is ever sent, and the secret goes to the token service alone', async () => {
  const server = await startRegistry(() => ok({ token: token(pulls('pull')) }))
  await verifyCredentialAccess(server.host, credential, [APP], makeContext())
  expect(new Set(server.received.map(({ method }) => method))).toEqual(new Set(['GET']))
  const basic = server.received.filter(({ headers }) => String(headers['authorization']).startsWith('Basic'))
  expect(basic.map(({ url }) => url.split('?')[0])).toEqual(['/oauth/token'])
})

describe('A token of the registry’s own', () => {
  test('says itself what it is good for, and asks nobody', async () => {
    const server = await startRegistry(() => refused)
    expect(await verifyTokenAccess(server.host, token(pulls('pull')), [APP], makeContext())).toBe('pull')
    expect(await verifyTokenAccess(server.host, token(pulls('pull', 'push')), [APP], makeContext())).toBe(
      'pull,push'
    )
    await userError(verifyTokenAccess(server.host, token([]), [APP], makeContext()))
    expect(server.received).toEqual([])
  })

  test('that says nothing reads the tags of each repository', async () => {
    const server = await startRegistry(() => refused)
    expect(await verifyTokenAccess(server.host, 'opaque', [APP, 'team/web'], makeContext())).toBeUndefined()
    expect(server.received.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
      [`/v2/${APP}/tags/list`, 'Bearer opaque'],
      ['/v2/team/web/tags/list', 'Bearer opaque']
    ])
  })
})

describe('All that was minted', () => {
  const mintOf = (hosts: readonly string[], readOnly = true): Parameters<typeof verifyMinted>[0] => ({
    method: 'api-key',
    repositories: new Map(hosts.map((host) => [host, [APP]])),
    serviceId: undefined,
    lifetimeMs: undefined,
    readOnly,
    profile: undefined
  })
  const minted = (host: string): Parameters<typeof verifyMinted>[2][number] => ({
    host,
    ...credential,
    issuedAt: new Date(),
    expiresAt: new Date()
  })

  async function proveAt(given: unknown[][], context: RecordingContext, readOnly = true): Promise<unknown> {
    const servers = await Promise.all(
      given.map((access) => startRegistry(() => ok({ token: token(access) })))
    )
    const hosts = servers.map(({ host }) => host)
    return await verifyMinted(mintOf(hosts, readOnly), METHODS['api-key'], hosts.map(minted), context)
  }

  test('may only pull where every host says so', async () => {
    const context = makeContext()
    expect(await proveAt([pulls('pull'), pulls('pull')], context)).toBe('pull')
    expect(context.warnings).toEqual([])
  })

  test('may push where one host says so', async () => {
    const message = await userError(proveAt([pulls('pull'), pulls('pull', 'push')], makeContext()))
    expect(message).toContain('would let the minted credential push')
    expect(await proveAt([pulls('pull'), pulls('pull', 'push')], makeContext(), false)).toBe('pull,push')
  })

  test('is not proven where one host was not asked', async () => {
    const { host } = await startRegistry(() => ok({ token: token(pulls('pull')) }))
    const context = makeContext()
    const all = [minted(host), minted('127.0.0.1:9')]
    expect(await verifyMinted(mintOf([host]), METHODS['api-key'], all, context)).toBeUndefined()
    expect(context.warnings).toHaveLength(1)
    expect(context.warnings[0]).toContain('not proven')
  })
})
