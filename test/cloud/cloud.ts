// IBM Cloud on loopback: IAM, regions' registries, the metadata service and, if asked for, a proxy
// under which they have their real names. One process, one world, one list of requests.
import type { CertificateKind } from './certificates.ts'
import { makeSigningKey } from './certificates.ts'
import { issueAccessToken } from './access-tokens.ts'
import type { World } from './world.ts'
import { ACCOUNT_ID, defaultWorld, NAMESPACE, POD_ID, REGION, REPOSITORY, TAGS } from './default-world.ts'
import type { FaultRule } from './faults.ts'
import { serve } from './http.ts'
import type { Wire } from './http.ts'
import { iamHandler } from './iam.ts'
import type { Iam } from './iam.ts'
import type { SigningKey } from './jwt.ts'
import { watch } from './matching.ts'
import type { Match, Stage } from './matching.ts'
import { metadataHandler } from './metadata.ts'
import { startProxy } from './proxy.ts'
import type { Proxy, ProxyRoute } from './proxy.ts'
import type { RecordedRequest } from './recorder.ts'
import { IAM_HOSTS, hostsOfRegion } from './regions.ts'
import { REGISTRY_DEFAULTS, registryHandler } from './registry.ts'
import type { Registry, RegistryOptions } from './registry.ts'

export interface CloudOptions {
  /** Of the first registry. */
  registry?: Partial<RegistryOptions>
  /** How far away all of it is, in milliseconds; 0 if not given. See `Wire`. */
  roundTripMs?: number
}

export interface CloudProxyOptions {
  user?: string
  password?: string
  /** What to show under a name in place of a good certificate. */
  certificates?: Record<string, CertificateKind>
  /** More names, beside IBM's for each region there is. */
  names?: Record<string, 'iam' | Registry>
}

export interface Cloud {
  iamUrl: string
  metadataUrl: string
  registries: Registry[]
  /** The first registry's host and port. */
  registryHost: string
  world: World
  /** All services', in the order in which they came. */
  requests: RecordedRequest[]
  faults: FaultRule[]
  /** Resolves when the next such request gets so far, at that very moment. */
  when: (match: Match, stage: Stage) => Promise<void>
  /** What lies in the token file of a pod that may become the default trusted profile. */
  crToken: string
  /** An access token of an identity, by its ID: as if IAM had given it; it may have ended already. */
  accessToken: (identityId: string, seconds?: number) => string
  /** A refresh token such as the CLI (`bx`) holds. */
  refreshToken: (identityId: string) => string
  addRegistry: (options?: Partial<RegistryOptions>) => Promise<Registry>
  startProxy: (options?: CloudProxyOptions) => Promise<Proxy>
  close: () => Promise<void>
}

interface Keys {
  iam: SigningKey
  registry: SigningKey
}

/** Made once for all clouds of a process: RSA keys take their time. */
let keys: Promise<Keys> | undefined

async function makeKeys(): Promise<Keys> {
  const [iam, registry] = await Promise.all([
    makeSigningKey('stand-in IAM'),
    makeSigningKey('stand-in registry')
  ])
  return { iam, registry }
}

/** All that is running: the services to close, and what they share. */
interface Services extends Wire {
  world: World
  keys: Keys
  iam: Iam
  registries: Registry[]
  closers: (() => Promise<void>)[]
}

export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  keys ??= makeKeys()
  const world = defaultWorld()
  const ready = await keys
  const iam = { world, key: ready.iam }
  const services: Services = {
    world,
    keys: ready,
    iam,
    registries: [],
    requests: [],
    faults: [],
    watchers: [],
    roundTripMs: options.roundTripMs ?? 0,
    closers: []
  }
  const iamService = await serve('iam', iamHandler(iam), services)
  const metadata = await serve('metadata', metadataHandler(iam), services)
  services.closers.push(iamService.close, metadata.close)
  const first = await addRegistry(services, options.registry)
  return {
    iamUrl: `http://${iamService.host}`,
    metadataUrl: `http://${metadata.host}`,
    registries: services.registries,
    registryHost: first.host,
    world,
    requests: services.requests,
    faults: services.faults,
    when: (match, stage) => watch(services.watchers, match, stage),
    crToken: podToken(world),
    accessToken: (identityId, seconds) => accessToken(services, identityId, seconds),
    refreshToken: (identityId) => refreshToken(world, identityId),
    addRegistry: (given) => addRegistry(services, given),
    startProxy: (given) => addProxy(services, given),
    close: async () => {
      await Promise.all(services.closers.map((close) => close()))
    }
  }
}

async function addRegistry(services: Services, given: Partial<RegistryOptions> = {}): Promise<Registry> {
  const options: RegistryOptions = { ...REGISTRY_DEFAULTS, region: REGION, namespaces: [NAMESPACE], ...given }
  if (options.opaqueTokens && options.upstream !== undefined) {
    throw new Error('a real docker-registry cannot read opaque tokens')
  }
  const { world } = services
  const handler = registryHandler(() => registry)
  const { host, close } = await serve('registry', handler, services)
  const registry: Registry = {
    ...options,
    host,
    world,
    key: services.keys.registry,
    iamKey: services.keys.iam,
    given: new Map(),
    handler
  }
  stock(world, options)
  services.registries.push(registry)
  services.closers.push(close)
  return registry
}

/** Gives a region its namespaces, and the image of the default world if it has a place there. */
function stock(world: World, { region, namespaces }: RegistryOptions): void {
  for (const name of namespaces) world.addNamespace({ name, region, accountId: ACCOUNT_ID })
  if (namespaces.includes(NAMESPACE)) world.addImage({ region, repository: REPOSITORY, tags: [...TAGS] })
}

async function addProxy(services: Services, options: CloudProxyOptions = {}): Promise<Proxy> {
  const { user, password, certificates = {} } = options
  const routes = new Map(namesOf(services, options).map(([name, target]) => [name, route(services, target)]))
  for (const [name, certificate] of Object.entries(certificates)) {
    const known = routes.get(name)
    if (known) known.certificate = certificate
  }
  const access = user === undefined ? {} : { user, password: password ?? '' }
  const proxy = await startProxy({ routes, ...access }, services)
  services.closers.push(proxy.close)
  return proxy
}

type Target = 'iam' | Registry

function namesOf(services: Services, { names = {} }: CloudProxyOptions): [string, Target][] {
  const iam = IAM_HOSTS.map((name): [string, Target] => [name, 'iam'])
  const registries = services.registries.flatMap((registry) =>
    hostsOfRegion(registry.region).map((name): [string, Target] => [name, registry])
  )
  return [...iam, ...registries.reverse(), ...Object.entries(names)]
}

function route(services: Services, target: Target): ProxyRoute {
  return target === 'iam'
    ? { service: 'iam', handler: iamHandler(services.iam) }
    : { service: 'registry', handler: target.handler }
}

function podToken(world: World): string {
  return world.computeResources.find(({ id }) => id === POD_ID)?.token ?? ''
}

function accessToken({ world, keys }: Services, identityId: string, seconds?: number): string {
  const identity = world.identity(identityId)
  if (identity === undefined) throw new Error(`no identity ${identityId} in this world`)
  const issuing = { grantType: 'urn:ibm:params:oauth:grant-type:apikey', clientId: 'default' }
  return issueAccessToken(
    world,
    keys.iam,
    identity,
    seconds === undefined ? issuing : { ...issuing, seconds }
  )
}

function refreshToken(world: World, identityId: string): string {
  const identity = world.identity(identityId)
  if (identity === undefined) throw new Error(`no identity ${identityId} in this world`)
  const { iamId, accountId } = identity
  return world.addSession({ iamId, accountId, clientId: 'bx' }).refreshToken
}
