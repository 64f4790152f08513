// A region's registry: docs/references.md, "Registry authentication". One host and port, with its token service.
import { Readable } from 'node:stream'
import type { World } from './world.ts'
import { bearerFrom, json } from './http.ts'
import type { Handler, Reply, Request } from './http.ts'
import type { Claims, SigningKey } from './jwt.ts'
import { allowedActions, denialOf, namespaceOf } from './registry-access.ts'
import type { Caller } from './registry-access.ts'
import { challenge, denied, unknownName } from './registry-errors.ts'
import { answerTokenApi } from './registry-token-api.ts'
import { giveToken, readToken } from './registry-tokens.ts'
import type { Bearer } from './registry-tokens.ts'
import { passOn } from './upstream.ts'

export interface RegistryOptions {
  region: string
  /** The namespaces that it has from the start. */
  namespaces: string[]
  /** A real docker-registry that stores the images, such as `http://127.0.0.1:5000`. */
  upstream: string | undefined
  /** True: gives docker an identity token when it asks for one. Whether IBM does is not known. */
  identityTokens: boolean
  /** True: still speaks the registry tokens that IBM ended in 2021. */
  registryTokens: boolean
  /** How it refuses to make one where it does not: with the words of IBM's CLI, or with a plain 404. */
  registryTokenApi: 'gone' | 'missing'
  /** True: plays the private network's host although its name does not say so. */
  private: boolean
  /** False: knows GET only, and answers POST with 405. */
  postForm: boolean
  /** Not false: more than may be granted is refused, not cut down to what may; by 403 (true) or by 401. */
  refusesLargerScope: boolean | 401
  /** True: a token says nothing of what it grants; only this registry knows. Not with an upstream. */
  opaqueTokens: boolean
  /** True: gives out tokens, and accepts none, as a registry whose token service signs with a key it does not trust. */
  refusesBearers: boolean
  /** IBM's figure is not known. */
  tokenSeconds: number
  /** False: no `expires_in`. */
  saysLifetime: boolean
}

export interface Registry extends RegistryOptions {
  /** 127.0.0.1:PORT */
  host: string
  world: World
  key: SigningKey
  iamKey: SigningKey
  /** The opaque tokens that it gave, and what each stands for. */
  given: Map<string, Claims>
  handler: Handler
}

export const REGISTRY_DEFAULTS: Omit<RegistryOptions, 'region' | 'namespaces'> = {
  upstream: undefined,
  identityTokens: false,
  registryTokens: false,
  registryTokenApi: 'gone',
  private: false,
  postForm: true,
  refusesLargerScope: false,
  opaqueTokens: false,
  refusesBearers: false,
  tokenSeconds: 3600,
  saysLifetime: true
}

export function registryHandler(registry: () => Registry): Handler {
  return (request) => {
    if (request.path === '/oauth/token') return giveToken(registry(), request)
    if (request.path === '/v2/' || request.path.startsWith('/v2/')) return answerV2(registry(), request)
    if (/^\/api\/v1\/tokens(?:\/|$)/.test(request.path)) return answerTokenApi(registry(), request)
    return { status: 404 }
  }
}

function answerV2(registry: Registry, request: Request): Reply | Promise<Reply> {
  const token = bearerFrom(request.headers['authorization'])
  const bearer = token === undefined || registry.refusesBearers ? undefined : readToken(registry, token)
  if (bearer === undefined) return challenge(request.origin, neededScope(request))
  requireQuota(registry, request)
  return registry.upstream === undefined
    ? answerAlone(registry, request, bearer)
    : answerThrough(registry.upstream, registry, request, bearer.caller)
}

/** The real registry decides; its refusal is put in IBM's words. */
async function answerThrough(
  upstream: string,
  registry: Registry,
  request: Request,
  caller: Caller
): Promise<Reply> {
  const reply = await passOn(upstream, request)
  if (reply.status !== 401) return reply
  if (reply.body instanceof Readable) reply.body.resume()
  return refuse(registry, request, caller)
}

/** Without a real registry there are logins and lists of tags, but no image to move. */
function answerAlone(registry: Registry, request: Request, { caller, access }: Bearer): Reply {
  if (request.path === '/v2/') return json(200, {})
  const repository = repositoryOf(request.path)
  if (repository === undefined) return { status: 404 }
  const granted = access.filter(({ name }) => name === repository).flatMap(({ actions }) => actions)
  if (!neededActions(request).every((action) => granted.includes(action)))
    return refuse(registry, request, caller)
  const image = registry.world.images.find(
    (candidate) => candidate.region === registry.region && candidate.repository === repository
  )
  if (image === undefined || !request.path.endsWith('/tags/list')) return unknownName()
  return json(200, { name: repository, tags: image.tags })
}

/** Who could have asked for a token that does is told to; who could not is denied. */
function refuse(registry: Registry, request: Request, caller: Caller): Reply {
  const repository = repositoryOf(request.path) ?? ''
  const may = allowedActions(registry.world, registry.region, caller, repository)
  if (neededActions(request).every((action) => may.includes(action))) {
    return challenge(request.origin, neededScope(request))
  }
  throw denied(denialOf(registry.world, registry.region, caller, repository))
}

/** Section 4: a quota comes as `denied:` on a blob, not as 429. */
function requireQuota({ world, region }: Registry, request: Request): void {
  const repository = repositoryOf(request.path) ?? ''
  const account = world.account(namespaceOf(world, region, repository)?.accountId ?? '')
  const pulls = request.method === 'GET' && request.path.includes('/blobs/')
  if (pulls && account?.pullQuotaExceeded === true) throw denied('pullQuota')
  const pushes = request.method === 'POST' && request.path.includes('/blobs/uploads/')
  if (pushes && account?.storageQuotaExceeded === true) throw denied('storageQuota')
}

function neededScope(request: Request): string | undefined {
  const repository = repositoryOf(request.path)
  if (repository === undefined) return undefined
  const scope = `repository:${repository}:${neededActions(request).join(',')}`
  const from = request.query.get('from') // a layer is mounted from another repository
  return from === null ? scope : `${scope} repository:${from}:pull`
}

function neededActions({ method }: Request): string[] {
  if (method === 'GET' || method === 'HEAD') return ['pull']
  return method === 'DELETE' ? ['delete'] : ['pull', 'push']
}

function repositoryOf(path: string): string | undefined {
  return /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)\//.exec(path)?.[1]
}
