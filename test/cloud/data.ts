// The world that the services answer from: plain data that a test sets up and may change at any time.
// Times are seconds since 1970. Terms and limits: facts/ibm-cloud.md, sections 2, 3 and 4.
import { randomBytes, randomUUID } from 'node:crypto'

export type Role = 'Reader' | 'Writer' | 'Manager'

export interface Account {
  id: string
  /** False: "… or your IBM Cloud account is not active" (section 4). */
  active: boolean
  /** True: the registry is reached over the private network only (section 4). */
  privateOnly: boolean
  /** Clients that may log in; not given: all (section 1.5). */
  allowedIps: string[] | undefined
  /** True: a context-based restriction takes every right away (section 4, `insufficient scope`). */
  contextRestricted: boolean
  pullQuotaExceeded: boolean
  storageQuotaExceeded: boolean
  /** At most an hour; an account may set less (section 3.1). */
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
  /** True: IAM wants more than a key, BXNIM0400E (section 3.3). */
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
  expiresAt: number | undefined
  disabled: boolean
  /** Keeps it from being deleted or changed, not from being used. */
  locked: boolean
}

/** Something of IBM's that runs jobs, such as a pod or a virtual server (section 6). */
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
  /** Not given: every region. The global registry is no region (section 3.5). */
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

/** What the `token` user was (section 2). */
export interface RegistryToken {
  id: string
  value: string
  accountId: string
  region: string
  description: string
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

type Given<T, K extends keyof T> = Partial<T> & Pick<T, K>

export class World {
  accounts: Account[] = []
  identities: Identity[] = []
  apiKeys: ApiKey[] = []
  computeResources: ComputeResource[] = []
  policies: Policy[] = []
  sessions: Session[] = []
  namespaces: Namespace[] = []
  images: Image[] = []
  registryTokens: RegistryToken[] = []
  identityTokens: IdentityToken[] = []
  /** Seconds by which this world is ahead of the machine's clock. */
  ahead = 0

  now(): number {
    return Math.floor(Date.now() / 1000) + this.ahead
  }

  addAccount(given: Partial<Account> = {}): Account {
    return added(this.accounts, {
      id: randomBytes(16).toString('hex'),
      active: true,
      privateOnly: false,
      allowedIps: undefined,
      contextRestricted: false,
      pullQuotaExceeded: false,
      storageQuotaExceeded: false,
      accessTokenSeconds: 3600,
      ...given
    })
  }

  addUser(given: Partial<User> = {}): User {
    const id = given.id ?? `IBMid-${randomBytes(5).toString('hex').toUpperCase()}`
    const user: User = {
      kind: 'user',
      id,
      iamId: id,
      accountId: this.home(),
      name: 'dev@example.test',
      mfa: false
    }
    return added(this.identities, { ...user, ...given }) as User
  }

  addServiceId(given: Partial<ServiceId> = {}): ServiceId {
    const id = given.id ?? `ServiceId-${randomUUID()}`
    const serviceId: ServiceId = {
      kind: 'service-id',
      id,
      iamId: `iam-${id}`,
      accountId: this.home(),
      name: 'ci'
    }
    return added(this.identities, { ...serviceId, ...given }) as ServiceId
  }

  addProfile(given: Partial<Profile> = {}): Profile {
    const id = given.id ?? `Profile-${randomUUID()}`
    const accountId = given.accountId ?? this.home()
    const crn = `crn:v1:bluemix:public:iam-identity::a/${accountId}::profile:${id}`
    const profile: Profile = {
      kind: 'profile',
      id,
      iamId: `iam-${id}`,
      accountId,
      name: 'ci',
      crn,
      trusts: []
    }
    return added(this.identities, { ...profile, ...given }) as Profile
  }

  addApiKey(given: Given<ApiKey, 'iamId'>): ApiKey {
    const id = given.id ?? `ApiKey-${randomUUID()}`
    const accountId = this.identity(given.iamId)?.accountId ?? this.home()
    return added(this.apiKeys, {
      id,
      value: randomBytes(33).toString('base64url'), // 44 characters, as IBM's are
      accountId,
      name: 'key',
      description: '',
      crn: `crn:v1:bluemix:public:iam-identity::a/${accountId}:${given.iamId}:apikey:${id}`,
      entityTag: `1-${randomBytes(16).toString('hex')}`,
      createdAt: this.now(),
      expiresAt: undefined,
      disabled: false,
      locked: false,
      ...given
    })
  }

  addComputeResource(given: Given<ComputeResource, 'token'>): ComputeResource {
    const id = `crn:v1:bluemix:public:compute:::${randomUUID()}`
    return added(this.computeResources, { id, accountId: this.home(), defaultProfileId: undefined, ...given })
  }

  addPolicy(given: Given<Policy, 'iamId' | 'role'>): Policy {
    const accountId = this.identity(given.iamId)?.accountId ?? this.home()
    return added(this.policies, {
      id: randomUUID(),
      accountId,
      region: undefined,
      namespace: undefined,
      ...given
    })
  }

  addSession(given: Given<Session, 'iamId' | 'accountId' | 'clientId'>): Session {
    return added(this.sessions, {
      id: `C-${randomUUID()}`,
      refreshToken: randomBytes(150).toString('base64url'),
      expiresAt: this.now() + 72 * 3600, // section 3.1
      usedAt: this.now(),
      ...given
    })
  }

  addNamespace(given: Given<Namespace, 'name' | 'region'>): Namespace {
    return added(this.namespaces, { accountId: this.home(), ...given })
  }

  addImage(given: Given<Image, 'repository' | 'region'>): Image {
    return added(this.images, { tags: ['latest'], public: false, ...given })
  }

  identity(iamIdOrId: string): Identity | undefined {
    return this.identities.find(({ id, iamId }) => id === iamIdOrId || iamId === iamIdOrId)
  }

  account(id: string): Account | undefined {
    return this.accounts.find((account) => account.id === id)
  }

  profile(matches: (profile: Profile) => boolean): Profile | undefined {
    return this.identities.filter((identity) => identity.kind === 'profile').find(matches)
  }

  /** The account that things belong to unless a test says otherwise: the first one. */
  private home(): string {
    return (this.accounts[0] ?? this.addAccount()).id
  }
}

function added<T>(list: T[], item: T): T {
  list.push(item)
  return item
}
