// The stand-in's registry-token API, asked as bluemix-go asked it: everything in the query and in headers.
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import {
  ACCOUNT_ID,
  NAMESPACE,
  OPERATOR_ID,
  READER_ID,
  REGION,
  REPOSITORY,
  USER_ID
} from './default-world.ts'
import { readClaims } from './jwt.ts'

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud({ registry: { registryTokens: true } })
})

afterEach(() => cloud.close())

interface Answer {
  status: number
  body: {
    token?: string
    tokens?: Record<string, unknown>[]
    code?: string
    message?: string
    'request-id'?: string
  }
}

function headersOf(identityId: string, account = ACCOUNT_ID): Record<string, string> {
  return { Authorization: `Bearer ${cloud.accessToken(identityId)}`, Account: account }
}

async function ask(
  method: string,
  rest = '',
  headers = headersOf(OPERATOR_ID),
  host = cloud.registryHost
): Promise<Answer> {
  const response = await fetch(`http://${host}/api/v1/tokens${rest}`, { method, headers })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) }
}

async function issue(query = '?description=job&permanent=false&write=false'): Promise<string> {
  const { status, body } = await ask('POST', query)
  expect(status).toBe(200)
  return body.token ?? ''
}

const idOf = (token: string): string => String(readClaims(token)['jti'])

/** What the holder of the token may do with a repository; or the status of the refusal. */
async function granted(token: string, repository = REPOSITORY): Promise<unknown> {
  const headers = { Authorization: `Basic ${btoa(`token:${token}`)}` }
  const scope = `service=registry&scope=repository:${repository}:pull,push`
  const response = await fetch(`http://${cloud.registryHost}/oauth/token?${scope}`, { headers })
  if (!response.ok) return response.status
  const { token: bearer } = (await response.json()) as { token: string }
  const access = readClaims(bearer)['access'] as { actions: string[] }[]
  return access[0]?.actions
}

describe('a registry token', () => {
  it('is a JWT by HS256, from the host that was asked, for 24 hours, and pulls', async () => {
    const token = await issue()
    const head: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
    expect(head).toEqual({ alg: 'HS256', typ: 'JWT' })
    const { jti, iss, exp } = readClaims(token)
    expect([jti, iss]).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), cloud.registryHost])
    expect(Math.abs(Number(exp) - cloud.world.now() - 24 * 3600)).toBeLessThan(5)
    expect(await granted(token)).toEqual(['pull'])
    cloud.world.ahead = 24 * 3600 + 5
    expect(await granted(token)).toBe(401)
  })

  it('pushes if it was asked to, and ends never if it was asked to', async () => {
    const token = await issue('?permanent=true&write=false&write=true')
    expect(readClaims(token)['exp']).toBeUndefined()
    cloud.world.ahead = 365 * 24 * 3600
    expect(await granted(token)).toEqual(['pull', 'push'])
  })

  it('is for all namespaces of the account in its region, whatever policies say', async () => {
    const token = await issue('')
    cloud.world.policies = []
    cloud.world.addNamespace({ name: 'another', region: REGION })
    cloud.world.addNamespace({ name: 'theirs', region: REGION, accountId: cloud.world.addAccount().id })
    expect(await granted(token, `${NAMESPACE}/any`)).toEqual(['pull'])
    expect(await granted(token, 'another/any')).toEqual(['pull'])
    expect(await granted(token, 'theirs/any')).toBeUndefined()
    const other = await cloud.addRegistry({ region: 'eu-de', registryTokens: true })
    const headers = { Authorization: `Basic ${btoa(`token:${token}`)}` }
    expect((await fetch(`http://${other.host}/oauth/token`, { headers })).status).toBe(401)
  })

  it('is listed and read again', async () => {
    const token = await issue('?description=one job')
    const { tokens } = (await ask('GET')).body
    expect(tokens).toEqual([
      {
        _id: idOf(token),
        owner: ACCOUNT_ID,
        token,
        secondary_owner: 'one job',
        readonly: true,
        revoked: false,
        expiry: readClaims(token)['exp']
      }
    ])
    expect((await ask('GET', `/${idOf(token)}`)).body.token).toBe(token)
  })

  it('is removed by its ID, once', async () => {
    const [one, other] = [await issue(), await issue()]
    expect((await ask('DELETE', `/${idOf(one)}`)).status).toBe(200)
    expect([await granted(one), await granted(other)]).toEqual([401, ['pull']])
    expect((await ask('DELETE', `/${idOf(one)}`)).status).toBe(404)
    expect((await ask('GET', `/${idOf(one)}`)).status).toBe(404)
    expect((await ask('GET')).body.tokens).toHaveLength(1)
  })

  it('is removed by its description, with all that have the same', async () => {
    const [one, two, other] = [await issue(), await issue(), await issue('?description=other')]
    expect((await ask('DELETE', '?secondaryOwner=job')).status).toBe(200)
    expect([await granted(one), await granted(two), await granted(other)]).toEqual([401, 401, ['pull']])
    expect((await ask('DELETE', '?secondaryOwner=job')).status).toBe(200)
    expect((await ask('DELETE')).status).toBe(400)
  })
})

describe('the registry-token API refuses', () => {
  const account = createHash('md5').update('another').digest('hex')

  it.each([
    ['another account', (): object => headersOf(OPERATOR_ID, account), 401, 'CRG0009E'],
    ['no account', (): object => ({ ...headersOf(OPERATOR_ID), Account: '' }), 401, 'CRG0009E'],
    ['no bearer', (): object => ({ Account: ACCOUNT_ID }), 401, 'CRG0000E'],
    ['an identity that is no Administrator', (): object => headersOf(READER_ID), 403, 'CRG0000E']
  ])('%s', async (_what, headers, status, code) => {
    const answer = await ask('POST', '', headers() as Record<string, string>)
    expect(answer).toMatchObject({
      status,
      body: { code, message: expect.any(String), 'request-id': expect.any(String) }
    })
    expect(cloud.world.registryTokens).toEqual([])
  })

  it('nobody who is an Administrator', async () => {
    expect((await ask('POST', '', headersOf(USER_ID))).status).toBe(200)
    cloud.world.addRegistryAdministrator(READER_ID)
    expect((await ask('POST', '', headersOf(READER_ID))).status).toBe(200)
  })

  it('another account’s tokens', async () => {
    const token = cloud.world.addRegistryToken({ region: REGION, accountId: account, description: 'job' })
    expect((await ask('GET')).body.tokens).toEqual([])
    expect((await ask('DELETE', `/${token.id}`)).status).toBe(404)
    await ask('DELETE', '?secondaryOwner=job')
    expect(cloud.world.registryTokens).toEqual([token])
  })

  it('calls that there are not', async () => {
    expect((await ask('PUT')).status).toBe(404)
    expect((await ask('GET', '/a/b')).status).toBe(404)
  })

  it('to make any more, in the words of IBM’s CLI, where it was ended', async () => {
    const { host } = await cloud.addRegistry({ region: 'eu-gb' })
    const answer = await ask('POST', '?description=x', headersOf(OPERATOR_ID), host)
    expect(answer).toMatchObject({
      status: 410,
      body: { message: expect.stringMatching(/^The creation of registry tokens is discontinued\./) }
    })
    expect((await ask('GET', '', headersOf(OPERATOR_ID), host)).status).toBe(404)
  })

  it('by a plain 404, where nothing is left of it', async () => {
    const { host } = await cloud.addRegistry({ region: 'eu-gb', registryTokenApi: 'missing' })
    expect(await ask('POST', '', headersOf(OPERATOR_ID), host)).toEqual({ status: 404, body: {} })
  })
})
