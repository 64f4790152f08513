// What the workflows of test/workflows need: IBM's own names lead to the stand-in, over TLS, through a proxy on
// loopback, for the action, for docker, its daemon and skopeo, so that a workflow says nothing that a user's would not.
// Each of two regions has a real docker-registry behind it, with one image.
import { afterAll, beforeAll, beforeEach } from '@jest/globals'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import { WRITER_KEY } from '../cloud/default-world.ts'
import type { RecordedRequest } from '../cloud/recorder.ts'
import type { Registry as StandIn } from '../cloud/registry.ts'
import { download } from '../support/download.ts'
import { needProgram } from '../support/programs.ts'
import { makeSecret, SecretSearch } from '../support/secrets.ts'
import { commitAll, linkPrograms, runAct, type ActOptions, type ActResult } from './act.ts'
import { Clients, mustSucceed } from './clients.ts'
import { startDockerd } from './daemons.ts'
import { storeImagesOf } from './services.ts'

const workflows = join(import.meta.dirname, '../workflows')

const NAMESPACE = 'my-namespace'
/** Is in both regions, with the tag 1.0. */
export const IMAGE = `${NAMESPACE}/app`

export interface RunOptions extends Pick<ActOptions, 'workflow' | 'job' | 'event' | 'secrets' | 'vars'> {
  home: string
  /** What the repository's own test.sh does, which most workflows run after the login; nothing if not given. */
  test?: string
  /** False: there is no docker on the PATH. */
  docker?: boolean
  /** Folders for the end of the PATH. */
  path?: readonly string[]
  /** More variables for all steps. */
  env?: Record<string, string>
  /** A workflow of this text, in the place of one from test/workflows. */
  text?: string
  /** Cancels the job: when it fires, or when the log shows this text. */
  cancel?: AbortSignal | string
}

export interface WorkflowRun extends ActResult {
  /** Secrets that the log shows, in whole or in part, in any form: of all that were given, and all that were sent. */
  shown: string[]
  /** What a job that failed left in RUNNER_TEMP. */
  left: string[]
}

export interface ActServices {
  cloud: Cloud
  /** A home in which docker keeps logins in config.json, as `before` or as a user who has none. */
  newHome(before?: object): string
  run(options: RunOptions): Promise<WorkflowRun>
  /** Images that a registry took, by its host. */
  pushed(): string[]
}

/** What the steps of the workflows call. */
const programs = ['bash', 'cat', 'env', 'sha256sum', 'skopeo', 'sleep']

/** The password of each login, and each token, that a service was shown. */
function credentialsIn(requests: readonly RecordedRequest[]): string[] {
  return requests.flatMap(({ headers, body }) => {
    const [scheme = '', value = ''] = (headers['authorization'] ?? '').split(' ')
    const password = Buffer.from(value, 'base64').toString().split(':').slice(1).join(':')
    const form = new URLSearchParams(body)
    return [scheme === 'Basic' ? password : value, form.get('apikey') ?? '', form.get('password') ?? '']
  })
}

/** Of a token's signature the beginning stands for all. */
function secretsShownIn(log: string, values: readonly string[]): string[] {
  const secrets = [...new Set(values)]
    .filter((value) => value !== '')
    .map((value) => makeSecret(value, value))
  const search = new SecretSearch(
    secrets.map((secret) => ({ ...secret, random: secret.random.slice(0, 96) }))
  )
  return search.find(log).map(({ form, at }) => `${form}: ${log.slice(Math.max(0, at - 40), at + 20)}`)
}

/** act gives each job a folder of its own, but for one in a container, and RUNNER_TEMP is `tmp` in it. */
function leftInTemp(place: string): string[] {
  const folder = join(place, 'act')
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  return names.flatMap((name) => /^\w+\/tmp\/(.+)/u.exec(name)?.[1] ?? [])
}

async function publish(clients: Clients, { host }: StandIn, home: string): Promise<void> {
  const skopeo = clients.all.find(({ name }) => name === 'skopeo')
  if (skopeo === undefined) throw new Error('no skopeo')
  const image = `${host}/${IMAGE}:1.0`
  await skopeo.make(image, `an image of ${host}`)
  mustSucceed(await skopeo.login({ home }, host, 'iamapikey', WRITER_KEY))
  mustSucceed(await skopeo.push({ home }, image))
}

/** The action as a runner downloads it, and the workflows that use it, in a repository with something to build. */
async function makeRepository(folder: string): Promise<void> {
  await download(folder)
  cpSync(workflows, join(folder, '.github', 'workflows'), { recursive: true })
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY action.yml /\n')
}

/**
 * docker and its daemon look the names of registries up, to find out whether they lie on this machine, and then go
 * through the proxy. In a file that stands in for /etc/hosts, for them alone, they find an address that is nobody's
 * (RFC 5737), and ask no one.
 */
function findNamesIn(file: string): string[] {
  writeFileSync(file, '127.0.0.1 localhost\n192.0.2.1 us.icr.io de.icr.io private.us.icr.io\n')
  const become = '"$1" --bind "$2" /etc/hosts && shift 2 && exec "$@"'
  const [unshare = '', sh = '', mount = ''] = ['unshare', 'sh', 'mount'].map(needProgram)
  return [unshare, '--mount', sh, '-c', become, 'sh', mount, file]
}

/** What call-shared.yml calls, as `owner/name@commit`. */
function sharedWorkflows(): string {
  const text = readFileSync(join(workflows, 'call-shared.yml'), 'utf8')
  const [, name = '', commit = ''] = /uses: ([\w-]+\/[\w-]+)\S+(@[0-9a-f]{40})/u.exec(text) ?? []
  return name + commit
}

type Close = () => Promise<void> | void

class Running implements ActServices {
  readonly cloud: Cloud
  readonly #folder: string
  readonly #closers: Close[]
  #env: Record<string, string> = {}
  #before: string[] = []
  #folders = 0

  constructor(cloud: Cloud, folder: string, closers: Close[]) {
    this.cloud = cloud
    this.#folder = folder
    this.#closers = closers
  }

  async start(): Promise<void> {
    const { url, caPem } = await this.cloud.startProxy()
    const ca = join(this.#folder, 'ca.pem')
    writeFileSync(ca, caPem)
    const names = { HTTPS_PROXY: url, HTTP_PROXY: url, SSL_CERT_FILE: ca, NODE_EXTRA_CA_CERTS: ca }
    await makeRepository(join(this.#folder, 'repository'))
    this.#before = findNamesIn(join(this.#folder, 'hosts'))
    const dockerd = await startDockerd(names, this.#before)
    this.#closers.push(() => dockerd.stop())
    this.#env = { ...names, DOCKER_HOST: dockerd.host, LANG: 'C.UTF-8' }
    await this.#storeImages(new Clients(dockerd.host))
  }

  async #storeImages(clients: Clients): Promise<void> {
    this.#closers.push(() => {
      clients.close()
    })
    for (const registry of this.cloud.registries) {
      const images = await storeImagesOf(registry)
      this.#closers.push(() => images.stop())
      await publish(clients, registry, this.#newFolder('publisher'))
    }
  }

  #newFolder(name: string): string {
    this.#folders += 1
    const folder = join(this.#folder, `${name}-${this.#folders}`)
    mkdirSync(folder)
    return folder
  }

  newHome(before: object = { auths: { 'x.invalid': {} } }): string {
    const home = this.#newFolder('home')
    mkdirSync(join(home, '.docker'), { mode: 0o700 })
    writeFileSync(join(home, '.docker', 'config.json'), JSON.stringify(before), { mode: 0o600 })
    return home
  }

  async #repository(place: string, { test = ':', workflow, text }: RunOptions): Promise<string> {
    const repository = join(place, 'repository')
    cpSync(join(this.#folder, 'repository'), repository, { recursive: true })
    writeFileSync(join(repository, 'test.sh'), test)
    if (text !== undefined) writeFileSync(join(repository, '.github', 'workflows', workflow), text)
    await commitAll(repository, place)
    return repository
  }

  async run(options: RunOptions): Promise<WorkflowRun> {
    const { home, docker = true, path = [], env = {}, cancel } = options
    const place = this.#newFolder('place')
    const bin = linkPrograms(join(place, 'bin'), docker ? [...programs, 'docker'] : programs)
    const action = join(this.#folder, 'repository')
    const seen = new AbortController()
    const result = await runAct({
      ...options,
      place,
      before: this.#before,
      repository: await this.#repository(place, options),
      repositories: { 'icr-login/icr-login@v1': action, [sharedWorkflows()]: action },
      env: { ...this.#env, ...env, PATH: [bin, ...path].join(delimiter), HOME: home },
      signal: cancel instanceof AbortSignal ? cancel : seen.signal,
      onLog: (log) => {
        if (typeof cancel === 'string' && log.includes(cancel)) seen.abort()
      }
    })
    const secrets = [...Object.values(options.secrets ?? {}), ...credentialsIn(this.cloud.requests)]
    return { ...result, shown: secretsShownIn(result.log, secrets), left: leftInTemp(place) }
  }

  pushed(): string[] {
    return this.cloud.requests
      .filter(
        ({ method, path, status }) => method === 'PUT' && path.includes('/manifests/') && status === 201
      )
      .map(({ host, path }) => `${host} ${path.replace('/v2/', '').replace('/manifests/', ':')}`)
      .sort()
  }
}

async function startServices(closers: Close[]): Promise<ActServices> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'icr-login-act-')))
  closers.push(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const cloud = await startCloud({ registry: { namespaces: [NAMESPACE] } })
  closers.push(() => cloud.close())
  await cloud.addRegistry({ region: 'eu-de', namespaces: [NAMESPACE] })
  const services = new Running(cloud, folder, closers)
  await services.start()
  return services
}

/** For a test file: call it once, at the top. The services is there in its tests; each finds no request before its own. */
export function useActServices(): () => ActServices {
  let services: ActServices | undefined
  const closers: Close[] = []

  beforeAll(async () => {
    services = await startServices(closers)
  })

  beforeEach(() => {
    services?.cloud.requests.splice(0)
  })

  afterAll(async () => {
    for (const close of closers.splice(0).reverse()) await close()
  })

  return () => {
    if (services === undefined) throw new Error('the services is not there yet')
    return services
  }
}
