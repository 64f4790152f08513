// The stand-in's IAM and metadata service, asked by IBM's own SDK.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import IamIdentityV1 from '@ibm-cloud/platform-services/iam-identity/v1.js'
import {
  ContainerAuthenticator,
  IamAssumeAuthenticator,
  IamAuthenticator,
  VpcInstanceAuthenticator
} from 'ibm-cloud-sdk-core'
import type { Authenticator } from 'ibm-cloud-sdk-core'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import {
  ACCOUNT_ID,
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
import { requestsWith } from './recorder.ts'

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(() => cloud.close())

/** What the SDK would send to a service: the claims of its bearer token. */
async function claimsFrom(authenticator: Authenticator): Promise<Record<string, unknown>> {
  const options: { headers: { Authorization?: string } } = { headers: {} }
  await authenticator.authenticate(options)
  return readClaims(options.headers.Authorization?.replace('Bearer ', '') ?? '')
}

function withKey(apikey: string): IamAuthenticator {
  return new IamAuthenticator({ apikey, url: cloud.iamUrl })
}

interface TokenBody {
  access_token: string
  refresh_token: string
  expires_in: number
  errorCode: string
}

async function askToken(
  fields: Record<string, string>,
  client?: string
): Promise<{ status: number; body: TokenBody }> {
  const headers: Record<string, string> =
    client === undefined ? {} : { Authorization: `Basic ${btoa(client)}` }
  const body = new URLSearchParams(fields)
  const response = await fetch(`${cloud.iamUrl}/identity/token`, { method: 'POST', headers, body })
  return { status: response.status, body: (await response.json()) as TokenBody }
}

const byKey = (apikey: string): Record<string, string> => ({
  grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
  apikey
})
const byRefresh = (token: string): Record<string, string> => ({
  grant_type: 'refresh_token',
  refresh_token: token
})

describe('an API key', () => {
  it('becomes an access token of its service ID', async () => {
    const claims = await claimsFrom(withKey(WRITER_KEY))
    expect(claims).toMatchObject({
      iam_id: `iam-${WRITER_ID}`,
      sub: WRITER_ID,
      sub_type: 'ServiceId',
      account: { bss: ACCOUNT_ID },
      grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
      scope: 'ibm openid',
      client_id: 'default'
    })
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(3600)
  })

  it('of a user gives a token of the user', async () => {
    expect(await claimsFrom(withKey(USER_KEY))).toMatchObject({ iam_id: USER_ID, realmid: 'IBMid' })
  })

  it('gives a token that ends earlier where the account says so', async () => {
    const [account] = cloud.world.accounts
    if (account) account.accessTokenSeconds = 900
    expect((await askToken(byKey(WRITER_KEY))).body.expires_in).toBe(900)
  })

  it.each([
    ['that is unknown is BXNIM0415E', (): string => `${WRITER_KEY}x`, 'BXNIM0415E'],
    ['that is disabled is BXNIM0462E', (): string => addKey({ disabled: true }), 'BXNIM0462E'],
    ['that has ended is BXNIM0415E', (): string => addKey({ expiresAt: cloud.world.now() }), 'BXNIM0415E']
  ])('%s', async (_name, key, code) => {
    await expect(claimsFrom(withKey(key()))).rejects.toMatchObject({
      status: 400,
      result: {
        errorCode: code,
        context: { requestType: 'incoming.Identity_Token', requestId: expect.any(String) }
      },
      headers: expect.objectContaining({ 'transaction-id': expect.any(String) })
    })
  })

  it('of a user who needs a second factor is BXNIM0400E, with what is required', async () => {
    const user = cloud.world.addUser({ mfa: true })
    const { value } = cloud.world.addApiKey({ iamId: user.iamId })
    await expect(claimsFrom(withKey(value))).rejects.toMatchObject({
      result: { errorCode: 'BXNIM0400E', requirements: { code: expect.any(String) } }
    })
  })

  it('has details for those who are logged in, without its value', async () => {
    const iam = new IamIdentityV1({ authenticator: withKey(WRITER_KEY), serviceUrl: cloud.iamUrl })
    const { result } = await iam.getApiKeysDetails({ iamApiKey: WRITER_KEY })
    expect(result).toMatchObject({
      iam_id: `iam-${WRITER_ID}`,
      account_id: ACCOUNT_ID,
      disabled: false,
      locked: false
    })
    expect(JSON.stringify(result)).not.toContain(WRITER_KEY)
  })

  it('has no details for others', async () => {
    const response = await fetch(`${cloud.iamUrl}/v1/apikeys/details`, {
      headers: { 'IAM-ApiKey': WRITER_KEY }
    })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ errors: [{ message_code: 'BXNIM0308E' }] })
  })

  function addKey(given: { disabled?: boolean; expiresAt?: number }): string {
    return cloud.world.addApiKey({ iamId: `iam-${WRITER_ID}`, ...given }).value
  }
})

describe('a refresh token', () => {
  it('is not given to a client that does not say who it is', async () => {
    expect((await askToken(byKey(WRITER_KEY))).body.refresh_token).toBe('not_supported')
  })

  it('is given to the CLI, and makes a new access token for the CLI alone', async () => {
    const { refresh_token: token } = (await askToken(byKey(WRITER_KEY), 'bx:bx')).body
    const again = await askToken(byRefresh(token), 'bx:bx')
    expect(readClaims(again.body.access_token)).toMatchObject({ iam_id: `iam-${WRITER_ID}`, client_id: 'bx' })
    expect(await askToken(byRefresh(token))).toMatchObject({ status: 400 })
  })

  it.each([
    ['unknown', 'BXNIM0407E', (): string => 'x'],
    ['72 hours old', 'BXNIM0408E', (): string => refreshTokenAfter(72)],
    ['24 hours unused', 'BXNIM0439E', (): string => refreshTokenAfter(24)]
  ])('that is %s is %s', async (_name, code, token) => {
    expect(await askToken(byRefresh(token()), 'bx:bx')).toMatchObject({
      status: 400,
      body: { errorCode: code }
    })
  })

  function refreshTokenAfter(hours: number): string {
    const token = cloud.refreshToken(USER_ID)
    cloud.world.ahead = hours * 3600
    return token
  }
})

describe('a trusted profile', () => {
  const profile = { iam_id: `iam-${PROFILE_ID}`, sub_type: 'Profile', account: { bss: ACCOUNT_ID } }

  it.each([
    ['ID', { iamProfileId: PROFILE_ID }],
    ['CRN', { iamProfileCrn: PROFILE_CRN }],
    ['name and account', { iamProfileName: PROFILE_NAME, iamAccountId: ACCOUNT_ID }]
  ])('is assumed by its %s', async (_name, which) => {
    const assume = new IamAssumeAuthenticator({ apikey: WRITER_KEY, url: cloud.iamUrl, ...which })
    expect(await claimsFrom(assume)).toMatchObject(profile)
  })

  it('is not assumed by someone whom it does not trust', async () => {
    const { iamId } = cloud.world.addServiceId()
    const { value: apikey } = cloud.world.addApiKey({ iamId })
    const assume = new IamAssumeAuthenticator({ apikey, url: cloud.iamUrl, iamProfileId: PROFILE_ID })
    await expect(claimsFrom(assume)).rejects.toMatchObject({ status: 400 })
  })

  it('is not assumed with an access token that has ended', async () => {
    const fields = { access_token: cloud.accessToken(READER_ID, -1), profile_id: PROFILE_ID }
    const asked = await askToken({ grant_type: 'urn:ibm:params:oauth:grant-type:assume', ...fields })
    expect(asked).toMatchObject({ status: 400, body: { errorCode: 'BXNIM0407E' } })
  })

  it.each([
    ['ID', { iamProfileId: PROFILE_ID }],
    ['name', { iamProfileName: PROFILE_NAME }]
  ])('is what a pod becomes with its token file, by %s', async (_name, which) => {
    const directory = mkdtempSync(join(tmpdir(), 'cloud-'))
    const crTokenFilename = join(directory, 'token')
    writeFileSync(crTokenFilename, cloud.crToken)
    const container = new ContainerAuthenticator({ crTokenFilename, url: cloud.iamUrl, ...which })
    expect(await claimsFrom(container)).toMatchObject(profile)
    rmSync(directory, { recursive: true })
  })

  it('is not given for a token that is no compute resource’s', async () => {
    const fields = { cr_token: `${cloud.crToken}x`, profile_id: PROFILE_ID }
    const asked = await askToken({ grant_type: 'urn:ibm:params:oauth:grant-type:cr-token', ...fields })
    expect(asked.status).toBe(400)
  })

  it.each([
    ['by default', {}],
    ['by ID', { iamProfileId: PROFILE_ID }],
    ['by CRN', { iamProfileCrn: PROFILE_CRN }],
    ['by name', { iamProfileName: PROFILE_NAME }],
    ['by the newer version of the service', { serviceVersion: '2025-08-26' }]
  ])('is what a virtual server becomes through its metadata service, %s', async (_name, which) => {
    const server = new VpcInstanceAuthenticator({ url: cloud.metadataUrl, ...which })
    expect(await claimsFrom(server)).toMatchObject(profile)
  })

  it('that does not trust the virtual server is refused by the metadata service', async () => {
    const { id: iamProfileId } = cloud.world.addProfile({ name: 'other' })
    const server = new VpcInstanceAuthenticator({ url: cloud.metadataUrl, iamProfileId })
    await expect(claimsFrom(server)).rejects.toMatchObject({ status: 403 })
  })
})

describe('the metadata service', () => {
  it('answers nobody who does not send Metadata-Flavor', async () => {
    const url = `${cloud.metadataUrl}/instance_identity/v1/token?version=2022-03-01`
    expect((await fetch(url, { method: 'PUT', body: '{"expires_in":300}' })).status).toBe(400)
  })
})

describe('IAM', () => {
  it('publishes the key that its tokens are signed with', async () => {
    const configuration = await fetch(`${cloud.iamUrl}/identity/.well-known/openid-configuration`)
    const { jwks_uri: uri } = (await configuration.json()) as { jwks_uri: string }
    expect(await (await fetch(uri)).json()).toMatchObject({ keys: [{ kty: 'RSA', alg: 'RS256' }] })
  })

  it('refuses a grant it does not know', async () => {
    expect((await askToken({ grant_type: 'password' })).status).toBe(400)
  })

  it('records where a secret went, and with which answer', async () => {
    await claimsFrom(withKey(WRITER_KEY))
    expect(requestsWith(cloud.requests, WRITER_KEY)).toMatchObject([
      { service: 'iam', method: 'POST', path: '/identity/token', status: 200 }
    ])
    expect(requestsWith(cloud.requests, USER_KEY)).toEqual([])
  })
})
