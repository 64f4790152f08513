// What each way makes of an access token that says little of itself.
import { expect, test } from '@jest/globals'
import { apiKey } from '../../../src/mint/methods/api-key.ts'
import { iamToken } from '../../../src/mint/methods/iam-token.ts'
import { registryToken } from '../../../src/mint/methods/registry-token.ts'
import type { MintOrder, MintRecord } from '../../../src/mint/method.ts'
import { makeContext } from '../support/context.ts'
import { startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

const RECORD: MintRecord = { watch: () => () => undefined, made: () => undefined }

const order = (changes: Partial<MintOrder> = {}): MintOrder => ({
  name: 'icr-login/x',
  hosts: ['us.icr.io', 'de.icr.io'],
  repositories: new Map(),
  readOnly: true,
  lifetimeMs: undefined,
  iamUrl: 'https://iam.cloud.ibm.com',
  serviceId: 'iam-ServiceId-1',
  profile: undefined,
  credential: () => Promise.reject(new Error('Nobody asks for it')),
  accessToken: () => Promise.resolve({ token: 'opaque', expiresAt: undefined }),
  ...changes
})

test('an IAM token that does not say when it ends lasts an hour, from now', async () => {
  const context = makeContext()
  const before = context.now()
  const minted = await iamToken.mint(order(), RECORD, context)
  expect(minted.map(({ host, username, secret }) => ({ host, username, secret }))).toEqual([
    { host: 'us.icr.io', username: 'iambearer', secret: 'opaque' },
    { host: 'de.icr.io', username: 'iambearer', secret: 'opaque' }
  ])
  for (const { issuedAt: start, expiresAt: end } of minted) {
    expect(start.getTime()).toBeGreaterThanOrEqual(before)
    expect(end.getTime() - start.getTime()).toBe(3_600_000)
  }
})

test.each([
  ['api-key', apiKey],
  ['registry-token', registryToken]
])('mint: %s needs an access token that says its account', async (_, way) => {
  const says = "IAM's access token does not say which account it is of."
  expect(await userError(() => way.mint(order(), RECORD, makeContext()))).toContain(says)
  const revoke = { ...order(), accessToken: () => Promise.resolve('opaque') }
  expect(await userError(() => way.revoker?.list(revoke, makeContext()))).toContain(says)
})

test('a registry token that does not say when it ends lasts a day, from now', async () => {
  const part = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url')
  const secret = [{ alg: 'none' }, { jti: 'id-1' }, {}].map(part).join('.')
  const { host } = await startServer({ body: JSON.stringify({ token: secret }) })
  const token = [{ alg: 'none' }, { account: { bss: 'a1' } }, {}].map(part).join('.')
  const accessToken = (): ReturnType<MintOrder['accessToken']> =>
    Promise.resolve({ token, expiresAt: undefined })
  const minted = await registryToken.mint(order({ hosts: [host], accessToken }), RECORD, makeContext())
  expect(minted).toMatchObject([{ host, username: 'token', secret, id: 'id-1' }])
  for (const { issuedAt: start, expiresAt: end } of minted)
    expect(end.getTime() - start.getTime()).toBe(24 * 3_600_000)
})

test('a registry token is removed at each host where nobody knows at which', async () => {
  const revoke = { ...order(), accessToken: () => Promise.resolve('opaque') }
  expect(
    await userError(() => registryToken.revoker?.remove(revoke, { id: 'id-1' }, makeContext()))
  ).toContain("IAM's access token")
  await registryToken.revoker?.remove({ ...revoke, hosts: [] }, { id: 'id-1' }, makeContext())
})
