// What each way makes of an access token that says little of itself.
import { expect, test } from '@jest/globals'
import { apiKey } from '../../../src/mint/methods/api-key.ts'
import { iamToken } from '../../../src/mint/methods/iam-token.ts'
import { registryToken } from '../../../src/mint/methods/registry-token.ts'
import type { Journal } from '../../../src/mint/journal.ts'
import type { MintJob } from '../../../src/mint/method.ts'
import { makeContext } from '../support/context.ts'
import { startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

const JOURNAL: Journal = {
  watch: () => () => undefined,
  made: () => undefined,
  state: () => {
    throw new Error('Nobody asks for it')
  }
}

const order = (changes: Partial<MintJob> = {}): MintJob => ({
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
  const minted = await iamToken.mint(order(), JOURNAL, context)
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
  expect(await userError(() => way.mint(order(), JOURNAL, makeContext()))).toContain(says)
  const revoke = order()
  expect(await userError(() => way.revoker?.list(revoke, makeContext()))).toContain(says)
})

test('a registry token that does not say when it ends lasts a day, from now', async () => {
  const part = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url')
  const secret = [{ alg: 'none' }, { jti: 'id-1' }, {}].map(part).join('.')
  const { host } = await startServer({ body: JSON.stringify({ token: secret }) })
  const token = [{ alg: 'none' }, { account: { bss: 'a1' } }, {}].map(part).join('.')
  const accessToken = (): ReturnType<MintJob['accessToken']> =>
    Promise.resolve({ token, expiresAt: undefined })
  const minted = await registryToken.mint(order({ hosts: [host], accessToken }), JOURNAL, makeContext())
  expect(minted).toMatchObject([{ host, username: 'token', secret, id: 'id-1' }])
  for (const { issuedAt: start, expiresAt: end } of minted)
    expect(end.getTime() - start.getTime()).toBe(24 * 3_600_000)
})

test('a registry token is removed at each host where nobody knows at which', async () => {
  const part = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url')
  const token = [{ alg: 'none' }, { account: { bss: 'a1' } }, {}].map(part).join('.')
  const servers = [await startServer({ status: 404 }), await startServer({ status: 200 })]
  const accessToken = (): ReturnType<MintJob['accessToken']> =>
    Promise.resolve({ token, expiresAt: undefined })
  const job = order({ hosts: servers.map(({ host }) => host), accessToken })
  await registryToken.revoker?.remove(job, { id: 'id-1' }, makeContext())
  for (const { received } of servers)
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual(['DELETE /api/v1/tokens/id-1'])
})
