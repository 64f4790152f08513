// The handshake that docker login does, done by ourselves: to whom the secret goes, and what each refusal is called.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Credential } from '../../../src/credential/credential.ts'
import { RefusedError } from '../../../src/errors/user-error.ts'
import { verifyCredential, exchange } from '../../../src/registry/client.ts'
import { parseErrors } from '../../../src/errors/known-messages.ts'
import { startCloud, type Cloud } from '../../cloud/cloud.ts'
import { PROFILE_ID, READER_ID, READER_KEY, USER_KEY, WRITER_KEY } from '../../cloud/default-world.ts'
import { resetFault, statusFault } from '../../cloud/faults.ts'
import { requestsWith } from '../../cloud/recorder.ts'
import { makeContext } from '../support/context.ts'
import { useOwnEnvironment } from '../support/environment.ts'
import { startServer, type Answer, type Server } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const KEY: Credential = { username: 'iamapikey', secret: READER_KEY }

describe('a registry of IBM Cloud', () => {
  let cloud: Cloud

  beforeEach(async () => {
    cloud = await startCloud()
  })

  afterEach(() => cloud.close())

  const check = async (credential: Credential = KEY, context = makeContext()): Promise<unknown> => {
    await verifyCredential(cloud.registryHost, credential, context)
    return 'taken'
  }
  const account = (changes: object): void => {
    Object.assign(cloud.world.accounts[0] ?? {}, changes)
  }

  test.each<[string, (cloud: Cloud) => string]>([
    ['iamapikey', () => WRITER_KEY],
    ['iambearer', ({ accessToken }) => accessToken(READER_ID)],
    ['iamrefresh', ({ refreshToken }) => refreshToken(READER_ID)],
    [PROFILE_ID, () => WRITER_KEY]
  ])('takes the credential of %s, by ping, challenge, token and ping', async (username, secretOf) => {
    const secret = secretOf(cloud)
    const context = makeContext()
    await check({ username, secret }, context)
    expect(cloud.requests.map(({ method, path, status }) => [method, path, status])).toEqual([
      ['GET', '/v2/', 401],
      ['GET', '/oauth/token', 200],
      ['GET', '/v2/', 200]
    ])
    const query = new URLSearchParams(cloud.requests[1]?.query)
    expect(Object.fromEntries(query)).toEqual({
      account: username,
      client_id: 'icr-login',
      service: 'registry'
    })
    // The secret goes in one header of one request; the registry's token is masked.
    expect(requestsWith(cloud.requests, secret)).toEqual([cloud.requests[1]])
    const bearer = (cloud.requests[2]?.headers['authorization'] ?? '').replace('Bearer ', '')
    expect(context.masks).toEqual([bearer])
  })

  test('takes a registry token where it still speaks those', async () => {
    const { host, region } = await cloud.addRegistry({ registryTokens: true })
    const { value } = cloud.world.addRegistryToken({ region })
    await expect(
      verifyCredential(host, { username: 'token', secret: value }, makeContext())
    ).resolves.toBeUndefined()
  })

  test.each<[string, Credential, RegExp]>([
    [
      'a key that does not exist',
      { ...KEY, secret: 'x'.repeat(44) },
      /\(401\): The secret is wrong for this registry/
    ],
    [
      'a key given as a token',
      { ...KEY, username: 'iambearer' },
      /\(400\): The secret is wrong for this registry/
    ],
    ['a registry token of today', { username: 'token', secret: 'x.y.z' }, /\(401\): The secret is wrong/],
    [
      'a user name that it does not know',
      { ...KEY, username: 'me' },
      /\(401\): The registry does not know this kind/
    ],
    ['a user’s key for a profile', { username: PROFILE_ID, secret: USER_KEY }, /\(401\): The secret is wrong/]
  ])('refuses %s at once, and the error says why', async (_, credential, cause) => {
    const error: unknown = await check(credential).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RefusedError)
    const message = await userError(check(credential))
    expect(message).toMatch(new RegExp(`^${cloud.registryHost} refused the login as ${credential.username} `))
    expect(message).toMatch(cause)
    expect(message).not.toContain(credential.secret)
    expect(cloud.requests.filter(({ path }) => path === '/oauth/token')).toHaveLength(2)
  })

  test.each<[string, object, RegExp]>([
    ['is not active', { active: false }, /account is not active/],
    [
      'is private only',
      { privateOnly: true },
      /\(403\): The account takes requests from the private network alone/
    ],
    ['has a list of addresses', { allowedIps: ['10.0.0.1'] }, /an IP rule applies/]
  ])('of an account that %s says so', async (_, changes, cause) => {
    account(changes)
    expect(await userError(check())).toMatch(cause)
  })

  test('of another region than the identity’s says so', async () => {
    const { host } = await cloud.addRegistry({ region: 'eu-de' })
    cloud.world.policies = cloud.world.policies.map((policy) => ({ ...policy, region: 'us-south' }))
    expect(await userError(verifyCredential(host, KEY, makeContext()))).toMatch(/wrong region/)
  })

  test('with a disabled key says so', async () => {
    for (const key of cloud.world.apiKeys) key.disabled = true
    expect(await userError(check())).toMatch(/the key may be disabled or locked/)
  })

  test('that stumbles at each step is asked again', async () => {
    cloud.faults.push({ service: 'registry', path: '/v2/', times: 1, fault: statusFault(503) })
    cloud.faults.push({ service: 'registry', path: '/oauth/token', times: 1, fault: resetFault() })
    cloud.faults.push({ service: 'registry', path: '/oauth/token', times: 1, fault: statusFault(200) })
    expect(await check()).toBe('taken')
  })
})

describe('who is not the registry', () => {
  /** Answers `/v2/` with this challenge; anything that comes after it is recorded. */
  async function challengeWith(
    header: string | string[] | ((host: string) => string),
    status = 401
  ): Promise<Server> {
    const answer = ({ headers }: { headers: NodeJS.Dict<string | string[]> }): Answer => {
      const text = typeof header === 'function' ? header(String(headers['host'])) : header
      return { status, headers: { 'www-authenticate': text } }
    }
    return await startServer(answer, { body: '{"token":"x"}' })
  }

  const refuse = async (server: Server, tries = 1): Promise<string> => {
    const message = await userError(verifyCredential(server.host, KEY, makeContext()))
    expect(server.received.map(({ url, headers }) => [url, headers['authorization']])).toEqual(
      Array(tries).fill(['/v2/', undefined])
    )
    return message
  }

  test.each<[string, (other: string, host: string) => string]>([
    ['another server', (other) => `http://${other}/token`],
    ['another port of this one', (_, host) => `http://${host.replace(/\d+$/, '1')}/token`],
    ['this one in https', (_, host) => `https://${host}/token`],
    ['this one by another name', (_, host) => `http://${host.replace('127.0.0.1', 'localhost')}/token`],
    ['a user at this one', (_, host) => `http://me@${host}/token`],
    ['a user and password at this one', (_, host) => `http://me:too@${host}/token`],
    ['this one as the user of another', (other, host) => `http://${host}@${other}/token`],
    ['a path alone', () => '/token'],
    ['two slashes and another', (other) => `//${other}/token`],
    ['a file', () => 'file:///etc/passwd'],
    ['no URL', () => 'token'],
    ['nothing', () => ''],
    ['a line of a command', () => '::error::x'],
    ['a hidden command', () => '##[add-mask]x']
  ])('a realm of %s gets no secret', async (_, realmOf) => {
    const other = await startServer({ body: '{"token":"x"}' })
    const message = await refuse(
      await challengeWith((host) => `Bearer realm="${realmOf(other.host, host)}",service="registry"`)
    )
    expect(message).toContain('asks for the secret to be sent elsewhere')
    expect(message).not.toMatch(/##\[|^::/m)
    expect(other.received).toEqual([])
  })

  test('no realm at all gets no secret', async () => {
    expect(await refuse(await challengeWith('Bearer service="registry"'))).toContain('elsewhere: no realm')
  })

  test.each<[string, string | string[]]>([
    ['Basic', 'Basic realm="registry"'],
    ['Negotiate', 'Negotiate'],
    ['two challenges', 'Bearer realm="http://127.0.0.1/token", Basic realm="registry"'],
    ['two headers', ['Bearer realm="http://127.0.0.1/token"', 'Basic realm="x"']],
    ['no challenge', ''],
    ['half a challenge', 'Bearer realm="http://127'],
    ['a realm that stands twice', 'Bearer realm="http://127.0.0.1/a",realm="http://127.0.0.1/b"']
  ])('%s gets no secret', async (_, header) => {
    expect(await refuse(await challengeWith(header))).toContain(
      'does not answer like a registry of IBM Cloud: 401'
    )
  })

  // A captive portal may be gone the next time, so that a 200 is asked for again.
  test.each([
    [200, 4],
    [403, 1],
    [404, 1],
    [401, 1]
  ])(
    'a %i without a challenge gets no secret, and a 200 to everything is no login',
    async (status, tries) => {
      const server = await startServer({ status, body: '{"token":"x"}' })
      expect(await refuse(server, tries)).toContain(`like a registry of IBM Cloud: ${status} instead of 401`)
    }
  )

  test('a 200 with a challenge gets no secret', async () => {
    const server = await challengeWith((host) => `Bearer realm="http://${host}/t"`, 200)
    expect(await refuse(server, 4)).toContain(': 200 instead')
  })

  const realm = (host: unknown): Record<string, string> => ({
    'www-authenticate': `Bearer realm="http://${String(host)}/oauth/token?keep=1", service="registry"`
  })
  const answers = (token: Answer, last: Answer = { body: '{}' }) =>
    startServer(({ headers }) => ({ status: 401, headers: realm(headers['host']) }), token, last)

  test('a realm’s own query is kept', async () => {
    const server = await answers({ body: '{"token":"t"}' })
    await verifyCredential(server.host, KEY, makeContext())
    expect(server.received[1]?.url).toBe(
      '/oauth/token?keep=1&account=iamapikey&client_id=icr-login&service=registry'
    )
  })

  test('a token may be called access_token', async () => {
    const server = await answers({ body: '{"access_token":"t"}' })
    await verifyCredential(server.host, KEY, makeContext())
    expect(server.received[2]?.headers['authorization']).toBe('Bearer t')
  })

  test.each(['{}', '{"token":""}', '{"token":7}', '{"token":null,"access_token":[]}'])(
    'a token of %s is none, and is asked for again',
    async (body) => {
      const server = await answers({ body }, { body: '{"token":"t"}' })
      await verifyCredential(server.host, KEY, makeContext())
      expect(server.received.map(({ url }) => url.split('?')[0])).toEqual([
        '/v2/',
        '/oauth/token',
        '/oauth/token',
        '/v2/'
      ])
    }
  )

  // The distribution's token specification: "If omitted, this defaults to 60 seconds."
  test.each([
    ['300', 300],
    ['0.5', 0.5],
    ['"300"', 60],
    ['null', 60],
    ['1e300', 60]
  ])('a token that is said to last %s seconds lasts %d', async (seconds, lasts) => {
    const server = await answers({ body: `{"token":"t","expires_in":${seconds}}` })
    const { issuedAt: start, expiresAt: end } = await exchange(server.host, KEY, [], makeContext())
    expect(end.getTime() - start.getTime()).toBe(lasts * 1000)
  })

  test.each([401, 403, 404])(
    'a token that the registry itself answers with %i is no login',
    async (status) => {
      const server = await answers({ body: '{"token":"t"}' }, { status })
      expect(await userError(verifyCredential(server.host, KEY, makeContext()))).toContain(
        `${server.host} refused the login as iamapikey (${status})`
      )
    }
  )

  test.each<[string, Answer, RegExp]>([
    ['a 403 without a word', { status: 403 }, /\(403\): The registry forbids this to the identity/],
    ['a 400 without a word', { status: 400 }, /\(400\): The user name and the secret do not belong together/],
    ['a 401 without a word', { status: 401 }, /\(401\): The credential was refused/],
    ['a 400 in plain text', { status: 400, body: 'Bad Request' }, /\(400\): The user name and the secret/],
    [
      'a message of its own',
      { status: 401, body: '{"errors":[{"code":"X","message":"wat"}]}' },
      /It said: X: wat/
    ]
  ])('%s is answered with what is known', async (_, answer, words) => {
    const server = await answers(answer)
    expect(await userError(verifyCredential(server.host, KEY, makeContext()))).toMatch(words)
    expect(server.received).toHaveLength(2)
  })

  test.each([
    ['as it is', READER_KEY],
    ['in Basic', btoa(`iamapikey:${READER_KEY}`)],
    ['in part', READER_KEY.slice(5, 25)]
  ])(
    'a refusal that repeats the secret %s is not shown, of the token service or of the registry',
    async (_, echo) => {
      const refusal = {
        status: 401,
        body: JSON.stringify({ errors: [{ code: 'X', message: `no ${echo}` }] })
      }
      for (const server of [
        await answers(refusal),
        await answers({ body: '{"token":"t-o-k-e-n"}' }, refusal)
      ]) {
        const message = await userError(verifyCredential(server.host, KEY, makeContext()))
        expect(message).toContain('(not shown: the answer repeats the secret)')
        expect(message).not.toContain(echo)
      }
    }
  )
})

describe('an error body', () => {
  test.each([
    ['{"errors":[{"code":"DENIED","message":"insufficient scope"}]}', 'DENIED: insufficient scope'],
    ['{"errors":[{"code":"A","message":"a"},{"message":"b"},{"code":"C"}]}', 'A: a; b; C'],
    ['{"code":"CRG0009E","message":"not yours","request-id":"1"}', 'CRG0009E: not yours'],
    ['{"errors":[]}', ''],
    ['{"errors":["x",null,7]}', ''],
    ['{"errors":"x"}', ''],
    ['{}', ''],
    ['[]', ''],
    ['<html>', ''],
    ['', '']
  ])('%s says: %s', (body, said) => {
    expect(parseErrors(body)).toBe(said)
  })
})
