// POST /identity/token: docs/references.md, "IAM tokens"; refusals: "IAM errors".
import { endOf, holderOf, issueAccessToken } from './access-tokens.ts'
import type { ApiKey, Identity, Profile, Session } from './data.ts'
import type { World } from './world.ts'
import { basicFrom, json, readForm } from './http.ts'
import type { Reply, Request } from './http.ts'
import { IamRefusal, transactionId } from './iam-errors.ts'
import type { Iam } from './iam.ts'

interface Grant {
  identity: Identity
  /** Of the session that a refresh token belongs to; none where IAM gives no refresh token. */
  session?: Session
}

interface Asking {
  iam: Iam
  request: Request
  form: URLSearchParams
  /** What the client calls itself by Basic, such as `bx`; `default` if it does not. */
  clientId: string
}

type GrantFunction = (asking: Asking) => Grant

const GRANTS: Record<string, GrantFunction> = {
  'urn:ibm:params:oauth:grant-type:apikey': byApiKey,
  refresh_token: byRefreshToken,
  'urn:ibm:params:oauth:grant-type:assume': byAssuming,
  'urn:ibm:params:oauth:grant-type:cr-token': byComputeResource
}

export async function grantToken(iam: Iam, request: Request): Promise<Reply> {
  const form = await readForm(request)
  const grantType = form.get('grant_type') ?? ''
  const grant = GRANTS[grantType]
  if (grant === undefined) throw new IamRefusal(request, 'BXNIM0000E', 'The grant type is not supported.')
  const asking = { iam, request, form, clientId: clientOf(request) }
  const { identity, session } = grant(asking)
  return tokenReply(asking, grantType, identity, session)
}

function clientOf(request: Request): string {
  return basicFrom(request.headers['authorization'])?.username ?? 'default'
}

function tokenReply(
  asking: Asking,
  grantType: string,
  identity: Identity,
  session: Session | undefined
): Reply {
  const { iam, request, clientId } = asking
  const { world, key } = iam
  const token = issueAccessToken(world, key, identity, { grantType, clientId, sessionId: session?.id })
  const body = {
    access_token: token,
    refresh_token: session?.refreshToken ?? 'not_supported',
    ...(identity.kind === 'user' ? { ims_user_id: 1180000 } : {}),
    token_type: 'Bearer',
    expires_in: endOf(token) - world.now(),
    expiration: endOf(token),
    scope: 'ibm openid',
    ...(session === undefined ? {} : { session_id: session.id })
  }
  return json(200, body, { 'Transaction-Id': transactionId(request) })
}

function byApiKey(asking: Asking): Grant {
  const { iam, request, form, clientId } = asking
  const key = usableApiKey(iam.world, request, form.get('apikey') ?? '')
  const identity = knownIdentity(asking, key.iamId)
  if (identity.kind === 'user' && identity.mfa) throw new IamRefusal(request, 'BXNIM0400E')
  // Only a client that says who it is, as the CLI does, gets a real refresh token.
  if (clientId === 'default') return { identity }
  const { iamId, accountId } = identity
  return { identity, session: iam.world.addSession({ iamId, accountId, clientId }) }
}

export function usableApiKey(world: World, request: Request, value: string): ApiKey {
  const key = world.apiKeys.find((candidate) => candidate.value === value)
  // The facts know no code of its own for a key that has ended.
  const known = key !== undefined && key.usableFrom <= Date.now()
  if (known && key.relapses) relapse(world, key)
  if (!known || hasEnded(world, key.expiresAt)) throw new IamRefusal(request, 'BXNIM0415E')
  if (key.disabled) throw new IamRefusal(request, 'BXNIM0462E')
  return key
}

/** This once it is known. */
function relapse(world: World, key: ApiKey): void {
  key.relapses = false
  key.usableFrom = Date.now() + world.keyRelapseMs
}

function hasEnded(world: World, end: number | undefined): boolean {
  return end !== undefined && end <= world.now()
}

function byRefreshToken(asking: Asking): Grant {
  const { iam, request, form, clientId } = asking
  const session = usableSession(iam.world, request, form.get('refresh_token') ?? '')
  // Section 3.1: the same client is required. Which code says so is not known.
  if (session.clientId !== clientId) throw new IamRefusal(request, 'BXNIM0407E')
  session.usedAt = iam.world.now()
  return { identity: knownIdentity(asking, session.iamId), session }
}

/** Sections 3.1 and 3.3: 72 hours at most, and no more than 24 hours unused. */
export function usableSession(world: World, request: Request, refreshToken: string): Session {
  const session = world.sessions.find((candidate) => candidate.refreshToken === refreshToken)
  if (session === undefined) throw new IamRefusal(request, 'BXNIM0407E')
  if (hasEnded(world, session.expiresAt)) throw new IamRefusal(request, 'BXNIM0408E')
  if (hasEnded(world, session.usedAt + 24 * 3600)) {
    throw new IamRefusal(request, 'BXNIM0439E', `Session '${session.id}' is invalidated due to inactivity`)
  }
  return session
}

function byAssuming(asking: Asking): Grant {
  const { iam, request, form } = asking
  const holder = holderOf(iam.world, iam.key, form.get('access_token') ?? '')
  if (holder === undefined || holder.expired) throw new IamRefusal(request, 'BXNIM0407E')
  const profile = namedProfile(asking, form.get('account') ?? undefined)
  return { identity: trusting(asking, profile, holder.identity.iamId) }
}

function byComputeResource(asking: Asking): Grant {
  const { iam, request, form } = asking
  const resource = iam.world.computeResources.find(({ token }) => token === form.get('cr_token'))
  if (resource === undefined)
    throw new IamRefusal(request, 'BXNIM0000E', 'The compute resource token is not valid.')
  const profile = namedProfile(asking, resource.accountId)
  return { identity: trusting(asking, profile, resource.id) }
}

/** By ID, by CRN, or by name within an account. */
function namedProfile({ iam, form }: Asking, accountId: string | undefined): Profile | undefined {
  const id = form.get('profile_id')
  const crn = form.get('profile_crn')
  const name = form.get('profile_name')
  if (id !== null) return iam.world.profile((profile) => profile.id === id)
  if (crn !== null) return iam.world.profile((profile) => profile.crn === crn)
  return iam.world.profile((profile) => profile.name === name && profile.accountId === accountId)
}

function trusting({ request }: Asking, profile: Profile | undefined, who: string): Profile {
  if (profile?.trusts.includes(who) === true) return profile
  throw new IamRefusal(request, 'BXNIM0000E', 'The trusted profile does not exist or does not trust you.')
}

function knownIdentity({ iam, request }: Asking, iamId: string): Identity {
  const identity = iam.world.identity(iamId)
  if (identity === undefined) throw new IamRefusal(request, 'BXNIM0415E')
  return identity
}
