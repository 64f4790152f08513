// The long-lived secret opens the door once; what the job is left with ends soon, may only pull, and is proven to.
import { describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import {
  OPERATOR_ID,
  OPERATOR_KEY,
  PROFILE_CRN,
  PROFILE_ID,
  PROFILE_NAME,
  READER_ID,
  READER_KEY,
  REPOSITORY,
  WRITER_ID,
  WRITER_KEY
} from '../cloud/default-world.ts'
import { readClaims } from '../cloud/jwt.ts'
import { requestsWith } from '../cloud/recorder.ts'
import { makePasswordHelper } from './support/mint-helper.ts'
import {
  entryOf,
  grantsOf,
  keysOf,
  letPush,
  madeIn,
  mintInputs,
  rowsOf,
  statusWithToken,
  tokensOf,
  WAYS
} from './support/mint.ts'
import { expectFailure, expectNotSaid, expectSuccess, filesWith } from './support/promises.ts'
import { authOf, testBothWays, useStage, writeConfig } from './support/stage.ts'

const stage = useStage({ registry: { registryTokens: true } })

const host = (): string => stage.cloud.registryHost
const names = Object.keys(WAYS)
const revoked = ['api-key', 'registry-token']

describe.each(Object.entries(WAYS))('mint: %s', (way, { secret, username }) => {
  const isToken = way === 'repository-token'

  testBothWays(
    'leaves a credential that is short-lived, only pulls, and is gone after the job',
    async (docker) => {
      const job = await stage.newJob({ docker })
      const before = [job.snapshot(), job.snapshot(job.temp)]

      const main = await job.main(stage.here(mintInputs(way)))
      expectSuccess(main)
      const { password = '', 'token-id': id = '', 'expires-at': end = '' } = main.outputs
      expect(main.outputs).toEqual({
        registry: host(),
        registries: JSON.stringify([host()]),
        username,
        password,
        'token-id': id,
        'expires-at': end,
        access: 'pull',
        'docker-config': join(job.home, '.docker')
      })
      expect(id === '').toBe(!revoked.includes(way))
      expect(madeIn(stage.cloud).map((made) => made.id)).toEqual(id === '' ? [] : [id])
      expect(main.masks).toContain(password)
      expectNotSaid(main, password, secret)

      expect(entryOf(job, host())).toEqual(
        isToken ? { registrytoken: password } : { auth: authOf(username, password) }
      )
      expect(main.masks.includes(authOf(username, password))).toBe(!isToken)
      expect(filesWith(job, secret)).toEqual([])
      expect(rowsOf(main.summary)).toMatchObject({
        Registry: host(),
        Minted: id === '' ? way : `${way} ${id}`,
        Repositories: REPOSITORY,
        Access: 'pull only, proven',
        Ends: end,
        'After the job': `the login is taken out again, and the credential ${id === '' ? 'ends by itself' : 'is revoked'}`
      })
      if (isToken) {
        expect(await statusWithToken(host(), password)).toBe(200)
        // Its key could ask for more, so the registry says what to ask for; the token itself does not push.
        expect(await statusWithToken(host(), password, 'POST')).toBe(401)
      } else expect(await grantsOf(host(), username, password)).toEqual(['pull'])

      const post = await job.post()
      expectSuccess(post)
      expectNotSaid(post, password, secret)
      expect(post.log).toContain(`${host()}: logged out.\n`)
      const fate =
        id === '' ? `The minted ${way} can't be revoked; it ends ${end}.` : `Revoked the minted ${way} ${id}.`
      expect(post.log).toContain(`${fate}\n`)
      expect(post.summary).toContain(fate)
      expect(post.log.includes('Revoked')).toBe(id !== '')
      expect(madeIn(stage.cloud)).toEqual([])
      if (id !== '') expect(await grantsOf(host(), username, password)).toBe(401)
      expect([job.snapshot(), job.snapshot(job.temp)]).toEqual(before)
      expect(filesWith(job, password)).toEqual([])
    }
  )

  test('hides the long-lived secret and the minted one before it goes on', async () => {
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs(way)))
    const first = main.events[0]
    expect(first?.kind === 'command' && first.value).toBe(secret)
    const hidden = main.events.findIndex(
      (event) => event.kind === 'command' && event.value === main.outputs['password']
    )
    const done = main.events.findIndex(
      (event) => event.kind === 'line' && event.text.startsWith('Logged in to')
    )
    expect(hidden).toBeGreaterThan(0)
    expect(done).toBeGreaterThan(hidden)
  })

  test('where the registry’s token does not say what it grants, is not called proven', async () => {
    const registry = await stage.cloud.addRegistry({ opaqueTokens: true, registryTokens: true })
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs(way, { registry: registry.host })))
    expectSuccess(main, [`mint: ${way}: that the credential can only pull is not proven`])
    expect(main.warnings[0]).toContain('It can pull')
    expect(main.outputs['access']).toBe('')
    expect(rowsOf(main.summary)).toMatchObject({ Access: 'not proven' })
    const listed = stage.cloud.requests.filter(({ path }) => path === `/v2/${REPOSITORY}/tags/list`)
    expect(listed.map(({ status }) => status)).toEqual([200])
    expectSuccess(await job.post())
    expect(madeIn(stage.cloud)).toEqual([])
  })

  test('that may not pull fails now, and not an hour later', async () => {
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs(way, { repositories: 'other/app' })))
    expectFailure(main, `${host()} would not let the minted credential pull other/app.`, secret)
    expect(filesWith(job, secret)).toEqual([])
    expectSuccess(await job.post())
    expect(madeIn(stage.cloud)).toEqual([])
    expect(job.snapshot()).toEqual({})
  })

  test('says which repository of several it may not pull', async () => {
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs(way, { repositories: `${REPOSITORY} other/app` })))
    expect(expectFailure(main, 'pull other/app', secret)).not.toContain(REPOSITORY)
    expectSuccess(await job.post())
    expect(madeIn(stage.cloud)).toEqual([])
  })

  test('serves several hosts, each with what it grants there', async () => {
    const second = await stage.cloud.addRegistry({ region: 'eu-de', registryTokens: true })
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs(way, { registry: `${host()}, ${second.host}` })))
    expectSuccess(main)
    expect(main.outputs).toMatchObject({ registries: JSON.stringify([host(), second.host]), access: 'pull' })
    for (const at of [host(), second.host]) {
      const entry = entryOf(job, at)
      if (isToken) expect(await statusWithToken(at, String(entry['registrytoken']))).toBe(200)
      else {
        const [user = '', password = ''] = Buffer.from(String(entry['auth']), 'base64').toString().split(':')
        expect(await grantsOf(at, user, password)).toEqual(['pull'])
      }
    }
    // The output is the first host's.
    const first = entryOf(job, host())
    const { password = '' } = main.outputs
    expect(isToken ? first['registrytoken'] : first['auth']).toBe(
      isToken ? password : authOf(username, password)
    )
    expect(madeIn(stage.cloud)).toHaveLength({ 'api-key': 1, 'registry-token': 2 }[way] ?? 0)
    expectSuccess(await job.post())
    expect(madeIn(stage.cloud)).toEqual([])
    expect(job.snapshot()).toEqual({})
  })

  test('is proven for several repositories, on the hosts that they are on', async () => {
    const second = await stage.cloud.addRegistry({
      region: 'eu-de',
      registryTokens: true,
      namespaces: ['berlin']
    })
    const job = await stage.newJob()
    const main = await job.main(
      stage.here(
        mintInputs(way, {
          registry: `${host()} ${second.host}/berlin/web:1`,
          repositories: `${host()}/team/app\n${host()}/team/tools`
        })
      )
    )
    expectSuccess(main)
    expect(main.outputs['access']).toBe('pull')
    expect(rowsOf(main.summary)).toMatchObject({ Repositories: 'team/app, team/tools, berlin/web' })
    const asked = stage.cloud.requests.filter(({ path }) => path === '/oauth/token')
    const scopesAt = (at: string): string[] => [
      ...new Set(
        asked
          .filter((request) => request.host === at)
          .flatMap(({ query }) => new URLSearchParams(query).getAll('scope'))
          .map((scope) => scope.replace(/:[^:]*$/u, ''))
      )
    ]
    expect(scopesAt(host())).toEqual(['repository:team/app', 'repository:team/tools'])
    expect(scopesAt(second.host)).toEqual(['repository:berlin/web'])
    // One question for all repositories of a host.
    expect(asked.some(({ query }) => new URLSearchParams(query).getAll('scope').length === 2)).toBe(true)
  })

  test('that ends before the job does says so', async () => {
    if (way === 'api-key') return
    stage.cloud.world.accounts.forEach((account) => (account.accessTokenSeconds = 1200))
    const [registry] = stage.cloud.registries
    if (registry !== undefined) registry.tokenSeconds = 1200
    const job = await stage.newJob()
    const lifetime = way === 'registry-token' ? '24h' : '45m'
    const main = await job.main(stage.here(mintInputs(way, { lifetime })))
    // A registry token lasts as long as a day has hours, so there is none that could end too soon.
    if (way === 'registry-token') expectSuccess(main)
    else {
      expectSuccess(main, [`lifetime: the job needs 45 min, and mint: ${way} gave 20 min`])
      expect(main.warnings[0]).toContain(main.outputs['expires-at'])
      expect(main.warnings[0]).toContain('mint: api-key lasts up to 24h')
    }
  })
})

describe('A minted credential that may push', () => {
  /** Each way that can go wrong so, and the words that say where to look. */
  const wrong: [string, () => void, string][] = [
    [
      'iam-token',
      () => {
        letPush(stage.cloud, PROFILE_ID)
      },
      'Look at the access policies of the key'
    ],
    [
      'api-key',
      () => {
        letPush(stage.cloud, READER_ID)
      },
      'Look at the access policies of the service ID in service-id'
    ]
  ]

  describe.each(wrong)('by mint: %s', (way, spoil, words) => {
    testBothWays('fails the step, which says where to look, and is revoked', async (docker) => {
      spoil()
      const job = await stage.newJob({ docker })
      const main = await job.main(stage.here(mintInputs(way)))
      const message = expectFailure(
        main,
        `mint: ${way}: the registry would let the minted credential push to ${REPOSITORY}.`,
        WAYS[way]?.secret ?? ''
      )
      expect(message).toContain(words)
      expect(message).toContain('read-only: false')
      // Main never revokes: post does.
      expect(madeIn(stage.cloud)).toHaveLength(way === 'api-key' ? 1 : 0)
      expect(job.snapshot()).toEqual({})
      expectSuccess(await job.post())
      expect(madeIn(stage.cloud)).toEqual([])
    })

    test('fails the step where only the larger scope shows it', async () => {
      spoil()
      const registry = await stage.cloud.addRegistry({ refusesLargerScope: true })
      const job = await stage.newJob()
      const main = await job.main(stage.here(mintInputs(way, { registry: registry.host })))
      expectFailure(main, 'would let the minted credential push', WAYS[way]?.secret ?? '')
    })

    test('is what read-only: false wants', async () => {
      spoil()
      const job = await stage.newJob()
      const main = await job.main(stage.here(mintInputs(way, { 'read-only': 'false' })))
      expectSuccess(main)
      expect(main.outputs['access']).toBe('pull,push')
      expect(rowsOf(main.summary)).toMatchObject({ Access: 'pull,push, proven' })
      expectSuccess(await job.post())
      expect(madeIn(stage.cloud)).toEqual([])
    })
  })

  test.each(['repository-token', 'registry-token'])(
    'by mint: %s is asked for with read-only: false',
    async (way) => {
      const job = await stage.newJob()
      const main = await job.main(stage.here(mintInputs(way, { 'read-only': 'false' })))
      expectSuccess(main)
      expect(main.outputs['access']).toBe('pull,push')
      expect(rowsOf(main.summary)).toMatchObject({ Access: 'pull,push, proven' })
      expect(tokensOf(stage.cloud).map(({ readOnly }) => readOnly)).toEqual(
        way === 'registry-token' ? [false] : []
      )
      expectSuccess(await job.post())
      expect(madeIn(stage.cloud)).toEqual([])
    }
  )

  test.each(['iam-token', 'api-key'])(
    'was asked for by read-only: false, and mint: %s gave none: a warning',
    async (way) => {
      const job = await stage.newJob()
      const main = await job.main(stage.here(mintInputs(way, { 'read-only': 'false' })))
      expectSuccess(main, ['read-only: false: push was asked for, and the registry does not grant it.'])
      expect(main.outputs['access']).toBe('pull')
    }
  )
})

describe.each([true, 401] as const)(
  'A registry that refuses a scope it can’t grant (%s)',
  (refusesLargerScope) => {
    test.each(['iam-token', 'api-key', 'registry-token'])(
      'and grants the smaller one has proven mint: %s',
      async (way) => {
        const registry = await stage.cloud.addRegistry({ refusesLargerScope, registryTokens: true })
        const job = await stage.newJob()
        const main = await job.main(
          stage.here(mintInputs(way, { registry: registry.host, repositories: `${REPOSITORY} team/tools` }))
        )
        expectSuccess(main)
        expect(main.outputs['access']).toBe('pull')
      }
    )

    test.each(['iam-token', 'api-key', 'registry-token'])('and grants none fails mint: %s', async (way) => {
      const registry = await stage.cloud.addRegistry({ refusesLargerScope, registryTokens: true })
      const job = await stage.newJob()
      const main = await job.main(
        stage.here(mintInputs(way, { registry: registry.host, repositories: 'other/app' }))
      )
      expectFailure(main, registry.host, WAYS[way]?.secret ?? '')
      expectSuccess(await job.post())
      expect(madeIn(stage.cloud)).toEqual([])
    })

    test('gives no repository token that pushes, and says so', async () => {
      const registry = await stage.cloud.addRegistry({ refusesLargerScope })
      const job = await stage.newJob()
      const inputs = mintInputs('repository-token', { 'api-key': READER_KEY, 'read-only': 'false' })
      const main = await job.main(stage.here({ ...inputs, registry: registry.host }))
      expectFailure(main, registry.host, READER_KEY)
    })
  }
)

test.each(['iam-token', 'api-key', 'registry-token'])(
  'mint: %s without repositories is not proven, and says how it would be',
  async (way) => {
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs(way, { repositories: '' })))
    expectSuccess(main, ['is not proven: give repositories to have it shown to the registry'])
    expect(main.outputs['access']).toBe('')
    expect(rowsOf(main.summary)).toMatchObject({
      Access: 'not proven',
      Repositories: 'all that its policies allow'
    })
  }
)

test('A host without repositories leaves the whole not proven', async () => {
  const second = await stage.cloud.addRegistry()
  const job = await stage.newJob()
  const main = await job.main(
    stage.here(
      mintInputs('iam-token', {
        registry: `${host()} ${second.host}`,
        repositories: `${host()}/${REPOSITORY}`
      })
    )
  )
  expectSuccess(main, ['is not proven'])
  expect(main.outputs['access']).toBe('')
})

test('A push that one host of two would allow fails both', async () => {
  const { world } = stage.cloud
  const second = await stage.cloud.addRegistry({ region: 'eu-de' })
  world.addPolicy({ iamId: `iam-${READER_ID}`, role: 'Writer', region: 'eu-de' })
  const job = await stage.newJob()
  const main = await job.main(stage.here(mintInputs('api-key', { registry: `${host()} ${second.host}` })))
  expectFailure(main, 'would let the minted credential push', OPERATOR_KEY)
  expect(job.snapshot()).toEqual({})
  expectSuccess(await job.post())
  expect(keysOf(stage.cloud)).toEqual([])
})

test.each(names)('mint: %s takes the repositories from the image references in registry', async (way) => {
  const job = await stage.newJob()
  const main = await job.main(
    stage.here(mintInputs(way, { registry: `${host()}/${REPOSITORY}:1.0`, repositories: '' }))
  )
  expectSuccess(main)
  expect(main.outputs).toMatchObject({ registry: host(), access: 'pull' })
})

describe('A trusted profile', () => {
  const given: [string, () => Record<string, string>, string][] = [
    ['an api-key', () => ({ 'api-key': WRITER_KEY }), WRITER_KEY],
    ['an access-token', () => ({ 'access-token': stage.cloud.accessToken(WRITER_ID) }), '']
  ]
  describe.each([
    ['ID', PROFILE_ID],
    ['IAM ID', `iam-${PROFILE_ID}`],
    ['CRN', PROFILE_CRN],
    ['name', PROFILE_NAME]
  ])('by its %s', (_, profile) => {
    test.each(given)('is assumed by mint: iam-token with %s', async (__, give) => {
      const inputs = give()
      const job = await stage.newJob()
      const main = await job.main(
        stage.here({ ...inputs, 'trusted-profile': profile, mint: 'iam-token', repositories: REPOSITORY })
      )
      expectSuccess(main)
      // The writer may push, the profile may not.
      expect(main.outputs).toMatchObject({ username: 'iambearer', access: 'pull' })
      expect(readClaims(main.outputs['password'] ?? '')).toMatchObject({ iam_id: `iam-${PROFILE_ID}` })
      const secret = Object.values(inputs)[0] ?? ''
      expectNotSaid(main, secret)
      expect(filesWith(job, secret)).toEqual([])
    })
  })

  test('that does not trust the key is refused', async () => {
    const profile = stage.cloud.world.profile(({ id }) => id === PROFILE_ID)
    if (profile !== undefined) profile.trusts = []
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs('iam-token')))
    expectFailure(main, 'refused the trusted profile', WRITER_KEY)
    expect(job.snapshot()).toEqual({})
  })
})

describe('Without any secret, on IBM Cloud’s own machines', () => {
  const env = (): Record<string, string> => ({
    RUNNER_ENVIRONMENT: 'self-hosted',
    IBMCLOUD_CR_VPC_URL: stage.cloud.metadataUrl
  })

  test.each(names)('mint: %s goes with a trusted profile alone', async (way) => {
    stage.cloud.world.addOperator(PROFILE_ID, READER_ID)
    stage.cloud.world.addRegistryAdministrator(PROFILE_ID)
    const job = await stage.newJob({ env: env() })
    const { 'service-id': serviceId } = WAYS[way]?.inputs ?? {}
    const main = await job.main(
      stage.here({
        'trusted-profile': PROFILE_NAME,
        mint: way,
        repositories: REPOSITORY,
        ...(serviceId === undefined ? {} : { 'service-id': serviceId })
      })
    )
    expectSuccess(main)
    expect(main.outputs).toMatchObject({ access: 'pull', username: WAYS[way]?.username })
    expect(madeIn(stage.cloud)).toHaveLength(revoked.includes(way) ? 1 : 0)
    expectSuccess(await job.post())
    expect(madeIn(stage.cloud)).toEqual([])
    expect(job.snapshot()).toEqual({})
  })
})

describe('lifetime', () => {
  const minute = 60_000
  const endOf = (main: { outputs: Record<string, string> }): number =>
    Date.parse(main.outputs['expires-at'] ?? '')

  test.each([
    ['', 60],
    ['15m', 15],
    ['90s', 1.5],
    ['24h', 24 * 60]
  ])('"%s" of a temporary key is rounded up to the minute', async (lifetime, minutes) => {
    const job = await stage.newJob()
    const before = Date.now()
    const main = await job.main(stage.here(mintInputs('api-key', { lifetime })))
    expectSuccess(main)
    const end = endOf(main)
    expect(end % minute).toBe(0)
    expect(end).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000 + minutes * minute)
    expect(end).toBeLessThan(Date.now() + minutes * minute + minute)
    expect(keysOf(stage.cloud).map(({ expiresAt }) => expiresAt)).toEqual([end / 1000])
  })

  test.each([
    ['ahead', 3 * 3600],
    ['behind', -3 * 3600]
  ])('counts from IAM’s clock where that is hours %s of the runner’s', async (_, ahead) => {
    stage.cloud.world.ahead = ahead
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs('api-key', { lifetime: '30m' })))
    expectSuccess(main)
    const left = endOf(main) - stage.cloud.world.now() * 1000
    expect(left).toBeGreaterThan(29 * minute)
    expect(left).toBeLessThanOrEqual(31 * minute)
    expectSuccess(await job.post())
    expect(keysOf(stage.cloud)).toEqual([])
  })

  test.each([
    ['repository-token', '61m'],
    ['repository-token', '24h'],
    ['iam-token', '61m'],
    ['api-key', '25h'],
    ['registry-token', '1500m']
  ])('longer than mint: %s can give (%s) is refused before anything is sent', async (way, lifetime) => {
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory })
    const main = await job.main(stage.here(mintInputs(way, { lifetime })))
    expect(expectFailure(main, lifetime, WAYS[way]?.secret ?? '')).toMatch(/24h/u)
    expect(stage.cloud.requests).toEqual([])
    expect(docker.calls()).toEqual([])
  })

  test('that what was minted lasts brings no warning', async () => {
    const job = await stage.newJob()
    for (const way of names) {
      expectSuccess(
        await job.main(stage.here(mintInputs(way, { lifetime: way === 'registry-token' ? '24h' : '1h' })))
      )
      expectSuccess(await job.post())
    }
  })
})

test('A registry that says nothing of its token’s life is taken to mean a minute', async () => {
  const registry = await stage.cloud.addRegistry({ saysLifetime: false })
  const job = await stage.newJob()
  const inputs = mintInputs('repository-token', { registry: registry.host, lifetime: '10m' })
  const main = await job.main(stage.here(inputs))
  expectSuccess(main, ['mint: repository-token gave 1 min'])
  expect(Date.parse(main.outputs['expires-at'] ?? '')).toBeLessThanOrEqual(Date.now() + 60_000)
})

test.each(['gone', 'missing'] as const)(
  'A registry that ended registry tokens (%s) is told as such, with what works instead',
  async (registryTokenApi) => {
    const registry = await stage.cloud.addRegistry({ registryTokenApi })
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs('registry-token', { registry: registry.host })))
    const message = expectFailure(main, 'IBM ended them on 1 July 2019', OPERATOR_KEY)
    for (const way of ['repository-token', 'iam-token', 'api-key']) expect(message).toContain(`mint: ${way}`)
    const asked = stage.cloud.requests.length
    expectSuccess(await job.post())
    // One look with a token of its own: whoever refused may not have been the registry.
    expect(stage.cloud.requests).toHaveLength(asked + 2)
  }
)

describe('What a mint needs and does not get', () => {
  test('Operator on the service ID: the error says so', async () => {
    stage.cloud.world.platformRights = []
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs('api-key')))
    expect(expectFailure(main, `may not manage the API keys of iam-${READER_ID}`, OPERATOR_KEY)).toContain(
      'Operator'
    )
    expectSuccess(await job.post())
  })

  test('Administrator of the registry’s tokens', async () => {
    stage.cloud.world.platformRights = []
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs('registry-token')))
    expectFailure(main, `${host()} issued no registry token (403)`, OPERATOR_KEY)
    expectSuccess(await job.post())
  })

  test.each(names)('a key that IAM knows, for mint: %s', async (way) => {
    stage.cloud.world.apiKeys = []
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs(way)))
    expectFailure(main, /refused/u, WAYS[way]?.secret ?? '')
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual({})
  })
})

describe('logout: false', () => {
  test.each(names)(
    'leaves what mint: %s made, revokes nothing, and says until when it lasts',
    async (way) => {
      const job = await stage.newJob()
      const main = await job.main(stage.here(mintInputs(way, { logout: 'false' })))
      expectSuccess(main)
      expect(rowsOf(main.summary)).toMatchObject({ 'After the job': 'the login stays (logout: false)' })
      const made = madeIn(stage.cloud)
      const post = await job.post()
      expectSuccess(post)
      expect(post.log).toContain(`It ends ${main.outputs['expires-at'] ?? ''}.`)
      expect(post.log).not.toContain('Revoked')
      expect(madeIn(stage.cloud)).toEqual(made)
      expect(made).toHaveLength(revoked.includes(way) ? 1 : 0)
      expect(Object.keys(entryOf(job, host()))).toHaveLength(1)
    }
  )

  test('of a step that failed revokes all the same', async () => {
    letPush(stage.cloud, READER_ID)
    const job = await stage.newJob()
    const main = await job.main(stage.here(mintInputs('api-key', { logout: 'false' })))
    expectFailure(main, 'push', OPERATOR_KEY)
    expect(keysOf(stage.cloud)).toHaveLength(1)
    expectSuccess(await job.post())
    expect(keysOf(stage.cloud)).toEqual([])
  })
})

describe('A credential helper', () => {
  test('can’t hold a repository token: the step says so, and what does work', async () => {
    const helper = makePasswordHelper(stage.newFolder())
    const home = stage.newFolder()
    writeConfig(home, JSON.stringify({ credsStore: helper.name }))
    const job = await stage.newJob({ home, path: [helper.directory] })
    const before = job.snapshot()
    const main = await job.main(stage.here(mintInputs('repository-token')))
    const message = expectFailure(main, `names the credential helper "${helper.name}"`, WRITER_KEY)
    expect(message).toContain('mint: iam-token')
    expect(job.snapshot()).toEqual(before)
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual(before)
  })

  test.each(['iam-token', 'api-key', 'registry-token'])(
    'holds what mint: %s made, and nothing after the job',
    async (way) => {
      const helper = makePasswordHelper(stage.newFolder())
      const home = stage.newFolder()
      writeConfig(home, JSON.stringify({ credsStore: helper.name }))
      const job = await stage.newJob({ home, path: [helper.directory] })
      const before = job.snapshot()
      const main = await job.main(stage.here(mintInputs(way)))
      expectSuccess(main)
      expect(helper.read(host())).toEqual({ Username: WAYS[way]?.username, Secret: main.outputs['password'] })
      expectSuccess(await job.post())
      expect(helper.read(host())).toBeUndefined()
      expect(job.snapshot()).toEqual(before)
      expect(madeIn(stage.cloud)).toEqual([])
    }
  )
})

test('The long-lived key goes to IAM once, and nowhere else', async () => {
  for (const way of ['iam-token', 'api-key', 'registry-token']) {
    const secret = WAYS[way]?.secret ?? ''
    stage.cloud.requests.splice(0)
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here(mintInputs(way))))
    const asked = requestsWith(stage.cloud.requests, secret)
    expect(asked.map(({ service, path }) => `${service} ${path}`)).toEqual(['iam /identity/token'])
  }
})

test('A temporary key is made with all that limits it', async () => {
  const job = await stage.newJob()
  expectSuccess(await job.main(stage.here(mintInputs('api-key', { 'service-id': `iam-${READER_ID}` }))))
  const [made] = stage.cloud.requests.filter(
    ({ method, path }) => method === 'POST' && path === '/v1/apikeys'
  )
  expect(JSON.parse(made?.body ?? '')).toMatchObject({
    name: expect.stringMatching(/^icr-login\/octocat\/hello-world\/1658821493\/1\/[0-9a-f]{16}$/u) as unknown,
    iam_id: `iam-${READER_ID}`,
    store_value: false,
    action_when_leaked: 'delete',
    expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d\+0000$/u) as unknown
  })
  expect(OPERATOR_ID).not.toBe(READER_ID)
})

test('A registry token is asked for as read-only and never permanent', async () => {
  const job = await stage.newJob()
  expectSuccess(await job.main(stage.here(mintInputs('registry-token'))))
  const [made] = stage.cloud.requests.filter(
    ({ method, path }) => method === 'POST' && path === '/api/v1/tokens'
  )
  const query = new URLSearchParams(made?.query)
  expect(Object.fromEntries(query)).toEqual({
    description: expect.stringMatching(/^icr-login\/octocat\/hello-world\//u) as unknown,
    permanent: 'false',
    write: 'false'
  })
  expect(made?.body).toBe('')
  expect(tokensOf(stage.cloud)[0]?.expiresAt).toBeDefined()
})

test('Of the clients that do not read a repository token, the log says which way is theirs', async () => {
  const job = await stage.newJob()
  const main = await job.main(stage.here(mintInputs('repository-token')))
  expect(main.log).not.toContain('kaniko')
  expect(main.log).toMatch(
    /docker, docker compose, buildx, crane[^\n]*podman, skopeo, buildah[^\n]*mint: iam-token/u
  )
})
