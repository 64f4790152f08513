// IAM's API keys, /v1/apikeys: docs/references.md, "API keys".
import { readKey } from './api-key-body.ts'
import { listKeys } from './api-key-list.ts'
import {
  describeKey,
  headersFor,
  isPurged,
  keyBehind,
  requireCaller,
  requireRight,
  unknownKey
} from './api-key-rules.ts'
import type { KeyCall } from './api-key-rules.ts'
import type { ApiKey, Identity } from './data.ts'
import { json, readJson } from './http.ts'
import type { Reply, Request } from './http.ts'
import { badRequest, managementRefusal, transactionId } from './iam-errors.ts'
import type { Iam } from './iam.ts'
import type { World } from './world.ts'

type Route = (call: KeyCall, id: string) => Reply | Promise<Reply>

/** `:id` stands for a key's ID. */
const ROUTES: Record<string, Route> = {
  'POST /v1/apikeys': createKey,
  'GET /v1/apikeys': listKeys,
  'GET /v1/apikeys/details': keyDetails,
  'GET /v1/apikeys/:id': getKey,
  'DELETE /v1/apikeys/:id': deleteKey,
  'POST /v1/apikeys/:id/lock': changing((key) => (key.locked = true)),
  'DELETE /v1/apikeys/:id/lock': changing((key) => (key.locked = false)),
  'POST /v1/apikeys/:id/disable': changing((key) => (key.disabled = true), 'unless locked'),
  'DELETE /v1/apikeys/:id/disable': changing((key) => (key.disabled = false), 'unless locked')
}

/** IAMDOC: a user has no more than twenty. A service ID's limit is not known. */
const KEYS_OF_A_USER = 20

export function answerApiKeys(iam: Iam, request: Request): Reply | Promise<Reply> {
  const { id, pattern } = parsePath(request.path)
  const route = ROUTES[`${request.method} ${pattern}`]
  if (route === undefined) return { status: 404, body: '' }
  return route({ iam, request, caller: requireCaller(iam, request) }, id)
}

function parsePath(path: string): { id: string; pattern: string } {
  const [, id = '', rest = ''] = /^\/v1\/apikeys\/([^/]+)(.*)$/.exec(path) ?? []
  const known = id === '' || ROUTES[`GET ${path}`] !== undefined
  return { id, pattern: known ? path : `/v1/apikeys/:id${rest}` }
}

async function createKey({ iam, request, caller }: KeyCall): Promise<Reply> {
  const body = await readJson(request)
  const { world } = iam
  const owner = world.identities.find(({ iamId }) => iamId === body['iam_id'])
  if (owner === undefined || owner.kind === 'profile') {
    throw badRequest(request, 'iam_id must be that of a user or of a service ID.')
  }
  const accountId = body['account_id'] ?? owner.accountId
  if (accountId !== owner.accountId) throw badRequest(request, 'account_id is not that of iam_id.')
  const given = readKey(request, body, owner, world.now())
  requireRight({ iam, request, caller }, owner.iamId)
  requireRoom(world, request, owner)
  const lag = {
    usableFrom: Date.now() + world.keyDelayMs,
    relapses: world.keyRelapseMs > 0,
    listedFrom: Date.now() + world.keyListDelayMs
  }
  const key = world.addApiKey({ iamId: owner.iamId, createdBy: caller.iamId, ...lag, ...given })
  return json(201, { ...describeKey(key), apikey: key.value }, headersFor(request, key))
}

function requireRoom(world: World, request: Request, owner: Identity): void {
  const count = world.apiKeys.filter(({ iamId }) => iamId === owner.iamId).length
  if (owner.kind === 'user' && count >= KEYS_OF_A_USER) {
    throw badRequest(request, `A user has no more than ${KEYS_OF_A_USER} API keys.`)
  }
}

/** Platform SDK: a service ID's key that was made with `store_value` shows its value here, and nowhere else. */
function getKey(call: KeyCall, id: string): Reply {
  const key = keyBehind(call, id)
  const value = key.storeValue ? { apikey: key.value } : {}
  return json(200, { ...describeKey(key), ...value }, headersFor(call.request, key))
}

/** What a key is, asked for by its value. */
function keyDetails({ iam, request }: KeyCall): Reply {
  const key = iam.world.apiKeys.find(({ value }) => value === request.headers['iam-apikey'])
  if (key === undefined || isPurged(key, iam.world)) throw unknownKey(request)
  return json(200, describeKey(key), headersFor(request, key))
}

function deleteKey(call: KeyCall, id: string): Reply {
  const key = keyBehind(call, id)
  requireUnlocked(call.request, key)
  const { world } = call.iam
  if (world.lostDeletions.times > 0) {
    world.lostDeletions.times -= 1
    if (world.lostDeletions.answer === 404) throw unknownKey(call.request)
    return done(call.request)
  }
  world.apiKeys = world.apiKeys.filter((candidate) => candidate !== key)
  return done(call.request)
}

function changing(change: (key: ApiKey) => void, when?: 'unless locked'): Route {
  return (call, id) => {
    const key = keyBehind(call, id)
    if (when !== undefined) requireUnlocked(call.request, key)
    change(key)
    return done(call.request)
  }
}

/** Section 3.5 gives no status: 409 is a choice. */
function requireUnlocked(request: Request, key: ApiKey): void {
  if (key.locked) throw managementRefusal(request, 409, 'BXNIM0000E', 'The API key is locked.')
}

/** Section 3.5: no body; 204 by convention. */
function done(request: Request): Reply {
  return { status: 204, headers: { 'Transaction-Id': transactionId(request) } }
}
