import type { Context } from '../context.ts'
import type { Credential, TrustedProfile } from '../credential/credential.ts'
import type { Identity } from '../credential/identity.ts'
import type { AccessToken } from '../iam/client.ts'
import type { Journal, MintedId } from './journal.ts'

/** What the inputs say about the credential to mint. */
export interface MintOptions {
  /** `namespace/repository` by host. */
  readonly repositories: ReadonlyMap<string, readonly string[]>
  /** IAM's ID of the service ID whose temporary key is created: `iam-ServiceId-…`; else empty. */
  readonly serviceId: string
  readonly lifetimeMs: number | undefined
  readonly readOnly: boolean
  /** A trusted profile to assume. */
  readonly profile: TrustedProfile | undefined
}

export interface MintJob extends MintOptions {
  /** A unique name: `icr-login/<owner>/<repo>/<run id>/<attempt>/<login ID>`. */
  readonly name: string
  readonly hosts: readonly string[]
  readonly iamUrl: string
  /** The job's own registry credential. */
  readonly credential: () => Promise<Credential>
  /** The job's own IAM access token. */
  readonly accessToken: () => Promise<AccessToken>
}

/** The credential that was minted for one host. */
export interface Minted {
  readonly host: string
  /** undefined for a repository token, which has none. */
  readonly username: string | undefined
  readonly secret: string
  readonly expiresAt: Date
  /** By the issuer's clock. */
  readonly issuedAt: Date
  /** If it can be revoked. */
  readonly id?: string
  /** Until then the registry may not know it everywhere; milliseconds since 1970. */
  readonly settlesAt?: number
}

/** One method to mint a short-lived credential. */
export interface MintMethod {
  /** The ways to authenticate that can't use it, and why. */
  readonly unsupported: Partial<Record<Identity['kind'], string>>
  readonly maxLifetimeMs: number
  /** Without the input `lifetime`, if it can be chosen. */
  readonly defaultLifetimeMs?: number
  /** What to check if the minted credential can push. */
  readonly policy: string
  /** Mints one credential for each host. @throws UserError if one can't be minted */
  readonly mint: (job: MintJob, journal: Journal, context: Context) => Promise<Minted[]>
  /** If what it mints can be revoked. */
  readonly revoker?: Revoker
}

export type RevokeJob = Pick<MintJob, 'name' | 'hosts' | 'iamUrl' | 'serviceId' | 'accessToken'>

export interface Revoker {
  /** All that have the job's name, over all pages of the list. */
  readonly list: (job: RevokeJob, context: Context) => Promise<MintedId[]>
  /** Revokes one; one that is not found is not an error. */
  readonly remove: (job: RevokeJob, id: MintedId, context: Context) => Promise<void>
  /** Whether one still exists, looked up by its ID, if the service can tell. */
  readonly exists?: (job: RevokeJob, id: MintedId, context: Context) => Promise<boolean>
}

export const HOUR_MS = 3_600_000

/** Of the methods that create something at IBM Cloud that the job's own identity has to revoke. */
export const UNSUPPORTED_IF_REVOCABLE = {
  'access-token': 'what it mints could not be revoked once it has ended',
  'refresh-token': 'only the client that got it can use it',
  'registry-token': 'it is a credential of the registry alone, and IAM does not know it'
} satisfies MintMethod['unsupported']
