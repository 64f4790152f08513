import { type Credential, type SecretKind, type TrustedProfile, USERNAMES } from './credential.ts'
import { parseExpiry } from './jwt.ts'
import { UserError } from '../errors/user-error.ts'

/** A secret, with or without a trusted profile. */
interface SecretIdentity {
  readonly kind: SecretKind
  readonly secret: string
  readonly profile?: TrustedProfile
}

/** How the job authenticates: with a secret, or with a trusted profile alone. */
export type Identity = SecretIdentity | { readonly kind: 'keyless'; readonly profile: TrustedProfile }

/**
 * A secret with a trusted profile, whose ID is the username (docs/references.md, "Registry authentication").
 * @throws UserError if they can't be combined
 */
export function withProfile(given: Identity, profile: TrustedProfile): Identity {
  const { kind } = given
  if (kind === 'keyless') return given
  if (kind !== 'api-key') {
    throw new UserError(
      `trusted-profile does not go with ${kind}${kind === 'access-token' ? ', unless mint: iam-token assumes it' : ''}.`,
      "Give it with the api-key of a service ID that the profile trusts, or alone on IBM Cloud's own machines."
    )
  }
  if (profile.by === 'id') return { ...given, profile }
  throw new UserError(
    `trusted-profile holds a ${profile.by === 'crn' ? 'CRN' : 'name'}, and the login needs the ID.`,
    'Write trusted-profile: Profile-…, as ibmcloud iam trusted-profile NAME shows it, or use mint: iam-token.'
  )
}

/** The credential that the job logs in with. */
export interface JobCredential extends Credential {
  /** undefined if not known. */
  readonly expiresAt: Date | undefined
  /** Whether it was obtained for this job, and so can be an output. */
  readonly shortLived: boolean
}

/** The credential in a secret. A trusted profile's ID is a username, with an API key as its password. */
export function credentialOf({ kind, secret, profile }: SecretIdentity): JobCredential {
  const expiresAt = kind === 'access-token' || kind === 'registry-token' ? parseExpiry(secret) : undefined
  return { username: profile?.value ?? USERNAMES[kind], secret, expiresAt, shortLived: false }
}
