// What is asked about registry tokens, and what the answers are taken for.
import { expect, test } from '@jest/globals'
import { issueRegistryToken, findRegistryTokens, removeRegistryToken } from '../../../src/registry/tokens.ts'
import { makeContext } from '../support/context.ts'
import { useOwnEnvironment } from '../support/environment.ts'
import { type Answer, startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const CALLER = { accessToken: 'Qz7vRk2Lm9Xc4Tn8Wb3Hf6Jd5Gs1Ya0P', account: 'a1' }
const WANTED = { description: 'icr-login/x', write: false, watch: () => () => undefined }

const json = (content: unknown, status = 200): Answer => ({ status, body: JSON.stringify(content) })
const jwt = (claims: object): string =>
  [{}, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.x'

test('a token is taken when it is one, with an ID that looks like one', async () => {
  const token = jwt({ jti: 'id-1' })
  const wrong = [{}, { token: 'opaque' }, { token: jwt({ jti: '../x' }) }]
  const server = await startServer(...wrong.map((body) => json(body)), json({ token }, 201))
  const context = makeContext()
  expect(await issueRegistryToken(server.host, CALLER, WANTED, context)).toEqual({ id: 'id-1', token })
  expect(server.received).toHaveLength(4)
  expect(context.masks).toEqual(['opaque', jwt({ jti: '../x' }), token])
})

test.each([
  [404, 'issues no registry tokens: IBM ended them on 1 July 2019.'],
  [405, 'issues no registry tokens'],
  [410, 'issues no registry tokens'],
  [401, 'issued no registry token (401)']
])('%i says so, once', async (status, says) => {
  const server = await startServer({ status })
  expect(await userError(() => issueRegistryToken(server.host, CALLER, WANTED, makeContext()))).toContain(
    says
  )
  expect(server.received).toHaveLength(1)
})

test('those with the description are found that were not removed', async () => {
  const right = { _id: 'id-1', secondary_owner: 'x' }
  const tokens = [null, right, { ...right, revoked: true }, { _id: 'id-2' }, { secondary_owner: 'y' }]
  const server = await startServer(json({}), json({ tokens }))
  expect(await findRegistryTokens(server.host, CALLER, 'x', makeContext())).toEqual(['id-1'])
  expect(server.received).toHaveLength(2)
})

test('one of this job that has no ID is not passed over', async () => {
  const server = await startServer(json({ tokens: [{ secondary_owner: 'x' }] }))
  expect(await userError(() => findRegistryTokens(server.host, CALLER, 'x', makeContext()))).toContain(
    'it answered 200 with a token of this job that has no ID'
  )
})

test('a refusal says of what, and is not asked for again', async () => {
  const server = await startServer({ status: 403 })
  expect(await userError(() => findRegistryTokens(server.host, CALLER, 'x', makeContext()))).toContain(
    'refused to list (registry tokens, 403)'
  )
  expect(await userError(() => removeRegistryToken(server.host, CALLER, 'id-1', makeContext()))).toContain(
    'refused to remove id-1 (registry tokens, 403)'
  )
  expect(server.received).toHaveLength(2)
})

test('a token is removed by its ID, and may be gone', async () => {
  const server = await startServer({ status: 404 })
  await removeRegistryToken(server.host, CALLER, 'id-1', makeContext())
  expect(server.received.map(({ method, url }) => `${method} ${url}`)).toEqual(['DELETE /api/v1/tokens/id-1'])
})
