// IBM Cloud IAM: docs/references.md, "IAM tokens".
import { answerApiKeys } from './api-keys.ts'
import type { World } from './world.ts'
import { grantToken } from './grants.ts'
import { json } from './http.ts'
import type { Handler, Reply, Request } from './http.ts'
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
  'GET /identity/.well-known/openid-configuration': describe
}

export function iamHandler(iam: Iam): Handler {
  return (request) => {
    if (/^\/v1\/apikeys(?:\/|$)/.test(request.path)) return answerApiKeys(iam, request)
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
