// A registry that lies, or says what it should not: nothing is called proven that is not.
import { describe, expect, test } from '@jest/globals'
import { findPushable, verifyMinted } from '../../../src/mint/verify.ts'
import { METHODS } from '../../../src/mint/methods.ts'
import { makeContext, type RecordingContext } from '../support/context.ts'
import { type Answer, type Received, startServer, type Server } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

const APP = 'team/app'
const credential = { username: 'iamapikey', secret: 'minted' }

const tokenOf = (claims: string): string =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(claims).toString('base64url')}.x`

const token = (access: unknown): string => tokenOf(JSON.stringify({ access }))

const pulls = (...actions: unknown[]): unknown[] => [{ type: 'repository', name: APP, actions }]

/** Gives tokens as `give` has it; its repositories have tags, if `tags` says 200, and it takes tokens if `bearers` does. */
async function startRegistry(
  give: (scopes: string[], request: Received) => Answer,
  tags = 200,
  bearers = 200
): Promise<Server> {
  const server: Server = await startServer((request) => {
    const url = new URL(request.url, 'http://registry')
    if (url.pathname === '/oauth/token') return give(url.searchParams.getAll('scope'), request)
    if (url.pathname === '/v2/' && 'authorization' in request.headers) return { status: bearers }
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
  return await findPushable({ host, ...credential }, repositories, makeContext())
}

describe('What a registry’s token says it grants', () => {
  test.each<[string, unknown[], string[]]>([
    ['pull', ['pull'], []],
    ['pull twice', ['pull', 'pull'], []],
    ['push as well', ['pull', 'push'], [APP]],
    ['everything', ['pull', '*'], [APP]],
    ['delete', ['pull', 'delete'], [APP]],
    ['an action that nobody knows', ['pull', 'admin'], [APP]],
    ['an action in capitals', ['pull', 'PUSH'], [APP]],
    ['an empty action', ['pull', ''], [APP]]
  ])('%s', async (_, actions, pushable) => {
    expect(await prove(() => ok({ token: token(pulls(...actions)) }))).toEqual(pushable)
  })

  test.each<[string, unknown]>([
    ['nothing', []],
    ['push alone', pulls('push')],
    ['everything, but not pull', pulls('*')],
    ['another repository', [{ type: 'repository', name: 'team/apple', actions: ['pull'] }]]
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
    expect(await prove(() => ok({ token: token(access) }), [APP, 'team/web'])).toEqual(['team/web'])
  })
})

const entry = (more: object): object => ({ type: 'repository', name: APP, actions: ['pull'], ...more })
/** A claim that says pull on the repository, and what is given. */
const also = (...more: unknown[]): string => JSON.stringify({ access: [entry({}), ...more] })
const pull = JSON.stringify([entry({})])
const push = JSON.stringify([entry({ actions: ['pull', 'push'] })])

describe('A token that can do more than pull is never called pull only', () => {
  test.each<[string, string, 'push' | 'not verified']>([
    ['push on another repository', also(entry({ name: 'team/web', actions: ['push'] })), 'push'],
    ['push and pull on another', also(entry({ name: 'team/web', actions: ['pull', 'push'] })), 'push'],
    ['* on another repository', also(entry({ name: 'team/web', actions: ['*'] })), 'push'],
    ['delete on another repository', also(entry({ name: 'team/web', actions: ['delete'] })), 'push'],
    ['an unknown action on another', also(entry({ name: 'team/web', actions: ['restore'] })), 'push'],
    ['push in a second entry', also(entry({ actions: ['push'] })), 'push'],
    ['the catalog', also({ type: 'registry', name: 'catalog', actions: ['*'] }), 'not verified'],
    ['pull of the catalog', also({ type: 'registry', name: 'catalog', actions: ['pull'] }), 'not verified'],
    ['another type', also(entry({ type: 'namespace', name: 'team', actions: ['push'] })), 'not verified'],
    ['a type in capitals', also(entry({ type: 'Repository', actions: ['push'] })), 'not verified'],
    ['a type with a class', also(entry({ type: 'repository(plugin)' })), 'not verified'],
    ['no type', also({ name: APP, actions: ['push'] }), 'not verified'],
    ['* for every name', also(entry({ name: '*', actions: ['push'] })), 'not verified'],
    ['a wildcard in a name', also(entry({ name: 'team/*', actions: ['push'] })), 'not verified'],
    ['a pattern as a name', also(entry({ name: '^team/.*$', actions: ['push'] })), 'not verified'],
    ['an empty name', also(entry({ name: '', actions: ['push'] })), 'not verified'],
    ['a name in capitals', also(entry({ name: 'Team/App', actions: ['push'] })), 'not verified'],
    ['a name that is a list', also(entry({ name: [APP], actions: ['push'] })), 'not verified'],
    ['names in the plural', also(entry({ names: ['team/web'] })), 'not verified'],
    ['actions as a string', also(entry({ name: 'team/web', actions: 'push' })), 'not verified'],
    ['actions as an object', also(entry({ name: 'team/web', actions: { push: true } })), 'not verified'],
    ['an action that is a list', also(entry({ actions: ['pull', ['push']] })), 'not verified'],
    ['an entry that is text', also(`repository:${APP}:push`), 'not verified'],
    ['an entry that is a list', also([entry({ actions: ['push'] })]), 'not verified'],
    ['access twice', `{"access":${push},"access":${pull}}`, 'not verified'],
    ['access twice, escaped once', `{"\\u0061ccess":${push},"access":${pull}}`, 'not verified'],
    [
      'actions twice in an entry',
      `{"access":[{"type":"repository","name":"${APP}","actions":["push"],"actions":["pull"]}]}`,
      'not verified'
    ],
    ['access that is an object', JSON.stringify({ access: { [APP]: ['pull'] } }), 'not verified']
  ])('%s (%s)', async (_, claims, outcome) => {
    const found = await prove(() => ok({ token: tokenOf(claims) }))
    if (outcome === 'push') expect(found).toHaveLength(1)
    else expect(found).toBeUndefined()
  })

  test('text in other claims that looks like a key does not matter', async () => {
    const claims = `{"note":"\\"access\\":[] and {\\"a\\":1,\\"a\\":2}","x":["y",":"],"access" : ${pull}}`
    expect(await prove(() => ok({ token: tokenOf(claims) }))).toEqual([])
  })

  test('a class that the distribution’s specification allows does not matter', async () => {
    expect(await prove(() => ok({ token: token([entry({ class: 'image' })]) }))).toEqual([])
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
    expect(await prove(smaller(pulls('pull')))).toEqual([])
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
    expect(await prove(give, [APP, 'team/web'])).toEqual(['team/web'])
  })

  test('followed by a token that says nothing is not proven', async () => {
    const give = (scopes: string[]): Answer =>
      scopes.some((scope) => scope.includes('push')) ? refused : ok({ token: 'opaque' })
    expect(await prove(give)).toBeUndefined()
  })

  test('followed by a token that says more than was asked is push', async () => {
    expect(await prove(smaller(pulls('pull', 'push')))).toEqual([APP])
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
  await findPushable({ host: server.host, ...credential }, [APP], makeContext())
  expect(new Set(server.received.map(({ method }) => method))).toEqual(new Set(['GET']))
  const basic = server.received.filter(({ headers }) => String(headers['authorization']).startsWith('Basic'))
  expect(basic.map(({ url }) => url.split('?')[0])).toEqual(['/oauth/token'])
})

describe('A token of the registry’s own', () => {
  const show = async ({ host }: Server, secret: string, repositories = [APP]): Promise<unknown> =>
    await findPushable({ host, username: undefined, secret }, repositories, makeContext())

  test('is sent to the registry once, and says itself what it is good for', async () => {
    const server = await startRegistry(() => refused)
    expect(await show(server, token(pulls('pull')))).toEqual([])
    expect(server.received.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
      ['/v2/', `Bearer ${token(pulls('pull'))}`]
    ])
    expect(await show(server, token(pulls('pull', 'push')))).toEqual([APP])
    await userError(show(server, token([])))
  })

  test('that the registry refuses is not called pull only', async () => {
    const server = await startRegistry(() => refused, 200, 401)
    expect(await userError(show(server, token(pulls('pull'))))).toContain('(401)')
  })

  test('that says nothing reads the tags of each repository', async () => {
    const server = await startRegistry(() => refused)
    expect(await show(server, 'opaque', [APP, 'team/web'])).toBeUndefined()
    expect(server.received.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
      ['/v2/', 'Bearer opaque'],
      [`/v2/${APP}/tags/list`, 'Bearer opaque'],
      ['/v2/team/web/tags/list', 'Bearer opaque']
    ])
  })
})

describe('A new key that a part of the registry does not know yet', () => {
  const unknown: Answer = { status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"not valid"}]}' }

  /** Refuses the key so often, and then grants what is asked for. */
  const lagging = (times: number): ((scopes: string[]) => Answer) => {
    let asked = 0
    return (scopes) => {
      asked += 1
      const push = scopes.some((scope) => scope.includes('push'))
      return asked <= times ? unknown : ok({ token: token(pulls('pull', ...(push ? ['push'] : []))) })
    }
  }

  test('is asked about again, and what it can do is not taken for less', async () => {
    const { host } = await startRegistry(lagging(3))
    const context = makeContext()
    const settlesAt = context.now() + 10_000
    expect(await findPushable({ host, ...credential, settlesAt }, [APP], context)).toEqual([APP])
    expect(context.sleeps).toEqual([1_000, 1_000, 1_000])
  })

  test('is refused for good once it should be known everywhere', async () => {
    const { host } = await startRegistry(lagging(1_000))
    const context = makeContext()
    const settlesAt = context.now() + 10_000
    await userError(findPushable({ host, ...credential, settlesAt }, [APP], context))
    expect(context.now()).toBeLessThan(settlesAt + 1_000)
  })

  test('is not waited for where it may not do that', async () => {
    const { host } = await startRegistry(() => refused)
    const context = makeContext()
    await userError(findPushable({ host, ...credential, settlesAt: context.now() + 10_000 }, [APP], context))
    expect(context.sleeps).toEqual([])
  })
})

describe('All that was minted', () => {
  const mintOf = (hosts: readonly string[], readOnly = true): Parameters<typeof verifyMinted>[0] => ({
    method: 'api-key',
    repositories: new Map(hosts.map((host) => [host, [APP]])),
    serviceId: '',
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
    expect(message).toContain(`would let the minted credential push to ${APP}.`)
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
