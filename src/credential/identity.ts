import type { Context } from '../context.ts'
import { type Credential, parseEnd, type SecretKind, type TrustedProfile, USERNAMES } from './credential.ts'
import { UserError } from '../errors/user-error.ts'
import type { AccessToken } from '../iam/client.ts'

/** One way to prove who the job is: a secret, with or without a trusted profile; or the profile alone. */
export type Identity =
  | { readonly kind: SecretKind; readonly secret: string; readonly profile?: TrustedProfile }
  | { readonly kind: 'keyless'; readonly profile: TrustedProfile }

/**
 * A secret with a trusted profile beside it, which is the user name to log in as.
 * @throws UserError where they don't go together
 */
export function withProfile(given: Identity, profile: TrustedProfile): Identity {
  if (given.kind === 'keyless') return given
  checkProfileId(given.kind, profile)
  return { ...given, profile }
}

/** A trusted profile's ID is a user name, with an API key as its password (facts/ibm-cloud.md section 4). */
function checkProfileId(kind: SecretKind, profile: TrustedProfile): void {
  if (kind !== 'api-key') {
    throw new UserError(
      `trusted-profile does not go with ${kind}${kind === 'access-token' ? ', unless mint: iam-token assumes it' : ''}.`,
      "Give it with the api-key of a service ID that the profile trusts, or alone on IBM Cloud's own machines."
    )
  }
  if (profile.by === 'id') return
  throw new UserError(
    `trusted-profile holds a ${profile.by === 'crn' ? 'CRN' : 'name'}, and the login needs the ID.`,
    'Write trusted-profile: Profile-…, as ibmcloud iam trusted-profile NAME shows it, or use mint: iam-token.'
  )
}

export interface ResolvedCredential extends Credential {
  readonly end: Date | undefined
  /** Whether it was made for this job and ends soon, so that later steps may be handed it. */
  readonly shortLived: boolean
}

/**
 * The job's own credential for a registry.
 * @throws UserError where a keyless identity can't be had
 */
export async function resolveCredential(
  identity: Identity,
  iamUrl: string,
  context: Context
): Promise<ResolvedCredential> {
  if (identity.kind === 'keyless') {
    const { token, end } = await fetchAccessToken(identity, iamUrl, context)
    return { username: USERNAMES['access-token'], secret: token, end, shortLived: true }
  }
  const { kind, secret, profile } = identity
  const end = kind === 'access-token' || kind === 'registry-token' ? parseEnd(secret) : undefined
  // A trusted profile's ID is a user name, with an API key as its password (facts/ibm-cloud.md section 4).
  return { username: profile?.value ?? USERNAMES[kind], secret, end, shortLived: false }
}

/**
 * The job's own IAM access token, before any profile is assumed with it.
 * @throws UserError where IAM, or the machine, gives none
 */
export async function fetchAccessToken(
  identity: Identity,
  iamUrl: string,
  context: Context
): Promise<AccessToken> {
  if (identity.kind === 'keyless') {
    const { fetchIdentityToken } = await import('../network.ts')
    const surroundings = {
      iamUrl,
      runner: process.env['RUNNER_ENVIRONMENT'],
      metadataUrl: process.env['IBMCLOUD_CR_VPC_URL']
    }
    return await fetchIdentityToken(identity.profile, surroundings, context)
  }
  if (identity.kind === 'access-token') return { token: identity.secret, end: parseEnd(identity.secret) }
  const { exchangeApiKey } = await import('../network.ts')
  return await exchangeApiKey(iamUrl, identity.secret, context)
}
