import type { Context } from '../context.ts'
import type { Credential, SecretKind, TrustedProfile } from '../credential/credential.ts'
import type { Identity } from '../credential/identity.ts'
import type { AccessToken } from '../iam/client.ts'
import type { MintInputs } from './inputs.ts'

/** Who mints: the kind of secret that was given, or a trusted profile alone. */
export type AuthMethod = SecretKind | 'keyless'

/** The job that mints. */
export interface MintJob {
  readonly hosts: readonly string[]
  readonly identity: Identity
  readonly iamUrl: string
  readonly mint: MintInputs
  /** Names this use of the action. */
  readonly loginId: string
}

/** What a method is asked to mint. */
export interface MintOrder {
  /** A name that nothing else has: `icr-login/<owner>/<repo>/<run id>/<attempt>/<nonce>`. */
  readonly name: string
  readonly hosts: readonly string[]
  /** `namespace/repository` by host. */
  readonly repositories: ReadonlyMap<string, readonly string[]>
  readonly readOnly: boolean
  readonly lifetimeMs: number | undefined
  readonly iamUrl: string
  /** IAM's ID of the service ID whose key is made: `iam-ServiceId-…`. */
  readonly serviceId: string | undefined
  /** A trusted profile to assume. */
  readonly profile: TrustedProfile | undefined
  /** The job's own credential for the registry. */
  credential(): Promise<Credential>
  /** The job's own IAM access token. */
  accessToken(): Promise<AccessToken>
}

/** What was made for one host. */
export interface Minted {
  readonly host: string
  /** undefined for a repository token, which belongs to no user. */
  readonly username: string | undefined
  readonly secret: string
  readonly expiresAt: Date
  /** When it was made, by the clock of whoever made it. */
  readonly issuedAt: Date
  /** Of what can be revoked. */
  readonly id?: string
}

/** What was made and can be revoked: its ID, and the host that it belongs to where it does. */
export interface MintedId {
  readonly id: string
  readonly host?: string
}

/** Writes down, before and after each request, what a way may leave behind. */
export interface MintRecord {
  /** For `Request.watch`: from here on something may be made that nobody knows of, unless the request is refused. */
  readonly watch: () => (status: number | undefined) => void
  /** Writes down the ID of what was made, and when it ends. */
  readonly made: (id: MintedId, expiresAt: Date) => void
}

/** What post needs to find and remove what was made. */
export interface RevokeOrder {
  readonly name: string
  readonly hosts: readonly string[]
  readonly iamUrl: string
  readonly serviceId: string | undefined
  accessToken(): Promise<string>
}

/** One way to a short-lived credential. */
export interface MintMethod {
  /** Who can't use it, and why. */
  readonly unsupported: Partial<Record<AuthMethod, string>>
  /** The longest that it can last. */
  readonly maxLifetimeMs: number
  /** How long it lasts where no `lifetime` was given, if that can be chosen. */
  readonly defaultLifetimeMs?: number
  /** Where to look when the registry would let it push. */
  readonly policy: string
  /**
   * Makes it: one for each host.
   * @throws UserError where it can't be made
   */
  readonly mint: (order: MintOrder, record: MintRecord, context: Context) => Promise<Minted[]>
  /** Only of what can be revoked. */
  readonly revoker?: Revoker
}

export interface Revoker {
  /** All that carries the order's name, over all pages of the list. */
  readonly list: (order: RevokeOrder, context: Context) => Promise<MintedId[]>
  /** Removes one; what is gone already is no error. */
  readonly remove: (order: RevokeOrder, id: MintedId, context: Context) => Promise<void>
}

export const HOUR_MS = 3_600_000

// Why a secret does not go with a way; more than one way says so.
export const ONLY_ITS_CLIENT = 'only the client that got it can use it'
export const REGISTRY_ONLY = 'it is a credential of the registry alone, and IAM does not know it'
export const NOT_REVOCABLE_LATER = 'what it mints could not be revoked once it has ended'
