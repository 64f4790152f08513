// /api/v1/tokens, what `ibmcloud cr token-add`, `-list`, `-get` and `-rm` spoke: docs/references.md, "Registry tokens".
import { randomUUID } from 'node:crypto'
import { holderOf } from './access-tokens.ts'
import type { Identity, RegistryToken } from './data.ts'
import { bearerFrom, json, Refusal } from './http.ts'
import type { Reply, Request } from './http.ts'
import type { Registry } from './registry.ts'
import { REGISTRY_SERVICE } from './world.ts'

interface Call {
  registry: Registry
  request: Request
  accountId: string
}

type Route = (call: Call, id: string) => Reply

const ROUTES: Record<string, Route> = {
  'POST /api/v1/tokens': issue,
  'GET /api/v1/tokens': list,
  'DELETE /api/v1/tokens': removeByDescription,
  'GET /api/v1/tokens/:id': get,
  'DELETE /api/v1/tokens/:id': remove
}

export function answerTokenApi(registry: Registry, request: Request): Reply {
  if (!registry.registryTokens) return noLonger(registry, request)
  const [, id = ''] = /^\/api\/v1\/tokens\/([^/]+)$/.exec(request.path) ?? []
  const route = ROUTES[`${request.method} ${id === '' ? request.path : '/api/v1/tokens/:id'}`]
  if (route === undefined) return { status: 404 }
  return route({ registry, request, accountId: requireAccount(registry, request) }, id)
}

/** What today's service answers is not known: 410 with the words of IBM's CLI, or a plain 404. */
function noLonger({ registryTokenApi }: Registry, request: Request): Reply {
  if (registryTokenApi === 'missing' || request.method !== 'POST') return { status: 404 }
  return refusal(
    410,
    'CRG0000E',
    'The creation of registry tokens is discontinued. For more information about how to use API keys to automate access to your namespaces, see: https://cloud.ibm.com/docs/services/Registry?topic=registry-registry_access'
  ).reply
}

/** CRG0000E is no code of IBM's: it stands where the facts give none, so that nothing can rest on it. */
function refusal(status: number, code: 'CRG0009E' | 'CRG0000E', message: string): Refusal {
  return new Refusal(json(status, { code, message, 'request-id': `1-${randomUUID()}` }))
}

/** The account of the header Account, which must be that of the bearer; who must be its Administrator. */
function requireAccount(registry: Registry, request: Request): string {
  const caller = requireBearer(registry, request)
  if (request.headers['account'] !== caller.accountId) {
    throw refusal(401, 'CRG0009E', 'You are not authorized to access the specified account.')
  }
  if (!registry.world.mayAs(['Administrator'], caller.iamId, REGISTRY_SERVICE)) {
    throw refusal(403, 'CRG0000E', 'You are not authorized to access the specified resource.')
  }
  return caller.accountId
}

function requireBearer(registry: Registry, request: Request): Identity {
  const token = bearerFrom(request.headers['authorization']) ?? ''
  const holder = holderOf(registry.world, registry.iamKey, token)
  if (holder === undefined || holder.expired) {
    throw refusal(401, 'CRG0000E', 'The bearer token is missing, or not valid, or has expired.')
  }
  return holder.identity
}

/** All in the query: the last of each name counts, and what is not given is false. */
function issue({ registry, request, accountId }: Call): Reply {
  const last = (name: string): string => request.query.getAll(name).at(-1) ?? ''
  const ends = last('permanent') === 'true' ? { expiresAt: undefined } : {}
  const token = registry.world.addRegistryToken({
    region: registry.region,
    accountId,
    description: last('description'),
    issuer: request.host,
    readOnly: last('write') !== 'true',
    ...ends
  })
  return json(200, { token: token.value })
}

function list(call: Call): Reply {
  return json(200, { tokens: tokensOf(call).map(describe) })
}

/** With their values, as in the sample of IBM's own test. */
function describe(token: RegistryToken): Record<string, unknown> {
  return {
    _id: token.id,
    owner: token.accountId,
    token: token.value,
    secondary_owner: token.description,
    readonly: token.readOnly,
    revoked: token.revoked,
    ...(token.expiresAt === undefined ? {} : { expiry: token.expiresAt })
  }
}

function get(call: Call, id: string): Reply {
  return json(200, { token: requireToken(call, id).value })
}

function remove(call: Call, id: string): Reply {
  const token = requireToken(call, id)
  drop(call, (candidate) => candidate === token)
  return json(200, {})
}

/** That none has this description is no error: a choice. */
function removeByDescription(call: Call): Reply {
  const description = call.request.query.get('secondaryOwner')
  if (description === null) throw refusal(400, 'CRG0000E', 'secondaryOwner is missing.')
  const mine = tokensOf(call)
  drop(call, (token) => token.description === description && mine.includes(token))
  return json(200, {})
}

function tokensOf({ registry, accountId }: Call): RegistryToken[] {
  return registry.world.registryTokens.filter(
    (token) => token.region === registry.region && token.accountId === accountId
  )
}

function requireToken(call: Call, id: string): RegistryToken {
  const token = tokensOf(call).find((candidate) => candidate.id === id)
  if (token === undefined) throw refusal(404, 'CRG0000E', 'The registry token was not found.')
  return token
}

function drop({ registry: { world } }: Call, which: (token: RegistryToken) => boolean): void {
  world.registryTokens = world.registryTokens.filter((token) => !which(token))
}
