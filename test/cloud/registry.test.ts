// The stand-in's registry, asked by plain requests in both forms of the token service.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import {
  NAMESPACE,
  PROFILE_ID,
  READER_ID,
  READER_KEY,
  REGION,
  REPOSITORY,
  TAGS,
  USER_ID,
  USER_KEY,
  WRITER_ID,
  WRITER_KEY
} from './default-world.ts'
import { readClaims } from './jwt.ts'
import { requestsWith } from './recorder.ts'
import type { Registry, RegistryOptions } from './registry.ts'

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(() => cloud.close())

interface Answer {
  status: number
  text: string
  token: string
  refreshToken: string | undefined
  expiresIn: number | undefined
  access: unknown
}

type Form = 'GET' | 'POST'

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>
  const token = typeof body['token'] === 'string' ? body['token'] : ''
  return {
    status: response.status,
    text,
    token,
    refreshToken: body['refresh_token'] as string | undefined,
    expiresIn: body['expires_in'] as number | undefined,
    access: readClaims(token)['access']
  }
}

async function getToken(
  user: string,
  secret: string,
  scopes: string[] = [],
  host = cloud.registryHost
): Promise<Answer> {
  const query = new URLSearchParams({ service: 'registry' })
  for (const scope of scopes) query.append('scope', scope)
  const headers = { Authorization: `Basic ${btoa(`${user}:${secret}`)}` }
  return answerOf(await fetch(`http://${host}/oauth/token?${query.toString()}`, { headers }))
}

async function postToken(fields: Record<string, string>, host = cloud.registryHost): Promise<Answer> {
  const body = new URLSearchParams({ service: 'registry', client_id: 'test', ...fields })
  return answerOf(await fetch(`http://${host}/oauth/token`, { method: 'POST', body }))
}

function askToken(form: Form, username: string, password: string, scopes: string[] = []): Promise<Answer> {
  return form === 'GET'
    ? getToken(username, password, scopes)
    : postToken({ grant_type: 'password', username, password, scope: scopes.join(' ') })
}

async function get(path: string, token?: string, host = cloud.registryHost): Promise<Response> {
  return fetch(
    `http://${host}${path}`,
    token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }
  )
}

const pull = `repository:${REPOSITORY}:pull`
const pullPush = `repository:${REPOSITORY}:pull,push`
const NOT_VALID = 'The login credentials are not valid, or your IBM Cloud account is not active.'
const AUTH_REQUIRED =
  'Authorization required. See https://cloud.ibm.com/docs/Registry?topic=Registry-troubleshoot-auth-req'

describe('/v2/', () => {
  it('challenges with a blank after each comma', async () => {
    const response = await get('/v2/')
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="http://${cloud.registryHost}/oauth/token", service="registry"`
    )
    expect(await response.json()).toEqual({
      errors: [{ code: 'UNAUTHORIZED', message: AUTH_REQUIRED, detail: AUTH_REQUIRED }]
    })
  })

  it('names the scope that a repository’s path needs', async () => {
    const response = await get(`/v2/${REPOSITORY}/manifests/latest`)
    expect(response.headers.get('www-authenticate')).toContain(`, scope="${pull}"`)
  })

  it('answers 200 to a token that was given for it, and to no other', async () => {
    const { token } = await getToken('iamapikey', READER_KEY)
    expect((await get('/v2/', token)).status).toBe(200)
    expect((await get('/v2/', `${token.slice(0, -8)}AAAAAAAA`)).status).toBe(401)
    expect((await get('/v2/', cloud.accessToken(READER_ID))).status).toBe(401)
  })

  it('refuses a token that another region gave, or that has ended', async () => {
    const other = await cloud.addRegistry({ region: 'eu-de' })
    const { token, expiresIn } = await getToken('iamapikey', READER_KEY)
    expect((await get('/v2/', token, other.host)).status).toBe(401)
    cloud.world.ahead = expiresIn ?? 0
    expect((await get('/v2/', token)).status).toBe(401)
  })

  it('lists the tags of an image to those who may pull it', async () => {
    const { token } = await getToken('iamapikey', READER_KEY, [pull])
    const response = await get(`/v2/${REPOSITORY}/tags/list`, token)
    expect(await response.json()).toEqual({ name: REPOSITORY, tags: TAGS })
    expect((await get(`/v2/${NAMESPACE}/none/tags/list`, token)).status).toBe(401)
  })

  it.each([
    ['insufficient scope', (): string => REPOSITORY],
    ['You are not authorized to access the specified resource.', (): string => 'elsewhere/app']
  ])('denies with "%s"', async (message, repository) => {
    cloud.world.policies = []
    const { token } = await getToken('iamapikey', READER_KEY)
    const response = await get(`/v2/${repository()}/tags/list`, token)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ errors: [{ code: 'DENIED', message }] })
  })

  it('says that the quota is used up, as denied', async () => {
    const { token } = await getToken('iamapikey', WRITER_KEY, [pullPush])
    const [account] = cloud.world.accounts
    if (account) Object.assign(account, { pullQuotaExceeded: true, storageQuotaExceeded: true })
    const pulled = await get(`/v2/${REPOSITORY}/blobs/sha256:0`, token)
    expect([pulled.status, await pulled.text()]).toEqual([403, expect.stringContaining('pull traffic quota')])
    const headers = { Authorization: `Bearer ${token}` }
    const uploads = `http://${cloud.registryHost}/v2/${REPOSITORY}/blobs/uploads/`
    const pushed = await fetch(uploads, { method: 'POST', headers })
    expect([pushed.status, await pushed.text()]).toEqual([403, expect.stringContaining('storage quota')])
  })
})

describe.each<Form>(['GET', 'POST'])('%s /oauth/token', (form) => {
  it.each([
    ['iamapikey', 'an API key', (): string => READER_KEY],
    ['iambearer', 'an access token', (): string => cloud.accessToken(READER_ID)],
    ['iamrefresh', 'a refresh token', (): string => cloud.refreshToken(READER_ID)],
    [PROFILE_ID, 'a service ID’s key', (): string => READER_KEY]
  ])('takes %s with %s', async (username, _what, secret) => {
    const answer = await askToken(form, username, secret(), [pullPush])
    expect(answer).toMatchObject({ status: 200, expiresIn: 3600, refreshToken: undefined })
    expect(answer.access).toEqual([{ type: 'repository', name: REPOSITORY, actions: ['pull'] }])
  })

  it.each([
    ['an unknown key', 'iamapikey', (): string => 'x'.repeat(44), 401, NOT_VALID],
    ['a disabled key', 'iamapikey', disabledKey, 401, 'An error occurred when authenticating your request'],
    ['a key as access token', 'iambearer', (): string => READER_KEY, 400, NOT_VALID],
    ['an access token as key', 'iamapikey', (): string => cloud.accessToken(READER_ID), 400, NOT_VALID],
    [
      'an access token that ended',
      'iambearer',
      (): string => cloud.accessToken(READER_ID, -1),
      401,
      AUTH_REQUIRED
    ],
    ['an unknown refresh token', 'iamrefresh', (): string => 'x', 401, NOT_VALID],
    ['an unknown profile', 'Profile-0', (): string => READER_KEY, 401, NOT_VALID],
    ['a user’s key with a profile', PROFILE_ID, (): string => USER_KEY, 401, NOT_VALID],
    ['a registry token', 'token', registryToken, 401, NOT_VALID],
    [
      'another username',
      'iamkey',
      (): string => READER_KEY,
      401,
      'requested authentication method is not supported'
    ]
  ])('refuses %s', async (_what, username, secret, status, message) => {
    const answer = await askToken(form, username, secret())
    expect(answer).toMatchObject({ status, text: expect.stringContaining(message) })
  })

  it.each([
    ['is not active', { active: false }, 401, NOT_VALID],
    ['is private-only', { privateOnly: true }, 403, 'Private-only access is enabled on this account'],
    [
      'admits other addresses only',
      { allowedIps: ['192.0.2.1'] },
      401,
      'An error occurred when authenticating'
    ]
  ])('refuses an account that %s', async (_what, state, status, message) => {
    Object.assign(cloud.world.accounts[0] ?? {}, state)
    const answer = await askToken(form, 'iamapikey', READER_KEY)
    expect(answer).toMatchObject({ status, text: expect.stringContaining(message) })
  })

  it('grants what is asked for and allowed, scope by scope', async () => {
    cloud.world.addImage({ region: REGION, repository: `${NAMESPACE}/other` })
    const answer = await askToken(form, 'iamapikey', WRITER_KEY, [
      pullPush,
      `repository:${NAMESPACE}/other:pull`,
      'repository:elsewhere/app:pull',
      'registry:catalog:*'
    ])
    expect(answer.access).toEqual([
      { type: 'repository', name: REPOSITORY, actions: ['pull', 'push'] },
      { type: 'repository', name: `${NAMESPACE}/other`, actions: ['pull'] }
    ])
  })
})

describe('a registry token', () => {
  it.each([
    ['is read-only', {}, ['pull']],
    ['may push if it was made so', { readOnly: false }, ['pull', 'push']]
  ])('%s, where the registry still speaks them', async (_name, given, actions) => {
    const registry = await cloud.addRegistry({ region: 'eu-gb', registryTokens: true })
    const { value } = cloud.world.addRegistryToken({ region: 'eu-gb', ...given })
    const answer = await getToken('token', value, [pullPush], registry.host)
    expect(answer.access).toEqual([{ type: 'repository', name: REPOSITORY, actions }])
  })

  it('is refused there once it is revoked or has ended', async () => {
    const registry = await cloud.addRegistry({ region: 'eu-gb', registryTokens: true })
    const token = cloud.world.addRegistryToken({ region: 'eu-gb' })
    expect((await getToken('token', token.value, [], registry.host)).status).toBe(200)
    token.revoked = true
    expect((await getToken('token', token.value, [], registry.host)).status).toBe(401)
    const ended = cloud.world.addRegistryToken({ region: 'eu-gb', expiresAt: cloud.world.now() })
    expect((await getToken('token', ended.value, [], registry.host)).status).toBe(401)
  })
})

describe('an identity', () => {
  it('whose policies are for another region is not let in', async () => {
    const { iamId } = cloud.world.addServiceId()
    const { value } = cloud.world.addApiKey({ iamId })
    cloud.world.addPolicy({ iamId, role: 'Reader', region: 'eu-de' })
    expect(await getToken('iamapikey', value)).toMatchObject({ status: 401 })
    const { host } = await cloud.addRegistry({ region: 'eu-de' })
    expect((await getToken('iamapikey', value, [pull], host)).access).toHaveLength(1)
  })

  it('gets nothing in a region that has no such namespace', async () => {
    const { host } = await cloud.addRegistry({ region: 'eu-de', namespaces: [] })
    expect(await getToken('iamapikey', WRITER_KEY, [pull], host)).toMatchObject({ status: 200, access: [] })
  })

  it('may do in one namespace what it may not in another', async () => {
    const { iamId } = cloud.world.addServiceId()
    const { value } = cloud.world.addApiKey({ iamId })
    cloud.world.addNamespace({ name: 'theirs', region: REGION })
    cloud.world.addPolicy({ iamId, role: 'Writer', namespace: 'theirs' })
    const answer = await getToken('iamapikey', value, [pullPush, 'repository:theirs/app:pull,push'])
    expect(answer.access).toEqual([{ type: 'repository', name: 'theirs/app', actions: ['pull', 'push'] }])
  })

  it('has no rights under a context restriction', async () => {
    Object.assign(cloud.world.accounts[0] ?? {}, { contextRestricted: true })
    expect(await getToken('iamapikey', WRITER_KEY, [pull])).toMatchObject({ status: 200, access: [] })
  })

  it('without credentials sees public images only', async () => {
    cloud.world.addImage({ region: REGION, repository: 'ibm/tool', public: true })
    const ask = async (repository: string): Promise<Answer> =>
      answerOf(await get(`/oauth/token?service=registry&scope=repository:${repository}:pull`))
    expect((await ask('ibm/tool')).access).toHaveLength(1)
    expect((await ask(REPOSITORY)).status).toBe(401)
  })
})

describe('a registry may be told to', () => {
  it.each([
    [403, true as const],
    [401, 401 as const]
  ])('refuse more than may be granted with %s, instead of granting less', async (status, how) => {
    const registry = await addRegistry({ refusesLargerScope: how })
    const more = await getToken('iamapikey', READER_KEY, [pullPush], registry.host)
    expect(more).toMatchObject({
      status,
      text: expect.stringContaining('"DENIED","message":"insufficient scope"')
    })
    const less = await getToken('iamapikey', READER_KEY, [pull], registry.host)
    expect(less).toMatchObject({ status: 200, access: [{ name: REPOSITORY, actions: ['pull'] }] })
    expect((await getToken('iamapikey', WRITER_KEY, [pullPush], registry.host)).status).toBe(200)
  })

  it('give tokens that only it can read', async () => {
    const registry = await addRegistry({ opaqueTokens: true })
    const { token, access } = await getToken('iamapikey', READER_KEY, [pull], registry.host)
    expect([token.split('.').length, access]).toEqual([1, undefined])
    const tags = (bearer: string): Promise<Response> =>
      get(`/v2/${REPOSITORY}/tags/list`, bearer, registry.host)
    expect((await tags(token)).status).toBe(200)
    expect((await tags(`${token}x`)).status).toBe(401)
    cloud.world.ahead = 3600
    expect((await tags(token)).status).toBe(401)
  })

  it('give opaque tokens only where no real registry must read them', async () => {
    const both = { opaqueTokens: true, upstream: 'http://127.0.0.1:9' }
    await expect(addRegistry(both)).rejects.toThrow('cannot read opaque tokens')
  })

  it('give identity tokens, which are good for as long as the secret', async () => {
    const registry = await addRegistry({ identityTokens: true })
    const { refreshToken = '' } = await postToken(
      { grant_type: 'password', username: 'iamapikey', password: READER_KEY, access_type: 'offline' },
      registry.host
    )
    const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, scope: pull }
    expect((await postToken(fields, registry.host)).access).toHaveLength(1)
    cloud.world.apiKeys = []
    expect((await postToken(fields, registry.host)).status).toBe(401)
  })

  it('know GET only', async () => {
    const registry = await addRegistry({ postForm: false })
    expect((await postToken({ grant_type: 'password' }, registry.host)).status).toBe(405)
  })

  it('leave out expires_in', async () => {
    const registry = await addRegistry({ saysLifetime: false })
    expect((await getToken('iamapikey', READER_KEY, [], registry.host)).expiresIn).toBeUndefined()
  })

  it('be on the private network', async () => {
    Object.assign(cloud.world.accounts[0] ?? {}, { privateOnly: true })
    const registry = await addRegistry({ private: true })
    expect((await getToken('iamapikey', READER_KEY, [], registry.host)).status).toBe(200)
  })

  function addRegistry(options: Partial<RegistryOptions>): Promise<Registry> {
    return cloud.addRegistry({ region: 'jp-tok', ...options })
  }
})

describe('a token for some repositories', () => {
  const OTHER = `${NAMESPACE}/other`

  it.each<Form>(['GET', 'POST'])('is one for several scopes, asked for by %s, and no more', async (form) => {
    for (const repository of [OTHER, `${NAMESPACE}/third`])
      cloud.world.addImage({ region: REGION, repository })
    const scopes = [pull, `repository:${OTHER}:pull`]
    const { token, access } = await askForAll(form, WRITER_KEY, scopes)
    expect(access).toEqual(
      [REPOSITORY, OTHER].map((name) => ({ type: 'repository', name, actions: ['pull'] }))
    )
    const asked = [REPOSITORY, OTHER, `${NAMESPACE}/third`].map((name) => get(`/v2/${name}/tags/list`, token))
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 401])
    expect(await startUpload(token)).toBe(401)
  })

  it('adds up what two scopes ask of the same one', async () => {
    const { token } = await askForAll('GET', WRITER_KEY, [pull, `repository:${REPOSITORY}:push`])
    expect((await get(`/v2/${REPOSITORY}/tags/list`, token)).status).toBe(200)
    expect(await startUpload(token)).toBe(404) // let in; but there is no registry behind that takes images
  })

  it('for pushing alone does not list tags', async () => {
    const { token } = await askForAll('GET', WRITER_KEY, [`repository:${REPOSITORY}:push`])
    expect((await get(`/v2/${REPOSITORY}/tags/list`, token)).status).toBe(401)
  })

  it('shows nothing where no policy reaches', async () => {
    const { iamId } = cloud.world.addServiceId()
    cloud.world.addPolicy({ iamId, role: 'Reader', namespace: 'another' })
    const { value } = cloud.world.addApiKey({ iamId })
    const { token } = await askForAll('GET', value, [pull])
    expect((await get(`/v2/${REPOSITORY}/tags/list`, token)).status).toBe(403)
  })

  async function askForAll(form: Form, key: string, scopes: string[]): Promise<Answer> {
    if (form === 'GET') return getToken('iamapikey', key, scopes)
    const body = new URLSearchParams({ service: 'registry', client_id: 'test', grant_type: 'password' })
    body.set('username', 'iamapikey')
    body.set('password', key)
    for (const scope of scopes) body.append('scope', scope)
    return answerOf(await fetch(`http://${cloud.registryHost}/oauth/token`, { method: 'POST', body }))
  }

  async function startUpload(token: string): Promise<number> {
    const headers = { Authorization: `Bearer ${token}` }
    const uploads = `http://${cloud.registryHost}/v2/${REPOSITORY}/blobs/uploads/`
    return (await fetch(uploads, { method: 'POST', headers })).status
  }
})

describe('the token service', () => {
  it('answers 400 to a client that did not trim the challenge', async () => {
    const response = await get('/oauth/token?%20service=registry')
    expect([response.status, await response.text()]).toEqual([400, 'Bad Request'])
  })

  it('sees a secret that a test can look for, inside Basic too', async () => {
    await getToken('iamapikey', WRITER_KEY)
    await postToken({ grant_type: 'password', username: 'iamapikey', password: WRITER_KEY })
    expect(requestsWith(cloud.requests, WRITER_KEY)).toMatchObject([{ method: 'GET' }, { method: 'POST' }])
  })

  it('takes a user’s login, and a writer’s, for what their roles allow', async () => {
    const scope = `repository:${REPOSITORY}:pull,push,delete,*`
    const user = await getToken('iambearer', cloud.accessToken(USER_ID), [scope])
    expect(user.access).toMatchObject([{ actions: ['pull', 'push', 'delete', '*'] }])
    const writer = await getToken('iambearer', cloud.accessToken(WRITER_ID), [scope])
    expect(writer.access).toMatchObject([{ actions: ['pull', 'push', 'delete'] }])
  })
})

function disabledKey(): string {
  return cloud.world.addApiKey({ iamId: `iam-${READER_ID}`, disabled: true }).value
}

function registryToken(): string {
  return cloud.world.addRegistryToken({ region: REGION }).value
}
