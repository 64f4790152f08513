// Which secret goes with which mint: each cell of the matrix works, or is refused before anything is sent.
import { describe, expect, test } from '@jest/globals'
import {
  OPERATOR_ID,
  OPERATOR_KEY,
  PROFILE_ID,
  READER_ID,
  REPOSITORY,
  WRITER_ID
} from '../cloud/default-world.ts'
import type { Inputs } from '../support/runner.ts'
import { keysOf, madeIn, tokensOf } from './support/mint.ts'
import { expectFailure, expectNotSaid, expectSuccess, filesWith } from './support/promises.ts'
import { useStage } from './support/stage.ts'

const stage = useStage({ registry: { registryTokens: true } })

const MINTS = ['none', 'repository-token', 'iam-token', 'api-key', 'registry-token'] as const
type Mint = (typeof MINTS)[number]

/** The user name that a cell logs in with, or the words that refuse it; empty for a token without a user. */
type Cell = string | RegExp

interface Row {
  give: () => Inputs
  cells: Record<Mint, Cell>
}

const alreadyRevoked = (secret: string): string =>
  `does not go with ${secret}: what it mints could not be revoked`
const othersOnly = 'does not go with refresh-token: only the client that got it can use it'
const registryOnly = 'does not go with registry-token: it is a credential of the registry alone'

const rows: Record<string, Row> = {
  'api-key': {
    give: () => ({ 'api-key': OPERATOR_KEY }),
    cells: {
      none: 'iamapikey',
      'repository-token': '',
      'iam-token': 'iambearer',
      'api-key': 'iamapikey',
      'registry-token': 'token'
    }
  },
  'api-key and trusted-profile': {
    give: () => ({ 'api-key': OPERATOR_KEY, 'trusted-profile': PROFILE_ID }),
    cells: {
      none: PROFILE_ID,
      'repository-token': '',
      'iam-token': 'iambearer',
      'api-key': /trusted-profile does not go with mint: api-key and api-key/u,
      'registry-token': /trusted-profile does not go with mint: registry-token and api-key/u
    }
  },
  'trusted-profile alone': {
    give: () => ({ 'trusted-profile': PROFILE_ID }),
    cells: {
      none: 'iambearer',
      'repository-token': '',
      'iam-token': 'iambearer',
      'api-key': 'iamapikey',
      'registry-token': 'token'
    }
  },
  'access-token': {
    give: () => ({ 'access-token': stage.cloud.accessToken(OPERATOR_ID) }),
    cells: {
      none: 'iambearer',
      'repository-token': '',
      'iam-token': /mint: iam-token makes no sense with access-token alone/u,
      'api-key': new RegExp(`mint: api-key ${alreadyRevoked('access-token')}`, 'u'),
      'registry-token': new RegExp(`mint: registry-token ${alreadyRevoked('access-token')}`, 'u')
    }
  },
  'access-token and trusted-profile': {
    give: () => ({ 'access-token': stage.cloud.accessToken(OPERATOR_ID), 'trusted-profile': PROFILE_ID }),
    cells: {
      none: /trusted-profile does not go with access-token, unless mint: iam-token/u,
      'repository-token': /trusted-profile does not go with access-token, unless mint: iam-token/u,
      'iam-token': 'iambearer',
      'api-key': /mint: api-key does not go with access-token/u,
      'registry-token': /mint: registry-token does not go with access-token/u
    }
  },
  'refresh-token': {
    give: () => ({ 'refresh-token': stage.cloud.refreshToken(WRITER_ID) }),
    cells: {
      none: 'iamrefresh',
      'repository-token': '',
      'iam-token': new RegExp(`mint: iam-token ${othersOnly}`, 'u'),
      'api-key': new RegExp(`mint: api-key ${othersOnly}`, 'u'),
      'registry-token': new RegExp(`mint: registry-token ${othersOnly}`, 'u')
    }
  },
  'registry-token': {
    give: () => ({ 'registry-token': stage.cloud.world.addRegistryToken({ region: 'us-south' }).value }),
    cells: {
      none: 'token',
      'repository-token': '',
      'iam-token': new RegExp(`mint: iam-token ${registryOnly}`, 'u'),
      'api-key': new RegExp(`mint: api-key ${registryOnly}`, 'u'),
      'registry-token': new RegExp(`mint: registry-token ${registryOnly}`, 'u')
    }
  }
}

function inputsFor(row: Row, mint: Mint): Inputs {
  return stage.here({
    ...row.give(),
    mint,
    ...(mint === 'none' ? {} : { repositories: REPOSITORY }),
    ...(mint === 'api-key' ? { 'service-id': READER_ID } : {})
  })
}

const env = (): Record<string, string> => ({
  RUNNER_ENVIRONMENT: 'self-hosted',
  IBMCLOUD_CR_VPC_URL: stage.cloud.metadataUrl
})

function cellsWhere(wanted: (cell: Cell) => boolean): [string, Mint, Cell][] {
  return Object.entries(rows).flatMap(([name, { cells }]) =>
    MINTS.filter((mint) => wanted(cells[mint])).map((mint): [string, Mint, Cell] => [name, mint, cells[mint]])
  )
}

describe('A pair that goes together', () => {
  test.each(cellsWhere((cell) => typeof cell === 'string'))(
    '%s with mint: %s',
    async (name, mint, username) => {
      const row = rows[name]
      if (row === undefined) throw new Error(name)
      stage.cloud.world.addOperator(PROFILE_ID, READER_ID)
      stage.cloud.world.addRegistryAdministrator(PROFILE_ID)
      const job = await stage.newJob({ env: env() })
      const inputs = inputsFor(row, mint)
      const main = await job.main(inputs)
      expectSuccess(main, inputs['registry-token'] === undefined ? [] : ['19 August 2021'])
      expect(main.outputs).toMatchObject({ username, access: mint === 'none' ? '' : 'pull' })
      const secret = Object.entries(inputs).find(([kind]) => /^(?:api-key|.*-token)$/u.test(kind))?.[1]
      if (mint !== 'none' && secret !== undefined) {
        expectNotSaid(main, secret)
        expect(filesWith(job, secret)).toEqual([])
        expect(main.outputs['password']).not.toBe('')
      }
      expect(keysOf(stage.cloud)).toHaveLength(mint === 'api-key' ? 1 : 0)
      expect(tokensOf(stage.cloud)).toHaveLength(mint === 'registry-token' ? 1 : 0)
      expectSuccess(await job.post())
      expect(madeIn(stage.cloud)).toEqual([])
      expect(job.snapshot()).toEqual({})
    }
  )
})

describe('A pair that does not is refused before anything is sent', () => {
  test.each(cellsWhere((cell) => typeof cell !== 'string'))('%s with mint: %s', async (name, mint, words) => {
    const row = rows[name]
    if (row === undefined) throw new Error(name)
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory, env: env() })
    const inputs = inputsFor(row, mint)
    expectFailure(await job.main(inputs), words)
    expect(stage.cloud.requests).toEqual([])
    expect(docker.calls()).toEqual([])
    expectSuccess(await job.post())
    expect(stage.cloud.requests).toEqual([])
    expect(job.snapshot()).toEqual({})
  })
})

describe('What a mint needs, or has no use for, is told before anything is sent', () => {
  const wrong: [string, Inputs, string | RegExp][] = [
    [
      'a mint that there is not',
      { mint: 'password' },
      'Give one of none, repository-token, iam-token, api-key'
    ],
    ['a mint of the prototype', { mint: 'constructor' }, 'mint: "constructor" is none.'],
    ['repository-token without repositories', { mint: 'repository-token' }, 'repositories'],
    ['api-key without service-id', { mint: 'api-key' }, 'mint: api-key needs service-id.'],
    [
      'a service ID’s name',
      { mint: 'api-key', 'service-id': 'ci-pull' },
      'service-id: "ci-pull" is not the ID'
    ],
    [
      'a path as service-id',
      { mint: 'api-key', 'service-id': 'ServiceId-../../x' },
      'service-id: "ServiceId-../../x" is not the ID'
    ],
    [
      'a user as service-id',
      { mint: 'api-key', 'service-id': 'IBMid-550008XQ2Z' },
      'is not the ID of a service ID'
    ],
    [
      'service-id with another mint',
      { mint: 'iam-token', 'service-id': READER_ID },
      'service-id means nothing with mint: iam-token.'
    ],
    ['service-id without mint', { 'service-id': READER_ID }, 'service-id means nothing without mint.'],
    ['repositories without mint', { repositories: REPOSITORY }, 'repositories means nothing without mint.'],
    ['lifetime without mint', { lifetime: '1h' }, 'lifetime means nothing without mint.'],
    [
      'read-only: false without mint',
      { 'read-only': 'false' },
      'read-only: false means nothing without mint.'
    ],
    ['a lifetime that is none', { mint: 'iam-token', lifetime: 'soon' }, 'lifetime: "soon"'],
    ['a lifetime of nothing', { mint: 'iam-token', lifetime: '0m' }, 'lifetime: "0m"'],
    ['a negative lifetime', { mint: 'iam-token', lifetime: '-5m' }, 'lifetime: "-5m"'],
    ['read-only that is neither', { mint: 'iam-token', 'read-only': 'perhaps' }, 'read-only: "perhaps"'],
    ...[
      'app',
      'Team/app',
      'team//app',
      '../app',
      'team/app:1',
      'team/app@sha256:0',
      'team/app?x',
      '/team/app'
    ].map((repository): [string, Inputs, string] => [
      `"${repository}" as a repository`,
      { mint: 'iam-token', repositories: repository },
      `repositories: "${repository}" is not the name of a repository.`
    ]),
    [
      'a repository on a host that is not logged in to',
      { mint: 'iam-token', repositories: 'de.icr.io/team/app' },
      'repositories: "de.icr.io/team/app" is on a host that this step does not log in to.'
    ],
    [
      'a tag in repositories with a host',
      { mint: 'iam-token', repositories: 'us.icr.io/team/app:1' },
      'repositories'
    ]
  ]

  test.each(wrong)('%s', async (_, inputs, words) => {
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory })
    expectFailure(await job.main(stage.here({ 'api-key': OPERATOR_KEY, ...inputs })), words, OPERATOR_KEY)
    expect(stage.cloud.requests).toEqual([])
    expect(docker.calls()).toEqual([])
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual({})
  })
})
