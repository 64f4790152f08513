// Every way in which a network can stumble, at every place that the action asks: what passes costs a job nothing,
// what stays ends it in time, and no step is ever green without its work.
import { afterAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import { OPERATOR_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { FAULTS, statusFault, type Fault, type FaultRule } from '../cloud/faults.ts'
import type { Match } from '../cloud/matching.ts'
import { startJob, type Job, type JobOptions, type StepResult } from '../support/runner.ts'
import { missingPrograms } from '../support/programs.ts'
import { grantsOf, keysOf, mintInputs } from './support/mint.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { runCells } from './support/rows.ts'
import { authOf } from './support/stage.ts'

// These tests run side by side, for most of them wait: each has its own of everything.
const dockerTest = missingPrograms(['docker']).length === 0 ? test.concurrent : test.concurrent.skip
const closers: (() => void)[] = []
const closeLater = (close: () => void): void => {
  closers.push(close)
}
afterAll(() => {
  for (const close of closers) close()
})

type Kind = keyof typeof FAULTS

/** What does not pass: a service that answers so will do it again. */
const LASTING: readonly Kind[] = ['wrong JSON types', '10 MiB body', 'one byte a second', 'gzip bomb']
const ALL = Object.keys(FAULTS) as Kind[]
const TRANSIENT = ALL.filter((kind) => !LASTING.includes(kind))
/** Those that hold a request up for longer than all the others together. */
const SLOW: readonly Kind[] = ['429', '429 with Retry-After', 'hang before headers', 'hang in the body']
const SLOW_FIRST = [...SLOW, ...TRANSIENT.filter((kind) => !SLOW.includes(kind))]
const SLOW_FIRST_OF_ALL = [...SLOW_FIRST, ...LASTING]
/** With these the service answers in the end. */
const HARMLESS: readonly Kind[] = ['late']

const PLACES = {
  'the IAM token': { service: 'iam', path: '/identity/token' },
  'the mint': { service: 'iam', method: 'POST', path: '/v1/apikeys' },
  'the list of what was minted': { service: 'iam', method: 'GET', path: '/v1/apikeys' },
  'the revoke': { service: 'iam', method: 'DELETE', path: /^\/v1\/apikeys\// },
  '/v2/': { service: 'registry', path: '/v2/' },
  'the registry’s token': { service: 'registry', path: '/oauth/token' }
} satisfies Record<string, Match>

type Place = keyof typeof PLACES

const IN_MAIN = ['the IAM token', 'the mint'] as const
const IN_POST = ['the IAM token', 'the list of what was minted', 'the revoke'] as const
const IN_REGISTRY = ['/v2/', 'the registry’s token'] as const

/** Of those that wait most of the time, the machine takes many at once. */
const AT_ONCE = 16

interface Scene {
  readonly cloud: Cloud
  readonly job: Job
}

/** A cloud and a job of a cell's own: cells run side by side. */
async function withScene(
  play: (scene: Scene) => Promise<void>,
  options: (cloud: Cloud) => JobOptions | Promise<JobOptions> = () => ({})
): Promise<void> {
  const cloud = await startCloud()
  const job = await startJob(await options(cloud))
  try {
    await play({ cloud, job })
  } finally {
    job.close()
    await cloud.close()
  }
}

const inputsFor = ({ cloud }: Scene): Record<string, string> =>
  mintInputs('api-key', { registry: cloud.registryHost, 'iam-url': cloud.iamUrl })

/** Makes the next requests at each place fail, and says afterwards how many of them did not come. */
function spoil({ cloud }: Scene, places: readonly Place[], kind: Kind, times: number): () => number {
  const rules = places.map((place) => ({ ...PLACES[place], fault: FAULTS[kind](), times }))
  cloud.faults.push(...rules)
  return () => rules.reduce((left, rule) => left + rule.times, 0)
}

/** The secret that config.json holds for a host. */
function secretIn(job: Job, host: string): string {
  const auth = String(job.dockerConfig()?.auths?.[host]?.['auth'])
  return Buffer.from(auth, 'base64')
    .toString()
    .replace(/^[^:]*:/u, '')
}

function must(what: string, found: unknown, wanted: unknown): void {
  expect({ [what]: found }).toEqual({ [what]: wanted })
}

const named = <T extends string>(names: readonly T[]): (readonly [string, T])[] =>
  names.map((name) => [name, name])

/** A registry for each thing, with its fault; what they are by their hosts. */
async function hostsFor<T>(
  cloud: Cloud,
  things: readonly T[],
  rule: (thing: T) => Omit<FaultRule, 'host'>
): Promise<Map<string, T>> {
  const hosts = new Map<string, T>()
  for (const thing of things) {
    const { host } = await cloud.addRegistry()
    hosts.set(host, thing)
    cloud.faults.push({ ...rule(thing), host })
  }
  return hosts
}

/** How many requests came to a place. */
function countIn({ requests }: Cloud, place: Place, host?: string): number {
  const wanted: Match = PLACES[place]
  return requests.filter(
    (request) =>
      request.service === wanted.service &&
      request.host === (host ?? request.host) &&
      request.method === (wanted.method ?? request.method) &&
      (wanted.path instanceof RegExp ? wanted.path.test(request.path) : wanted.path === request.path)
  ).length
}

test('There are 18 ways to stumble, one to be late, and 4 that do not pass', () => {
  expect(TRANSIENT.filter((kind) => !HARMLESS.includes(kind))).toHaveLength(18)
  expect([HARMLESS.length, LASTING.length, ALL.length]).toEqual([1, 4, 23])
})

describe('A stumble costs a job nothing:', () => {
  interface Cell {
    readonly kind: Kind
    readonly times: number
    /** Where main's requests fail, and where post's. */
    readonly main: readonly Place[]
    readonly post: readonly Place[]
  }

  async function recover({ kind, times, main, post }: Cell): Promise<void> {
    await withScene(async (scene) => {
      const { cloud, job } = scene
      const leftOfMain = spoil(scene, main, kind, times)
      expectSuccess(await job.main(inputsFor(scene)))
      if (!HARMLESS.includes(kind)) must('requests of main that did not fail', leftOfMain(), 0)
      const secret = secretIn(job, cloud.registryHost)
      must('what the minted key may do', await grantsOf(cloud.registryHost, 'iamapikey', secret), ['pull'])
      cloud.faults.splice(0)
      const leftOfPost = spoil(scene, post, kind, times)
      const ended = await job.post()
      // A mint whose answer told nothing, and of which nothing is found: what may be left is said.
      const doubt = ended.warnings.filter((line) => line.includes('got no clear response'))
      must('doubts', doubt.length <= 1 && (doubt.length === 0 || main.includes('the mint')), true)
      expectSuccess(ended, doubt)
      if (!HARMLESS.includes(kind)) must('requests of post that did not fail', leftOfPost(), 0)
      must('keys after post', keysOf(cloud), [])
      must('config after post', job.snapshot(), {})
      cloud.faults.splice(0)
      must('a dead key gets', typeof (await grantsOf(cloud.registryHost, 'iamapikey', secret)), 'number')
    })
  }

  const cellsOf = (kind: Kind, times: number): (readonly [string, Cell])[] => {
    const name = `${kind}, ${times} times`
    if (!SLOW.includes(kind)) return [[name, { kind, times, main: IN_MAIN, post: IN_POST }]]
    return [
      ...IN_MAIN.map((place): [string, Cell] => [
        `${name}, at ${place}`,
        { kind, times, main: [place], post: [] }
      ]),
      ...IN_POST.map((place): [string, Cell] => [
        `${name}, at ${place} in post`,
        { kind, times, main: [], post: [place] }
      ])
    ]
  }

  test.concurrent(
    'at IAM, on the first request and on the first two, of each kind: minted, and revoked',
    async () => {
      const cells = SLOW_FIRST.flatMap((kind) => [2, 1].flatMap((times) => cellsOf(kind, times)))
      expect(await runCells(cells, recover, 2 * AT_ONCE)).toEqual([])
    },
    240_000
  )

  /** One job that logs in to a host for each kind, with the same place faulty at all of them. */
  async function recoverAtHosts(
    { place, times, kinds }: { place: Place; times: number; kinds: readonly Kind[] },
    docker: 'real' | 'none'
  ): Promise<void> {
    await withScene(
      async ({ cloud, job }) => {
        const hosts = await hostsFor(cloud, kinds, (kind) => ({
          ...PLACES[place],
          fault: FAULTS[kind](),
          times
        }))
        expectSuccess(await job.main({ 'api-key': WRITER_KEY, registry: [...hosts.keys()].join(' ') }))
        const auth = authOf('iamapikey', WRITER_KEY)
        for (const host of hosts.keys()) expect(job.dockerConfig()?.auths?.[host]).toEqual({ auth })
        const still = cloud.faults.filter((rule) => rule.times !== 0).map(({ host = '' }) => hosts.get(host))
        expect(still.filter((kind) => kind === undefined || !HARMLESS.includes(kind))).toEqual([])
        expectSuccess(await job.post())
        expect(job.snapshot()).toEqual({})
      },
      () => ({ docker })
    )
  }

  // docker shows no status of its token service below 500 but 429: to whoever reads its words, these are refusals.
  const WORDLESS: readonly Kind[] = ['408', '425']

  for (const place of IN_REGISTRY) {
    test.concurrent.each([1, 2])(
      `at ${place}, on the first %i, of each kind: logged in`,
      async (times) => {
        await recoverAtHosts({ place, times, kinds: TRANSIENT }, 'none')
      },
      120_000
    )

    dockerTest(
      `at ${place}, on the first two, of each kind that docker tells: logged in by docker`,
      async () => {
        const told = TRANSIENT.filter((kind) => place === '/v2/' || !WORDLESS.includes(kind))
        await recoverAtHosts({ place, times: 2, kinds: told }, 'real')
      },
      120_000
    )
  }
})

describe('A fault that stays', () => {
  /** By its ID; or by its name, where what has the ID is gone, and what else there may be could not be read. */
  const isNamedIn = (text: string, { outputs }: StepResult): boolean =>
    text.includes(outputs['token-id'] ?? '?') || text.includes('icr-login/octocat/hello-world/')

  test.concurrent.each(IN_MAIN)(
    'at %s ends the step in time, with one error; what was made all the same is revoked',
    async (place) => {
      const play = async (kind: Kind): Promise<void> => {
        await withScene(async (scene) => {
          const { cloud, job } = scene
          cloud.faults.push({ ...PLACES[place], fault: FAULTS[kind]() })
          const began = Date.now()
          const main = await job.main({ ...inputsFor(scene), timeout: '5s' })
          must('in time', Date.now() - began < 30_000, true)
          if (main.exitCode === 0) must('a harmless one', HARMLESS.includes(kind), true)
          else expectFailure(main, /could not be reached|was not asked/u, OPERATOR_KEY)
          must('logged in', job.dockerConfig() !== undefined, main.exitCode === 0)
          cloud.faults.splice(0)
          const post = await job.post()
          expectSuccess(
            post,
            post.warnings.filter((line) => line.includes('got no clear response'))
          )
          must('keys', keysOf(cloud), [])
          must('home', job.snapshot(), {})
        })
      }
      expect(await runCells(named(ALL), play, 2 * AT_ONCE)).toEqual([])
    },
    240_000
  )

  test.concurrent.each(['the list of what was minted', 'the revoke'] as const)(
    'at %s ends post in time, green, with a warning that names what may be left',
    async (place) => {
      const play = async (kind: Kind): Promise<void> => {
        await withScene(async (scene) => {
          const { cloud, job } = scene
          const main = await job.main(inputsFor(scene))
          expectSuccess(main)
          cloud.faults.push({ ...PLACES[place], fault: FAULTS[kind]() })
          const began = Date.now()
          const post = await job.post()
          must('in time', Date.now() - began < 60_000, true)
          must('red', [post.exitCode, post.errors], [0, []])
          must('home', job.snapshot(), {})
          // What answers late, or with words that nobody reads, has been done.
          if (post.warnings.length === 0) must('keys', keysOf(cloud), [])
          else must('said', isNamedIn(post.warnings[0] ?? '', main), true)
          if (place === 'the list of what was minted' && !HARMLESS.includes(kind))
            must('warnings', post.warnings.length, 1)
        })
      }
      expect(await runCells(named(SLOW_FIRST_OF_ALL), play, 2 * AT_ONCE)).toEqual([])
    },
    240_000
  )

  test.concurrent.each(IN_REGISTRY)('at %s ends the step in time, and all hosts are named', async (place) => {
    // A list of types that nobody reads is no fault: `/v2/` is known by its status and its challenge.
    const unread: readonly Kind[] = place === '/v2/' ? ['wrong JSON types'] : []
    const kinds = ALL.filter((kind) => !HARMLESS.includes(kind) && !unread.includes(kind))
    await withScene(async ({ cloud, job }) => {
      const hosts = await hostsFor(cloud, kinds, (kind) => ({ ...PLACES[place], fault: FAULTS[kind]() }))
      const began = Date.now()
      const main = await job.main({
        'api-key': WRITER_KEY,
        registry: [...hosts.keys()].join(' '),
        timeout: '6s'
      })
      expect(Date.now() - began).toBeLessThan(16_000)
      const message = expectFailure(main, `${kinds.length} of ${kinds.length} logins failed`, WRITER_KEY)
      expect([...hosts].filter(([host]) => !message.includes(host))).toEqual([])
      expect(job.snapshot()).toEqual({})
      const tries = [...hosts].map(([host, kind]): [string, number] => [kind, countIn(cloud, place, host)])
      expect(tries.filter(([, count]) => count < 1 || count > 4)).toEqual([])
    })
  })
})

describe('A refusal is asked for once:', () => {
  const STATUSES = [400, 401, 403, 404]

  test.concurrent(
    'by IAM, of a token and of a mint',
    async () => {
      const cells = IN_MAIN.flatMap((place) =>
        STATUSES.map((status) => [`${status} at ${place}`, { place, status }] as const)
      )
      const failures = await runCells(cells, async ({ place, status }) => {
        await withScene(async (scene) => {
          const { cloud, job } = scene
          cloud.faults.push({ ...PLACES[place], fault: statusFault(status) })
          expectFailure(await job.main(inputsFor(scene)), String(status), OPERATOR_KEY)
          must('requests', countIn(cloud, place), 1)
          expectSuccess(await job.post())
        })
      })
      expect(failures).toEqual([])
    },
    60_000
  )

  test.concurrent(
    'by IAM, of the list and of a revoke; what is left is said',
    async () => {
      const cells = (['the list of what was minted', 'the revoke'] as const).flatMap((place) =>
        // A key that is not there is one that is gone.
        STATUSES.filter((status) => status !== 404 || place !== 'the revoke').map(
          (status) => [`${status} at ${place}`, { place, status }] as const
        )
      )
      const failures = await runCells(cells, async ({ place, status }) => {
        await withScene(async (scene) => {
          const { cloud, job } = scene
          expectSuccess(await job.main(inputsFor(scene)))
          cloud.faults.push({ ...PLACES[place], fault: statusFault(status) })
          expectSuccess(await job.post(), [/could not be revoked/u])
          must('requests', countIn(cloud, place), 1)
        })
      })
      expect(failures).toEqual([])
    },
    60_000
  )

  test.concurrent.each(IN_REGISTRY)('by registries, at %s', async (place) => {
    await withScene(async ({ cloud, job }) => {
      const hosts = await hostsFor(cloud, STATUSES, (status) => ({
        ...PLACES[place],
        fault: statusFault(status)
      }))
      const main = await job.main({ 'api-key': WRITER_KEY, registry: [...hosts.keys()].join(' ') })
      expectFailure(main, '4 of 4 logins failed', WRITER_KEY)
      const tries = [...hosts].map(([host, status]) => [status, countIn(cloud, place, host)])
      expect(tries).toEqual(STATUSES.map((status) => [status, 1]))
    })
  })
})

describe('Under IBM’s real names,', () => {
  /** No name has a part of 64 letters: the look-up fails before a packet is sent. */
  const noName = `http://${'a'.repeat(64)}.invalid:3128`

  test.concurrent.each([
    ['IAM', mintInputs('api-key', { region: 'us-south' }), OPERATOR_KEY],
    ['the registry', { 'api-key': WRITER_KEY, region: 'us-south' }, WRITER_KEY]
  ])('on the way to %s a name that is not found ends the step in time', async (_, inputs, secret) => {
    await withScene(
      async ({ job }) => {
        const main = await job.main({ ...inputs, timeout: '5s' })
        expect(expectFailure(main, 'could not be reached', secret)).toMatch(/name/u)
      },
      () => ({ env: { HTTPS_PROXY: noName } })
    )
  })

  dockerTest('so it does under docker login', async () => {
    await withScene(
      async ({ job }) => {
        const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south', timeout: '5s' })
        expectFailure(main, 'us.icr.io could not be reached by docker login', WRITER_KEY)
      },
      () => ({ docker: 'real', env: { HTTPS_PROXY: noName } })
    )
  })

  /** The tunnel is there, and ends with the first byte of TLS. */
  const tlsAbort: Fault = ({ socket }) => {
    socket.once('data', () => socket.destroy())
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    return Promise.resolve(undefined)
  }
  const abort = (cloud: Cloud, host: string, times?: number): void => {
    const rule = { service: 'proxy' as const, path: `${host}:443`, fault: tlsAbort }
    cloud.faults.push(times === undefined ? rule : { ...rule, times })
  }

  const proxied =
    (docker: 'real' | 'none' = 'none') =>
    async (cloud: Cloud): Promise<JobOptions> => {
      const { url, caPem } = await cloud.startProxy()
      const ca = join(mkdtempSync(join(tmpdir(), 'icr-login-ca-')), 'ca.pem')
      writeFileSync(ca, caPem)
      closeLater(() => {
        rmSync(dirname(ca), { recursive: true })
      })
      return { docker, env: { HTTPS_PROXY: url, NODE_EXTRA_CA_CERTS: ca, SSL_CERT_FILE: ca } }
    }
  const inputs = mintInputs('api-key', { region: 'us-south' })

  test.concurrent.each([1, 2])('TLS that breaks off on the first %i costs nothing', async (times) => {
    await withScene(async ({ cloud, job }) => {
      abort(cloud, 'iam.cloud.ibm.com', times)
      abort(cloud, 'us.icr.io', times)
      expectSuccess(await job.main(inputs))
      expect(keysOf(cloud)).toHaveLength(1)
      abort(cloud, 'iam.cloud.ibm.com', times)
      expectSuccess(await job.post())
      expect(keysOf(cloud)).toEqual([])
      expect(cloud.faults.map((rule) => rule.times)).toEqual([0, 0, 0])
    }, proxied())
  })

  dockerTest('nor does it under docker login', async () => {
    await withScene(async ({ cloud, job }) => {
      abort(cloud, 'us.icr.io', 2)
      expectSuccess(await job.main({ 'api-key': WRITER_KEY, region: 'us-south' }))
      expect(cloud.faults.map((rule) => rule.times)).toEqual([0])
    }, proxied('real'))
  })

  test.concurrent.each(['iam.cloud.ibm.com', 'us.icr.io'])(
    'TLS with %s that always breaks off ends the step in time, and what was minted is revoked',
    async (host) => {
      await withScene(async ({ cloud, job }) => {
        abort(cloud, host)
        const main = await job.main({ ...inputs, timeout: '5s' })
        expectFailure(main, `${host}/`, OPERATOR_KEY)
        cloud.faults.splice(0)
        expectSuccess(await job.post())
        expect(keysOf(cloud)).toEqual([])
      }, proxied())
    }
  )
})

describe('An answer without end', () => {
  const places = ['the IAM token', 'the mint', '/v2/', 'the registry’s token'] as const

  /** The most memory that main had, in MiB. */
  async function peakOf(place: Place, kind: Kind | undefined): Promise<number> {
    let peak = 0
    await withScene(async (scene) => {
      const { cloud, job } = scene
      if (kind !== undefined) cloud.faults.push({ ...PLACES[place], fault: FAULTS[kind]() })
      const PEAK_FILE = join(job.temp, 'peak')
      const preload = join(import.meta.dirname, 'support', 'peak.mjs')
      const main = await job.main(
        { ...inputsFor(scene), timeout: '20s' },
        { env: { NODE_OPTIONS: `--import ${preload}`, PEAK_FILE } }
      )
      must('green', main.exitCode === 0, kind === undefined)
      peak = Number(readFileSync(PEAK_FILE, 'utf8')) / 1024
    })
    return peak
  }

  test.concurrent.each(['10 MiB body', 'gzip bomb'] as const)(
    'such as a %s takes less than 20 MB of memory',
    async (kind) => {
      const plain = Math.max(await peakOf('/v2/', undefined), await peakOf('/v2/', undefined))
      const peaks: [Place, number][] = []
      const measure = async (place: Place): Promise<void> => {
        peaks.push([place, (await peakOf(place, kind)) - plain])
      }
      expect(await runCells(named(places), measure, 2)).toEqual([])
      expect(peaks.filter(([, more]) => more >= 20)).toEqual([])
      expect(peaks).toHaveLength(places.length)
    },
    120_000
  )
})
