import type { Context } from '../context.ts'
import { USERNAMES } from '../credential/credential.ts'
import { credentialOf, type Identity, type JobCredential } from '../credential/identity.ts'
import { parseExpiry } from '../credential/jwt.ts'
import { type AccessToken, exchangeApiKey } from './client.ts'
import { fetchComputeToken } from './compute.ts'

/** The job's own IAM access token, before any profile is assumed with it. @throws UserError if none is issued */
export async function fetchAccessToken(
  identity: Identity,
  iamUrl: string,
  context: Context
): Promise<AccessToken> {
  if (identity.kind === 'keyless') {
    const { RUNNER_ENVIRONMENT: runner, IBMCLOUD_CR_VPC_URL: metadataUrl } = process.env
    return await fetchComputeToken(identity.profile, { iamUrl, runner, metadataUrl }, context)
  }
  if (identity.kind === 'access-token')
    return { token: identity.secret, expiresAt: parseExpiry(identity.secret) }
  return await exchangeApiKey(iamUrl, identity.secret, context)
}

/** The job's own registry credential. @throws UserError if a keyless identity gets no token */
export async function resolveCredential(
  identity: Identity,
  iamUrl: string,
  context: Context
): Promise<JobCredential> {
  if (identity.kind !== 'keyless') return credentialOf(identity)
  const { token, expiresAt } = await fetchAccessToken(identity, iamUrl, context)
  return { username: USERNAMES['access-token'], secret: token, expiresAt, shortLived: true }
}
