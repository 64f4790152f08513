// What IAM is asked, and what its answers are taken for.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { TrustedProfile } from '../../../src/credential/credential.ts'
import { RefusedError } from '../../../src/errors/user-error.ts'
import type { Reply } from '../../../src/http/client.ts'
import {
  accountOf,
  assumeProfile,
  exchangeApiKey,
  exchangeComputeToken,
  readAccessToken
} from '../../../src/iam/client.ts'
import { startCloud, type Cloud } from '../../cloud/cloud.ts'
import {
  ACCOUNT_ID,
  PROFILE_CRN,
  PROFILE_ID,
  PROFILE_NAME,
  READER_ID,
  READER_KEY,
  USER_ID,
  USER_KEY
} from '../../cloud/default-world.ts'
import { resetFault, statusFault } from '../../cloud/faults.ts'
import { requestsWith } from '../../cloud/recorder.ts'
import { makeContext } from '../support/context.ts'
import { useOwnEnvironment } from '../support/environment.ts'
import { startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const PROFILES: TrustedProfile[] = [
  { by: 'id', value: PROFILE_ID },
  { by: 'crn', value: PROFILE_CRN },
  { by: 'name', value: PROFILE_NAME }
]

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(() => cloud.close())

describe('a token', () => {
  test('comes for an API key, masked, with its end', async () => {
    const context = makeContext()
    const { token, expiresAt: end } = await exchangeApiKey(cloud.iamUrl, READER_KEY, context)
    expect(context.masks).toEqual([token])
    expect(accountOf(token)).toBe(ACCOUNT_ID)
    const left = (end?.getTime() ?? 0) - Date.now()
    expect(left).toBeGreaterThan(3_000_000)
    expect(left).toBeLessThanOrEqual(3_600_000)
    expect(requestsWith(cloud.requests, READER_KEY)).toHaveLength(1)
    expect(cloud.requests[0]?.query).toBe('')
  })

  test.each(PROFILES)('comes for what lies in a pod, as the trusted profile by its $by', async (profile) => {
    const context = makeContext()
    const { token } = await exchangeComputeToken(cloud.iamUrl, cloud.crToken, profile, context)
    expect(context.masks).toEqual([token])
    expect(cloud.requests).toMatchObject([{ method: 'POST', path: '/identity/token', status: 200 }])
  })

  test.each(PROFILES)('comes for another token, as the trusted profile by its $by', async (profile) => {
    const own = cloud.accessToken(READER_ID)
    const { token } = await assumeProfile(cloud.iamUrl, own, profile, makeContext())
    expect([token === own, accountOf(token)]).toEqual([false, ACCOUNT_ID])
  })

  test('comes in spite of a fault or two', async () => {
    cloud.faults.push({ service: 'iam', times: 1, fault: resetFault() })
    cloud.faults.push({ service: 'iam', times: 1, fault: statusFault(429, { 'Retry-After': '1' }) })
    const context = makeContext()
    await exchangeApiKey(cloud.iamUrl, READER_KEY, context)
    expect([cloud.requests.length, context.sleeps.length]).toEqual([3, 2])
    expect(context.sleeps[1]).toBeGreaterThanOrEqual(1000)
  })
})

describe('a refusal', () => {
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    const error: unknown = await work.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RefusedError)
    return await userError(work)
  }

  test.each<[string, (cloud: Cloud) => Promise<unknown>, RegExp]>([
    [
      'of an unknown key',
      ({ iamUrl }) => exchangeApiKey(iamUrl, 'x'.repeat(44), makeContext()),
      /the API key \(400\): IAM does not know/
    ],
    [
      'of a disabled key',
      ({ iamUrl, world }) => {
        for (const key of world.apiKeys) key.disabled = true
        return exchangeApiKey(iamUrl, READER_KEY, makeContext())
      },
      /The API key is disabled/
    ],
    [
      'of a user who needs a second factor',
      ({ iamUrl, world }) => {
        Object.assign(world.identity(USER_ID) ?? {}, { mfa: true })
        return exchangeApiKey(iamUrl, USER_KEY, makeContext())
      },
      /second factor \(MFA\)/
    ],
    [
      'of a profile that does not trust the pod',
      ({ iamUrl, world, crToken }) => {
        Object.assign(world.identity(PROFILE_ID) ?? {}, { trusts: [] })
        return exchangeComputeToken(iamUrl, crToken, { by: 'id', value: PROFILE_ID }, makeContext())
      },
      /refused the trusted profile \(400\)/
    ],
    [
      'of an assumed profile that does not exist',
      ({ iamUrl, accessToken }) =>
        assumeProfile(iamUrl, accessToken(READER_ID), { by: 'name', value: 'nobody' }, makeContext()),
      /refused the trusted profile \(400\)/
    ]
  ])('%s says so in IAM’s terms, and is not tried again', async (_, work, words) => {
    expect(await refusal(work(cloud))).toMatch(words)
    expect(cloud.requests.filter(({ path }) => path === '/identity/token')).toHaveLength(1)
  })

  test.each([
    [{ errorCode: 'BXNIM0106E', errorMessage: 'wat' }, 'It said: BXNIM0106E: wat'],
    [{ errorCode: 'BXNIM0415E' }, 'It said: BXNIM0415E'],
    [{ errorMessage: `no ${READER_KEY}` }, '(not shown: the answer repeats the secret)'],
    [
      { errors: [{ message_code: 'BXNIM0308E', message: 'No authorization header found' }] },
      'without its Authorization'
    ],
    [{ errors: [{ code: 'x', message: 'y' }, 7] }, 'It said: x: y'],
    [{ errorCode: 7, errorMessage: ['x'], errors: {} }, 'The credential was refused.']
  ])('of %j is read as far as it can be', async (body, words) => {
    const server = await startServer({ status: 400, body: JSON.stringify(body) })
    const message = await refusal(exchangeApiKey(`http://${server.host}`, READER_KEY, makeContext()))
    expect(message).toContain(words)
    expect(message).not.toContain(READER_KEY)
  })
})

describe('an answer', () => {
  const now = Date.now()
  const context = { ...makeContext(), now: () => now }
  const read = (body: unknown): unknown => {
    const reply: Reply = { status: 200, headers: {}, body: JSON.stringify(body) }
    return readAccessToken(reply, context).expiresAt
  }
  const jwt = (claims: unknown): string =>
    ['{"alg":"none"}', JSON.stringify(claims), 'x']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.')

  test.each<[string, object, Date | undefined]>([
    ['its own exp', { access_token: jwt({ exp: 2e9 }), expiration: 1, expires_in: 1 }, new Date(2e12)],
    ['expiration', { access_token: 'opaque', expiration: 1_900_000_000, expires_in: 1 }, new Date(1.9e12)],
    ['expires_in', { access_token: 'opaque', expires_in: 3600 }, new Date(now + 3_600_000)],
    ['nothing', { access_token: 'opaque' }, undefined],
    ['a time that no Date can hold', { access_token: 'opaque', expiration: 1e300 }, undefined],
    ['a span that no Date can hold', { access_token: 'opaque', expires_in: 1e300 }, undefined],
    ['texts', { access_token: jwt({ exp: '2e9' }), expiration: 'x', expires_in: '3600' }, undefined]
  ])('ends when %s says', (_, body, end) => {
    expect(read(body)).toEqual(end)
  })

  test.each([{}, { access_token: '' }, { access_token: 7 }, { token: 'x' }, []])(
    '%j has no token',
    (body) => {
      expect(() => read(body)).toThrow(/without/)
    }
  )
})
