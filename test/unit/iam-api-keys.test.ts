// What is asked about API keys, and what the answers are taken for.
import { expect, test } from '@jest/globals'
import { createApiKey, deleteApiKey, listApiKeys } from '../../src/iam-api-keys.ts'
import { makeContext } from './support/context.ts'
import { useOwnEnvironment } from './support/environment.ts'
import { type Answer, type Server, startServer } from './support/server.ts'
import { userError } from './support/throwing.ts'

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
const page = (names: string[], next?: unknown): Answer =>
  json({ apikeys: names.map((name) => ({ id: `ApiKey-${name}`, name })), next })
const urlOf = (server: Server): string => `http://${server.host}`
const list = (server: Server): ReturnType<typeof listApiKeys> =>
  listApiKeys(urlOf(server), TOKEN, ORDER, makeContext())

test('a list is read page by page, and the next page asked for at the same place', async () => {
  const server = await startServer(
    page(['a'], 'https://elsewhere.example/v1/apikeys?pagetoken=two'),
    page(['b'], '/v1/apikeys?pagetoken=three'),
    page(['c'], '/v1/apikeys')
  )
  expect((await list(server)).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  const pages = server.received.map(({ url }) => new URL(url, urlOf(server)).searchParams.get('pagetoken'))
  expect(pages).toEqual([null, 'two', 'three'])
})

test('an address that is none ends the list', async () => {
  expect(await list(await startServer(page(['a'], 'https://[')))).toEqual([{ id: 'ApiKey-a', name: 'a' }])
})

test('what is no key in a list is left out', async () => {
  const right = { id: 'ApiKey-a', name: 'a' }
  const apikeys = [
    null,
    'x',
    { ...right, id: '../a' },
    { ...right, id: undefined },
    { ...right, name: 7 },
    right
  ]
  expect(await list(await startServer(json({ apikeys })))).toEqual([right])
})

test('a list without end is left', async () => {
  const server = await startServer(page([], '/?pagetoken=again'))
  expect(await userError(() => list(server))).toContain('The list of API keys does not end.')
  expect(server.received).toHaveLength(100)
})

test('an answer that is no list, or no key, is a fault and is asked for again', async () => {
  const noList = await startServer(json({}), page([]))
  expect(await list(noList)).toEqual([])
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
    expect(await userError(() => list(server))).toContain(says)
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
