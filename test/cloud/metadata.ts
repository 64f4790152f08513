// The metadata service of a virtual server: docs/references.md, "Keyless".
import { randomBytes } from 'node:crypto'
import { endOf, issueAccessToken } from './access-tokens.ts'
import type { ComputeResource, Profile } from './data.ts'
import type { World } from './world.ts'
import { SERVER_ID } from './default-world.ts'
import { bearerFrom, isRecord, json, readJson, Refusal } from './http.ts'
import type { Handler, Reply, Request } from './http.ts'
import type { Iam } from './iam.ts'

interface Metadata {
  iam: Iam
  /** Instance identity tokens that were given, and when each ends. */
  given: Map<string, number>
}

type Route = (metadata: Metadata, request: Request) => Promise<Reply>

/** Each version of the service has paths of its own. */
const ROUTES: Record<string, { version: string; route: Route }> = {
  'PUT /instance_identity/v1/token': { version: '2022-03-01', route: giveInstanceToken },
  'POST /instance_identity/v1/iam_token': { version: '2022-03-01', route: giveIamToken },
  'PUT /identity/v1/token': { version: '2025-08-26', route: giveInstanceToken },
  'POST /identity/v1/iam_tokens': { version: '2025-08-26', route: giveIamToken }
}

export function metadataHandler(iam: Iam): Handler {
  const metadata = { iam, given: new Map<string, number>() }
  return (request) => {
    const known = ROUTES[`${request.method} ${request.path}`]
    if (known === undefined) throw refusal(404, 'not_found', 'There is nothing at this path.')
    if (request.query.get('version') !== known.version) {
      throw refusal(400, 'bad_version', `The version must be ${known.version}.`)
    }
    return known.route(metadata, request)
  }
}

async function giveInstanceToken({ iam, given }: Metadata, request: Request): Promise<Reply> {
  // Only someone on the server itself can set this header; a redirected or forged request lacks it.
  if (request.headers['metadata-flavor'] !== 'ibm') {
    throw refusal(400, 'missing_header', 'The header Metadata-Flavor must be ibm.')
  }
  const { expires_in: asked } = await readJson(request)
  const seconds = typeof asked === 'number' ? asked : 300
  const token = randomBytes(48).toString('base64url')
  given.set(token, iam.world.now() + seconds)
  return tokenReply(iam.world, token, iam.world.now() + seconds)
}

async function giveIamToken({ iam, given }: Metadata, request: Request): Promise<Reply> {
  const end = given.get(bearerFrom(request.headers['authorization']) ?? '')
  if (end === undefined || end <= iam.world.now())
    throw refusal(401, 'not_authorized', 'The token is not valid.')
  const { trusted_profile: asked } = await readJson(request)
  const server = iam.world.computeResources.find(({ id }) => id === SERVER_ID)
  const profile = server && wantedProfile(iam.world, server, asked)
  if (server === undefined || profile?.trusts.includes(server.id) !== true) {
    throw refusal(403, 'forbidden', 'The trusted profile does not exist or does not trust this server.')
  }
  const token = issueAccessToken(iam.world, iam.key, profile, {
    grantType: 'urn:ibm:params:oauth:grant-type:cr-token',
    clientId: 'default'
  })
  return tokenReply(iam.world, token, endOf(token))
}

function wantedProfile(world: World, server: ComputeResource, asked: unknown): Profile | undefined {
  if (!isRecord(asked)) return world.profile(({ id }) => id === server.defaultProfileId)
  if (asked['id'] !== undefined) return world.profile(({ id }) => id === asked['id'])
  if (asked['crn'] !== undefined) return world.profile(({ crn }) => crn === asked['crn'])
  return world.profile(({ name, accountId }) => name === asked['name'] && accountId === server.accountId)
}

function tokenReply(world: World, token: string, end: number): Reply {
  return json(200, {
    access_token: token,
    created_at: new Date(world.now() * 1000).toISOString(),
    expires_at: new Date(end * 1000).toISOString(),
    expires_in: end - world.now()
  })
}

function refusal(status: number, code: string, message: string): Refusal {
  return new Refusal(json(status, { errors: [{ code, message }], trace: randomBytes(8).toString('hex') }))
}
