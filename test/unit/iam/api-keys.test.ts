// What is asked about API keys, and what the answers are taken for.
import { expect, test } from '@jest/globals'
import { knownSecrets } from '../../../src/errors/redact.ts'
import { createApiKey, deleteApiKey, findApiKeys } from '../../../src/iam/api-keys.ts'
import { makeContext } from '../support/context.ts'
import { useOwnEnvironment } from '../support/environment.ts'
import { type Answer, type Server, startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const TOKEN = 'Qz7vRk2Lm9Xc4Tn8Wb3Hf6Jd5Gs1Ya0P'
const ORDER = {
  name: 'icr-login/x',
  serviceId: 'iam-ServiceId-1',
  account: 'a1',
  expiresAt: '2026-08-14T12:00+0000'
}
const watch = () => () => undefined

const json = (content: unknown, status = 200): Answer => ({ status, body: JSON.stringify(content) })
const page = (keys: string[], next?: unknown): Answer =>
  json({ apikeys: keys.map((key) => ({ id: `ApiKey-${key}`, name: ORDER.name })), next })
const urlOf = (server: Server): string => `http://${server.host}`
const find = (server: Server): ReturnType<typeof findApiKeys> =>
  findApiKeys(urlOf(server), TOKEN, ORDER, makeContext())

test('a list is read page by page, and the next page asked for at the same place', async () => {
  const server = await startServer(
    page(['a'], 'https://elsewhere.example/v1/apikeys?pagetoken=two'),
    page(['b'], '/v1/apikeys?pagetoken=three'),
    page(['c'], '/v1/apikeys')
  )
  expect(await find(server)).toEqual(['ApiKey-a', 'ApiKey-b', 'ApiKey-c'])
  const pages = server.received.map(({ url }) => new URL(url, urlOf(server)).searchParams.get('pagetoken'))
  expect(pages).toEqual([null, 'two', 'three'])
})

test('an address that is none ends the list', async () => {
  expect(await find(await startServer(page(['a'], 'https://[')))).toEqual(['ApiKey-a'])
})

test('keys of other names, and what is no key, are left out', async () => {
  const other = { id: 'ApiKey-b', name: 'b' }
  const apikeys = [null, 'x', other, { ...other, id: '../a' }, { ...other, name: 7 }, { id: 'ApiKey-c' }]
  expect(await find(await startServer(json({ apikeys })))).toEqual([])
})

test.each([undefined, '../a'])('a key of this job is not passed over where its ID is %s', async (id) => {
  const server = await startServer(json({ apikeys: [{ id, name: ORDER.name }] }))
  expect(await userError(() => find(server))).toContain(
    'it answered 200 with a key of this job that has no ID'
  )
})

test('a key is taken, and found, whatever its ID has by chance in common with a secret', async () => {
  // As hexadecimal, the secret holds 334d34.
  knownSecrets.add('aaaa3M4aaaaaaaaaaaaa')
  const id = 'ApiKey-6ab013ed-9a61-4b57-945a-9d334d34aec8'
  const server = await startServer(
    json({ id, apikey: 'x' }, 201),
    json({ apikeys: [{ id, name: ORDER.name }] })
  )
  expect((await createApiKey(urlOf(server), TOKEN, ORDER, watch, makeContext())).id).toBe(id)
  expect(await find(server)).toEqual([id])
})

test('a list without end is left', async () => {
  const server = await startServer(page([], '/?pagetoken=again'))
  expect(await userError(() => find(server))).toContain('The list of API keys does not end.')
  expect(server.received).toHaveLength(100)
})

test('an answer that is no list, or no key, is a fault and is asked for again', async () => {
  const noList = await startServer(json({}), page([]))
  expect(await find(noList)).toEqual([])
  expect(noList.received).toHaveLength(2)
  const noKey = await startServer(json({ apikey: 'x' }), json({ id: 'ApiKey-a', apikey: 'y' }, 201))
  const context = makeContext()
  expect(await createApiKey(urlOf(noKey), TOKEN, ORDER, watch, context)).toEqual({
    id: 'ApiKey-a',
    secret: 'y'
  })
  expect(context.masks).toEqual(['x', 'y'])
})

test('a refusal says whether a right is missing, and is not asked for again', async () => {
  for (const [status, says] of [
    [403, 'The identity may not manage the API keys of iam-ServiceId-1 (403).'],
    [401, 'IAM refused to list the API keys of iam-ServiceId-1']
  ] as const) {
    const server = await startServer(json({}, status))
    expect(await userError(() => find(server))).toContain(says)
    expect(server.received).toHaveLength(1)
    expect(await userError(() => createApiKey(urlOf(server), TOKEN, ORDER, watch, makeContext()))).toContain(
      says.replace('list the API keys', 'make an API key')
    )
  }
})

test('a key that is gone is deleted', async () => {
  for (const status of [200, 204, 404]) {
    const server = await startServer({ status })
    await deleteApiKey(urlOf(server), TOKEN, 'ApiKey-a', makeContext())
    expect(server.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'DELETE /v1/apikeys/ApiKey-a'
    ])
  }
  const server = await startServer({ status: 403 })
  expect(await userError(() => deleteApiKey(urlOf(server), TOKEN, 'ApiKey-a', makeContext()))).toContain(
    'IAM refused to delete the API key ApiKey-a'
  )
})
