// The world that the services answer from: plain data that a test sets up and may change at any time.
import { randomBytes, randomUUID } from 'node:crypto'
import type {
  Account,
  User,
  ServiceId,
  Profile,
  Identity,
  ApiKey,
  PlatformRight,
  PlatformRole,
  ComputeResource,
  Policy,
  Session,
  Namespace,
  Image,
  RegistryToken,
  IdentityToken
} from './data.ts'
import { signHs256 } from './jwt.ts'

type Given<T, K extends keyof T> = Partial<T> & Pick<T, K>

/** The name of the registry as a service. */
export const REGISTRY_SERVICE = 'container-registry'

export class World {
  accounts: Account[] = []
  identities: Identity[] = []
  apiKeys: ApiKey[] = []
  computeResources: ComputeResource[] = []
  policies: Policy[] = []
  platformRights: PlatformRight[] = []
  sessions: Session[] = []
  namespaces: Namespace[] = []
  images: Image[] = []
  registryTokens: RegistryToken[] = []
  identityTokens: IdentityToken[] = []
  /** Seconds by which this world is ahead of the machine's clock. */
  ahead = 0
  /** How long a key that was made through the API is unknown at first ("API keys": not known). */
  keyDelayMs = 0
  /** After such a key was used for the first time, how long it is unknown again: a part that lags (section 3.5: [?]). */
  keyRelapseMs = 0
  /**
   * How long the list leaves such a key out. No figure is known for keys; IBM's other IAM objects take up to minutes
   * to show up (terraform-provider-ibm#4478).
   */
  keyListDelayMs = 0
  /** So many deletions of keys are answered, and change nothing yet: by 404 (`unknown`) or by 204. As above. */
  lostDeletions: { answer: 204 | 404; times: number } = { answer: 204, times: 0 }

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
      createdBy: given.iamId,
      expiresAt: undefined,
      disabled: false,
      locked: false,
      storeValue: false,
      actionWhenLeaked: 'none',
      supportSessions: false,
      usableFrom: 0,
      relapses: false,
      listedFrom: 0,
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

  /** Lets one identity make and delete another one's keys. Both by their IDs. */
  addOperator(callerId: string, serviceId: string, role: PlatformRole = 'Operator'): PlatformRight {
    const right = { iamId: this.iamIdOf(callerId), role, on: this.iamIdOf(serviceId) }
    return added(this.platformRights, right)
  }

  /** Lets an identity make registry tokens ("Registry tokens"). */
  addRegistryAdministrator(callerId: string): PlatformRight {
    return this.addOperator(callerId, REGISTRY_SERVICE, 'Administrator')
  }

  mayAs(roles: PlatformRole[], iamId: string, on: string): boolean {
    return this.platformRights.some(
      (right) => right.iamId === iamId && right.on === on && roles.includes(right.role)
    )
  }

  addSession(given: Given<Session, 'iamId' | 'accountId' | 'clientId'>): Session {
    return added(this.sessions, {
      id: `C-${randomUUID()}`,
      refreshToken: randomBytes(150).toString('base64url'),
      expiresAt: this.now() + 72 * 3600, // "IAM tokens"
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

  /** Section 2.2: an HS256 JWT whose `jti` is its ID, for 24 hours unless it is permanent (`expiresAt: undefined`). */
  addRegistryToken(given: Given<RegistryToken, 'region'>): RegistryToken {
    const id = given.id ?? randomUUID()
    const expiresAt = 'expiresAt' in given ? given.expiresAt : this.now() + 24 * 3600
    const ends = expiresAt === undefined ? {} : { exp: expiresAt }
    const issuer = given.issuer ?? 'registry.ng.bluemix.net'
    const value = signHs256({ ...ends, jti: id, iss: issuer }, randomBytes(32).toString('hex'))
    const token = {
      id,
      value,
      accountId: this.home(),
      description: '',
      issuer,
      readOnly: true,
      revoked: false,
      expiresAt
    }
    return added(this.registryTokens, { ...token, ...given })
  }

  identity(iamIdOrId: string): Identity | undefined {
    return this.identities.find(({ id, iamId }) => id === iamIdOrId || iamId === iamIdOrId)
  }

  private iamIdOf(id: string): string {
    return this.identity(id)?.iamId ?? id
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
