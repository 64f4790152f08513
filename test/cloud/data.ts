// What there is in the world that the services answer from.
// Times are seconds since 1970. Terms and limits: docs/references.md.
export type Role = 'Reader' | 'Writer' | 'Manager'

/** The two of the platform's roles that let their holder change something. */
export type PlatformRole = 'Operator' | 'Administrator'

export interface Account {
  id: string
  /** False: "… or your IBM Cloud account is not active" ("Registry authentication"). */
  active: boolean
  /** True: the registry is reached over the private network only ("Registry authentication"). */
  privateOnly: boolean
  /** Clients that may log in; not given: all ("Registry authentication"). */
  allowedIps: string[] | undefined
  /** True: a context-based restriction takes every right away ("Registry authentication", `insufficient scope`). */
  contextRestricted: boolean
  pullQuotaExceeded: boolean
  storageQuotaExceeded: boolean
  /** At most an hour; an account may set less ("IAM tokens"). */
  accessTokenSeconds: number
}

interface IdentityBase {
  /** `ServiceId-…`, `Profile-…` or `IBMid-…`. */
  id: string
  /** The same as policies and keys know it: `iam-ServiceId-…`, `iam-Profile-…`, `IBMid-…`. */
  iamId: string
  accountId: string
  name: string
}

export interface User extends IdentityBase {
  kind: 'user'
  /** True: IAM wants more than a key, BXNIM0400E ("IAM errors"). */
  mfa: boolean
}

export interface ServiceId extends IdentityBase {
  kind: 'service-id'
}

export interface Profile extends IdentityBase {
  kind: 'profile'
  crn: string
  /** IDs of the compute resources, and IAM IDs of the users and service IDs, that may become it. */
  trusts: string[]
}

export type Identity = User | ServiceId | Profile

export interface ApiKey {
  id: string
  value: string
  iamId: string
  accountId: string
  name: string
  description: string
  crn: string
  entityTag: string
  createdAt: number
  createdBy: string
  expiresAt: number | undefined
  disabled: boolean
  /** Keeps it from being deleted or changed, not from being used. */
  locked: boolean
  /** True: its value can be read again, which a service ID's key may allow. */
  storeValue: boolean
  actionWhenLeaked: string
  supportSessions: boolean
  /** Milliseconds since 1970 by the machine's clock, until which nobody knows it yet. */
  usableFrom: number
  /** Whether it is unknown again after its first use. */
  relapses: boolean
  /** Milliseconds since 1970 by the machine's clock, until which no list shows it. */
  listedFrom: number
}

/** What an identity may do to another one's keys, or to a service as a whole. */
export interface PlatformRight {
  iamId: string
  role: PlatformRole
  /** The IAM ID of a service ID, or a service's name. */
  on: string
}

/** Something of IBM's that runs jobs, such as a pod or a virtual server ("Keyless"). */
export interface ComputeResource {
  id: string
  accountId: string
  /** What lies in its token file. */
  token: string
  /** The profile it becomes when none is named. */
  defaultProfileId: string | undefined
}

export interface Policy {
  id: string
  accountId: string
  iamId: string
  role: Role
  /** Not given: every region. The global registry is no region ("Registry authentication"). */
  region: string | undefined
  namespace: string | undefined
}

/** What stands behind an IAM refresh token. */
export interface Session {
  id: string
  refreshToken: string
  clientId: string
  iamId: string
  accountId: string
  expiresAt: number
  usedAt: number
}

export interface Namespace {
  name: string
  region: string
  accountId: string
}

export interface Image {
  region: string
  /** `namespace/repository` */
  repository: string
  tags: string[]
  /** True: pulled without a login, as IBM's own images are. */
  public: boolean
}

/** What the `token` user was ("Registry tokens"). */
export interface RegistryToken {
  id: string
  value: string
  accountId: string
  region: string
  description: string
  /** The host that gave it, by the name under which it was asked. */
  issuer: string
  readOnly: boolean
  revoked: boolean
  /** Not given: permanent. */
  expiresAt: number | undefined
}

/** A registry's refresh token: what docker stores as `identitytoken` in place of the secret. */
export interface IdentityToken {
  value: string
  region: string
  username: string
  password: string
}
