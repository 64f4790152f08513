// The stand-in's API keys, asked by IBM's own SDK.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import IamIdentityV1 from '@ibm-cloud/platform-services/iam-identity/v1.js'
import { BearerTokenAuthenticator, IamAssumeAuthenticator, IamAuthenticator } from 'ibm-cloud-sdk-core'
import type { Authenticator } from 'ibm-cloud-sdk-core'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import {
  ACCOUNT_ID,
  OPERATOR_ID,
  OPERATOR_KEY,
  PROFILE_CRN,
  PROFILE_ID,
  PROFILE_NAME,
  READER_ID,
  USER_ID,
  USER_KEY,
  WRITER_ID,
  WRITER_KEY
} from './default-world.ts'
import { readClaims } from './jwt.ts'

const READER = `iam-${READER_ID}`

let cloud: Cloud
let iam: IamIdentityV1

beforeEach(async () => {
  cloud = await startCloud()
  iam = clientFor(withKey(OPERATOR_KEY))
})

afterEach(() => cloud.close())

function withKey(apikey: string): IamAuthenticator {
  return new IamAuthenticator({ apikey, url: cloud.iamUrl })
}

function clientFor(authenticator: Authenticator): IamIdentityV1 {
  return new IamIdentityV1({ authenticator, serviceUrl: cloud.iamUrl })
}

/** As IAM wants it: to the minute, with its own form of UTC. */
function inMinutes(minutes: number): string {
  const milliseconds = Date.now() + (cloud.world.ahead + minutes * 60) * 1000
  return `${new Date(milliseconds).toISOString().slice(0, 16)}+0000`
}

interface Made {
  id: string
  value: string
}

async function make(given: Partial<IamIdentityV1.CreateApiKeyParams> = {}): Promise<Made> {
  const { result } = await iam.createApiKey({ name: 'job', iamId: READER, ...given })
  return { id: result.id, value: result.apikey }
}

/** Two ways to use a key: IAM's token endpoint, and the registry's. */
async function uses(apikey: string): Promise<[number, number]> {
  const grant = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey }
  const body = new URLSearchParams(grant)
  const byIam = await fetch(`${cloud.iamUrl}/identity/token`, { method: 'POST', body })
  const headers = { Authorization: `Basic ${btoa(`iamapikey:${apikey}`)}` }
  const byRegistry = await fetch(`http://${cloud.registryHost}/oauth/token?service=registry`, { headers })
  return [byIam.status, byRegistry.status]
}

const WORKS = [200, 200]
const DEAD = [400, 401]

function refused(status: number, code: string): unknown {
  return expect.objectContaining({
    status,
    result: expect.objectContaining({
      status_code: status,
      trace: expect.any(String),
      context: { transaction_id: expect.any(String) },
      errors: [expect.objectContaining({ message_code: code })]
    })
  })
}

describe('a key that an Operator makes', () => {
  it('is told once, with its value, and works', async () => {
    const expiresAt = inMinutes(10)
    const { status, result } = await iam.createApiKey({
      name: 'job 1',
      iamId: READER,
      accountId: ACCOUNT_ID,
      description: 'for one job',
      storeValue: false,
      actionWhenLeaked: 'delete',
      supportSessions: false,
      expiresAt
    })
    expect(status).toBe(201)
    expect(result).toMatchObject({
      id: expect.stringMatching(/^ApiKey-/),
      apikey: expect.stringMatching(/^[\w-]{44}$/),
      crn: expect.stringContaining(`a/${ACCOUNT_ID}`),
      entity_tag: expect.any(String),
      created_at: expect.stringMatching(/T\d\d:\d\d\+0000$/),
      created_by: `iam-${OPERATOR_ID}`,
      iam_id: READER,
      account_id: ACCOUNT_ID,
      name: 'job 1',
      description: 'for one job',
      action_when_leaked: 'delete',
      locked: false,
      disabled: false,
      expires_at: expiresAt
    })
    expect(await uses(result.apikey)).toEqual(WORKS)
  })

  it('is never told with its value again', async () => {
    const { id, value } = await make()
    const answers = await Promise.all([
      iam.getApiKey({ id }),
      iam.listApiKeys({ iamId: READER }),
      iam.getApiKeysDetails({ iamApiKey: value })
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(JSON.stringify(answers.map(({ result }) => result))).not.toContain(value)
  })

  it('is told with its value by its ID, if that was asked for', async () => {
    const { id, value } = await make({ storeValue: true })
    expect((await iam.getApiKey({ id })).result.apikey).toBe(value)
    expect(JSON.stringify((await iam.listApiKeys({ iamId: READER })).result)).not.toContain(value)
  })

  it('ends when it was told to, by the world’s clock', async () => {
    const { value } = await make({ expiresAt: inMinutes(10) })
    cloud.world.ahead = 8 * 60
    expect(await uses(value)).toEqual(WORKS)
    cloud.world.ahead = 10 * 60
    expect(await uses(value)).toEqual(DEAD)
  })

  it('is known for 90 days after its end', async () => {
    const { id } = await make({ expiresAt: inMinutes(10) })
    cloud.world.ahead = 89 * 24 * 3600
    iam = clientFor(withKey(OPERATOR_KEY))
    expect((await iam.getApiKey({ id })).status).toBe(200)
    cloud.world.ahead = 91 * 24 * 3600
    iam = clientFor(withKey(OPERATOR_KEY))
    await expect(iam.getApiKey({ id })).rejects.toEqual(refused(404, 'BXNIM0415E'))
    expect((await iam.listApiKeys({ iamId: READER })).result.apikeys).toHaveLength(1)
  })

  it('is not known at once where the world is slow', async () => {
    cloud.world.keyDelayMs = 150
    const { value } = await make()
    expect(await uses(value)).toEqual(DEAD)
    await new Promise((resolve) => setTimeout(resolve, 160))
    expect(await uses(value)).toEqual(WORKS)
  })

  it('is dead once it is deleted, and deleted once', async () => {
    const { id, value } = await make()
    expect((await iam.deleteApiKey({ id })).status).toBe(204)
    expect(await uses(value)).toEqual(DEAD)
    await expect(iam.deleteApiKey({ id })).rejects.toEqual(refused(404, 'BXNIM0415E'))
    await expect(iam.getApiKey({ id })).rejects.toEqual(refused(404, 'BXNIM0415E'))
  })

  it('rests while it is disabled', async () => {
    const { id, value } = await make()
    await iam.disableApiKey({ id })
    expect(await uses(value)).toEqual(DEAD)
    expect((await iam.getApiKey({ id })).result.disabled).toBe(true)
    await iam.enableApiKey({ id })
    expect(await uses(value)).toEqual(WORKS)
  })

  it('works while it is locked, and is not deleted', async () => {
    const { id, value } = await make({ entityLock: 'true' })
    await expect(iam.deleteApiKey({ id })).rejects.toEqual(refused(409, 'BXNIM0000E'))
    await expect(iam.disableApiKey({ id })).rejects.toEqual(refused(409, 'BXNIM0000E'))
    expect(await uses(value)).toEqual(WORKS)
    await iam.unlockApiKey({ id })
    await iam.deleteApiKey({ id })
    const other = await make()
    await iam.lockApiKey({ id: other.id })
    expect((await iam.getApiKey({ id: other.id })).result.locked).toBe(true)
  })

  it('may be disabled from the start', async () => {
    expect(await uses((await make({ entityDisable: 'true' })).value)).toEqual(DEAD)
  })

  it('may have a value of the client’s own', async () => {
    const apikey = 'o'.repeat(32)
    expect((await make({ apikey })).value).toBe(apikey)
  })
})

describe('making a key is refused', () => {
  it.each([
    ['with seconds in its end', { expiresAt: '2099-01-01T00:00:00+0000' }],
    ['with Z in its end', { expiresAt: '2099-01-01T00:00Z' }],
    ['with another zone in its end', { expiresAt: '2099-01-01T00:00+0900' }],
    ['on a day that there is not', { expiresAt: '2099-02-30T00:00+0000' }],
    ['with an end that is a number', { expiresAt: 4070908800 as unknown as string }],
    ['with an end that is over', { expiresAt: '2020-01-01T00:00+0000' }],
    ['for nobody', { iamId: 'iam-ServiceId-0' }],
    ['for an ID that is not an IAM ID', { iamId: READER_ID }],
    ['for a profile', { iamId: `iam-${PROFILE_ID}` }],
    ['in another account', { accountId: '0'.repeat(32) }],
    ['with a name that is none', { name: 1 as unknown as string }],
    ['with another word for what to do about a leak', { actionWhenLeaked: 'revoke' }],
    ['with a word where true or false is meant', { storeValue: 'no' as unknown as boolean }],
    ['with a description that is none', { description: 1 as unknown as string }],
    ['with a short value of its own', { apikey: 'short' }]
  ])('%s', async (_what, given) => {
    await expect(make(given)).rejects.toEqual(refused(400, 'BXNIM0000E'))
    expect(cloud.world.apiKeys.filter(({ iamId }) => iamId === READER)).toHaveLength(1)
  })

  it('to those who are no Operator of that service ID', async () => {
    iam = clientFor(withKey(WRITER_KEY))
    await expect(make()).rejects.toEqual(refused(403, 'BXNIM0000E'))
  })

  it('to an Operator of another one', async () => {
    const { iamId } = cloud.world.addServiceId()
    await expect(make({ iamId })).rejects.toEqual(refused(403, 'BXNIM0000E'))
    cloud.world.addOperator(OPERATOR_ID, iamId, 'Administrator')
    expect(await uses((await make({ iamId })).value)).toEqual(WORKS)
  })

  it.each([
    ['no bearer', {}, 'BXNIM0308E'],
    ['a bearer that is none of IAM’s', { Authorization: 'Bearer eyJh.e30.x' }, 'BXNIM0000E']
  ])('to a client with %s', async (_what, headers, code) => {
    const response = await fetch(`${cloud.iamUrl}/v1/apikeys`, { method: 'POST', headers, body: '{}' })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ status_code: 401, errors: [{ message_code: code }] })
  })

  it('to a bearer that has ended', async () => {
    iam = clientFor(new BearerTokenAuthenticator({ bearerToken: cloud.accessToken(OPERATOR_ID, -1) }))
    await expect(make()).rejects.toEqual(refused(401, 'BXNIM0000E'))
  })
})

describe('a user’s keys', () => {
  it('are made by the user alone, twenty at most', async () => {
    await expect(make({ iamId: USER_ID })).rejects.toEqual(refused(403, 'BXNIM0000E'))
    iam = clientFor(withKey(USER_KEY))
    for (let count = 1; count < 20; count += 1) await make({ iamId: USER_ID })
    await expect(make({ iamId: USER_ID })).rejects.toEqual(refused(400, 'BXNIM0000E'))
  })

  it('are not stored', async () => {
    iam = clientFor(withKey(USER_KEY))
    await expect(make({ iamId: USER_ID, storeValue: true })).rejects.toEqual(refused(400, 'BXNIM0000E'))
  })

  it('are not made with a trusted profile’s token; a service ID’s are', async () => {
    cloud.world.addOperator(PROFILE_ID, READER_ID)
    cloud.world.addOperator(PROFILE_ID, USER_ID)
    const assumed = { apikey: USER_KEY, url: cloud.iamUrl, iamProfileId: PROFILE_ID }
    iam = clientFor(new IamAssumeAuthenticator(assumed))
    await expect(make({ iamId: USER_ID })).rejects.toEqual(refused(403, 'BXNIM0000E'))
    expect(await uses((await make()).value)).toEqual(WORKS)
  })
})

describe('the list of keys', () => {
  const names = (result: IamIdentityV1.ApiKeyList): string[] => result.apikeys.map(({ name }) => name)

  async function makeAll(...all: string[]): Promise<void> {
    for (const name of all) await make({ name })
  }

  it('has 20 a page, unless another size is asked for, and leads to the next', async () => {
    await makeAll(...Array.from({ length: 24 }, (_none, index) => `job ${index}`))
    const first = (await iam.listApiKeys({ iamId: READER, accountId: ACCOUNT_ID })).result
    expect(first).toMatchObject({ offset: 0, limit: 20, first: expect.stringContaining('/v1/apikeys?') })
    expect(first.apikeys).toHaveLength(20)
    expect(first.previous).toBeUndefined()
    const next = new URL(first.next ?? '')
    expect([next.origin, next.searchParams.get('iam_id')]).toEqual([cloud.iamUrl, READER])
    const pagetoken = next.searchParams.get('pagetoken') ?? ''
    const second = (await iam.listApiKeys({ iamId: READER, pagetoken })).result
    expect(second).toMatchObject({ offset: 20, previous: expect.any(String) })
    expect(names(second)).toEqual(['job 19', 'job 20', 'job 21', 'job 22', 'job 23'])
    expect(second.next).toBeUndefined()
    expect((await iam.listApiKeys({ iamId: READER, pagesize: 100 })).result.next).toBeUndefined()
  })

  it('is in the order that is asked for', async () => {
    await makeAll('b', 'c', 'a')
    const sorted = async (order: string): Promise<string[]> =>
      names((await iam.listApiKeys({ iamId: READER, sort: 'name', order })).result)
    expect(await sorted('asc')).toEqual(['a', 'b', 'c', 'key'])
    expect(await sorted('desc')).toEqual(['key', 'c', 'b', 'a'])
  })

  it('is of the caller’s own keys, or of all in the account that the caller may see', async () => {
    const own = (await iam.listApiKeys({})).result
    expect(own.apikeys).toMatchObject([{ iam_id: `iam-${OPERATOR_ID}` }])
    const { apikeys } = (await iam.listApiKeys({ scope: 'account', accountId: ACCOUNT_ID })).result
    expect(apikeys.map(({ iam_id }) => iam_id)).toEqual([`iam-${WRITER_ID}`, READER])
    iam = clientFor(withKey(USER_KEY))
    expect((await iam.listApiKeys({ scope: 'account', type: 'user' })).result.apikeys).toHaveLength(1)
    expect((await iam.listApiKeys({ scope: 'account', type: 'serviceid' })).result.apikeys).toEqual([])
  })

  it.each([
    ['with a page that is too large', { pagesize: 101 }, 400],
    ['with an empty page', { pagesize: 0 }, 400],
    ['with a page token of the client’s own', { pagetoken: 'x' }, 400],
    ['in an order that there is not', { sort: 'apikey' }, 400],
    ['of a type that there is not', { type: 'profile' }, 400],
    ['with a filter, whose form is not known', { filter: 'name eq "x"' }, 400],
    ['of another account', { accountId: '0'.repeat(32) }, 403]
  ])('is refused %s', async (_what, given, status) => {
    await expect(iam.listApiKeys({ iamId: READER, ...given })).rejects.toEqual(refused(status, 'BXNIM0000E'))
  })

  it('is refused to those who may not see it', async () => {
    iam = clientFor(withKey(WRITER_KEY))
    await expect(iam.listApiKeys({ iamId: READER })).rejects.toEqual(refused(403, 'BXNIM0000E'))
  })
})

describe('a trusted profile', () => {
  it.each([
    ['ID', { iamProfileId: PROFILE_ID }],
    ['CRN', { iamProfileCrn: PROFILE_CRN }],
    ['name and account', { iamProfileName: PROFILE_NAME, iamAccountId: ACCOUNT_ID }]
  ])('is what the deployer becomes, by its %s', async (_name, which) => {
    const options: { headers: { Authorization?: string } } = { headers: {} }
    const assumed = new IamAssumeAuthenticator({ apikey: OPERATOR_KEY, url: cloud.iamUrl, ...which })
    await assumed.authenticate(options)
    expect(readClaims(options.headers.Authorization ?? '')).toMatchObject({
      iam_id: `iam-${PROFILE_ID}`,
      sub: PROFILE_ID,
      sub_type: 'Profile',
      account: { bss: ACCOUNT_ID },
      grant_type: 'urn:ibm:params:oauth:grant-type:assume'
    })
  })

  it('is not found by its name in no account, or in another one', async () => {
    const ask = (account: Record<string, string>): Promise<Response> => {
      const fields = { access_token: cloud.accessToken(OPERATOR_ID), profile_name: PROFILE_NAME, ...account }
      const body = new URLSearchParams({ grant_type: 'urn:ibm:params:oauth:grant-type:assume', ...fields })
      return fetch(`${cloud.iamUrl}/identity/token`, { method: 'POST', body })
    }
    expect((await ask({})).status).toBe(400)
    expect((await ask({ account: '0'.repeat(32) })).status).toBe(400)
    expect((await ask({ account: ACCOUNT_ID })).status).toBe(200)
  })
})
