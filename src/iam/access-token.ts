import type { Context } from '../context.ts'
import { USERNAMES } from '../credential/credential.ts'
import { credentialOf, type Identity, type JobCredential } from '../credential/identity.ts'
import { parseExpiry } from '../credential/jwt.ts'
import { type AccessToken, exchangeApiKey } from './client.ts'
import { fetchComputeToken } from './compute.ts'

/**
 * The job's own IAM access token, before any profile is assumed with it.
 * @throws UserError if IAM, or the compute resource, issues none
 */
export async function fetchAccessToken(
  identity: Identity,
  iamUrl: string,
  context: Context
): Promise<AccessToken> {
  if (identity.kind === 'keyless') {
    const environment = {
      iamUrl,
      runner: process.env['RUNNER_ENVIRONMENT'],
      metadataUrl: process.env['IBMCLOUD_CR_VPC_URL']
    }
    return await fetchComputeToken(identity.profile, environment, context)
  }
  if (identity.kind === 'access-token')
    return { token: identity.secret, expiresAt: parseExpiry(identity.secret) }
  return await exchangeApiKey(iamUrl, identity.secret, context)
}

/**
 * The job's own registry credential.
 * @throws UserError if a keyless identity gets no token
 */
export async function resolveCredential(
  identity: Identity,
  iamUrl: string,
  context: Context
): Promise<JobCredential> {
  if (identity.kind !== 'keyless') return credentialOf(identity)
  const { token, expiresAt } = await fetchAccessToken(identity, iamUrl, context)
  return { username: USERNAMES['access-token'], secret: token, expiresAt, shortLived: true }
}
