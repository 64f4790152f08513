// IBM Cloud IAM: facts/ibm-cloud.md, section 3.
import { holderOf } from './access-tokens.ts'
import type { ApiKey, Identity } from './data.ts'
import type { World } from './world.ts'
import { grantToken } from './grants.ts'
import { bearerFrom, json } from './http.ts'
import type { Handler, Reply, Request } from './http.ts'
import { managementRefusal, transactionId } from './iam-errors.ts'
import { publicJwk } from './jwt.ts'
import type { SigningKey } from './jwt.ts'

export interface Iam {
  world: World
  key: SigningKey
}

type Route = (iam: Iam, request: Request) => Reply | Promise<Reply>

const ROUTES: Record<string, Route> = {
  'POST /identity/token': grantToken,
  'GET /identity/keys': (iam) => json(200, { keys: [publicJwk(iam.key)] }),
  'GET /identity/.well-known/openid-configuration': describe,
  'GET /v1/apikeys/details': keyDetails
}

export function iamHandler(iam: Iam): Handler {
  return (request) => {
    const route = ROUTES[`${request.method} ${request.path}`]
    return route === undefined ? { status: 404, body: '' } : route(iam, request)
  }
}

function describe(_iam: Iam, { origin }: Request): Reply {
  return json(200, {
    issuer: 'https://iam.cloud.ibm.com/identity',
    token_endpoint: `${origin}/identity/token`,
    jwks_uri: `${origin}/identity/keys`,
    id_token_signing_alg_values_supported: ['RS256']
  })
}

/** Section 3.5: what a key is, asked for by its value. */
function keyDetails(iam: Iam, request: Request): Reply {
  requireCaller(iam, request)
  const key = iam.world.apiKeys.find(({ value }) => value === request.headers['iam-apikey'])
  if (key === undefined)
    throw managementRefusal(request, 404, 'BXNIM0415E', 'Provided API key could not be found.')
  return json(200, describeKey(key), { 'Transaction-Id': transactionId(request), ETag: key.entityTag })
}

function requireCaller(iam: Iam, request: Request): Identity {
  const token = bearerFrom(request.headers['authorization'])
  const holder = token === undefined ? undefined : holderOf(iam.world, iam.key, token)
  if (holder === undefined || holder.expired) {
    throw managementRefusal(request, 401, 'BXNIM0308E', 'No authorization header found')
  }
  return holder.identity
}

/** Never with its value: that can be read at creation only. */
function describeKey(key: ApiKey): Record<string, unknown> {
  return {
    id: key.id,
    entity_tag: key.entityTag,
    crn: key.crn,
    locked: key.locked,
    disabled: key.disabled,
    created_at: isoMinutes(key.createdAt),
    ...(key.expiresAt === undefined ? {} : { expires_at: isoMinutes(key.expiresAt) }),
    name: key.name,
    description: key.description,
    iam_id: key.iamId,
    account_id: key.accountId
  }
}

/** yyyy-MM-ddTHH:mm+0000, to the minute (section 3.5). */
function isoMinutes(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16)}+0000`
}
