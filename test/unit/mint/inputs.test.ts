import { describe, expect, test } from '@jest/globals'
import { parseTrustedProfile } from '../../../src/credential/credential.ts'
import { UserError } from '../../../src/errors/user-error.ts'
import type { Identity } from '../../../src/credential/identity.ts'
import { type RawMintInputs, resolveMint } from '../../../src/mint/inputs.ts'
import { isMethodName, METHODS } from '../../../src/mint/methods.ts'

type OtherInputs = Parameters<typeof resolveMint>[1]

const HOUR = 3_600_000
const ID = 'ServiceId-6e90f3ad-28b1-47c5-8d3e-0c5a71f84b29'
const profile = parseTrustedProfile('Profile-1')

const blank: RawMintInputs = {
  mint: 'none',
  repositories: [],
  serviceId: '',
  lifetime: undefined,
  readOnly: true
}
const job: OtherInputs = {
  authMethod: 'api-key',
  hosts: ['us.icr.io'],
  references: [],
  profile: undefined
}

const lifetime = (text: string, milliseconds: number): RawMintInputs['lifetime'] => ({ text, milliseconds })

function refusal(texts: Partial<RawMintInputs>, surroundings: Partial<OtherInputs> = {}): string {
  try {
    resolveMint({ ...blank, ...texts }, { ...job, ...surroundings })
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
  return ''
}

const repositories = ['team/app']

describe('What can’t be meant is refused in words', () => {
  test.each<[string, Partial<RawMintInputs>, Partial<OtherInputs>, string]>([
    ['an unknown mint', { mint: 'docker' }, {}, 'mint: "docker" is none.'],
    ['a word of the prototype', { mint: 'toString' }, {}, 'mint: "toString" is none.'],
    ['repositories alone', { repositories }, {}, 'repositories means nothing without mint.'],
    ['service-id alone', { serviceId: ID }, {}, 'service-id means nothing without mint.'],
    ['lifetime alone', { lifetime: lifetime('1h', HOUR) }, {}, 'lifetime means nothing without mint.'],
    ['read-only: false alone', { readOnly: false }, {}, 'read-only: false means nothing without mint.'],
    [
      'all four alone',
      { repositories, serviceId: ID, lifetime: lifetime('1h', HOUR), readOnly: false },
      {},
      'repositories, service-id, lifetime and read-only: false means nothing without mint.'
    ],
    ['no repositories', { mint: 'repository-token' }, {}, 'needs to know the repositories on us.icr.io.'],
    [
      'repositories on one host of two',
      { mint: 'repository-token', repositories: ['us.icr.io/team/app'] },
      { hosts: ['us.icr.io', 'de.icr.io'] },
      'needs to know the repositories on de.icr.io.'
    ],
    ['no service-id', { mint: 'api-key' }, {}, 'mint: api-key needs service-id.'],
    ['a name as service-id', { mint: 'api-key', serviceId: 'ci' }, {}, 'service-id: "ci" is not the ID'],
    [
      'service-id elsewhere',
      { mint: 'iam-token', serviceId: ID },
      {},
      'service-id means nothing with mint: iam-token.'
    ],
    [
      'a repository elsewhere',
      { mint: 'iam-token', repositories: ['de.icr.io/team/app'] },
      {},
      'on a host that this step does not log in to.'
    ],
    [
      'a repository that is none',
      { mint: 'iam-token', repositories: ['App'] },
      {},
      '"App" is not the name of a repository.'
    ],
    [
      'an hour and a minute of a repository token',
      { mint: 'repository-token', repositories, lifetime: lifetime('61m', HOUR + 60_000) },
      {},
      'lifetime: 61m is longer than mint: repository-token can give, which is 1h.'
    ],
    [
      'an hour and a minute of an IAM token',
      { mint: 'iam-token', lifetime: lifetime('61m', HOUR + 60_000) },
      {},
      'lifetime: 61m is longer than mint: iam-token can give, which is 1h.'
    ],
    [
      'more than a day of a key',
      { mint: 'api-key', serviceId: ID, lifetime: lifetime('25h', 25 * HOUR) },
      {},
      'lifetime: 25h is longer than mint: api-key can give, which is 24h.'
    ],
    ['an access token for one', { mint: 'iam-token' }, { authMethod: 'access-token' }, 'it is one already'],
    [
      'a profile beside a key',
      { mint: 'api-key', serviceId: ID },
      { profile },
      'trusted-profile does not go with mint: api-key'
    ]
  ])('%s', (_, texts, surroundings, words) => {
    expect(refusal(texts, surroundings)).toContain(words)
  })
})

describe('A refusal says what to do', () => {
  const ways = 'repository-token, iam-token, api-key, registry-token'
  const id =
    'Give the ID of a service ID that may only pull: ServiceId-…, as ibmcloud iam service-ids --uuid shows it.'
  test.each<[string, Partial<RawMintInputs>, Partial<OtherInputs>]>([
    [`mint: "x" is none.\nGive one of none, ${ways}.`, { mint: 'x' }, {}],
    [
      `lifetime means nothing without mint.\nTake it out, or give mint: ${ways}.`,
      { lifetime: lifetime('1h', HOUR) },
      {}
    ],
    [
      'mint: api-key does not go with refresh-token: only the client that got it can use it.\n' +
        'Give an api-key, or another mint.',
      { mint: 'api-key', serviceId: ID },
      { authMethod: 'refresh-token' }
    ],
    [
      'mint: iam-token makes no sense with access-token alone: it is one already.\n' +
        'Leave mint out, or give trusted-profile as well, which is assumed then.',
      { mint: 'iam-token' },
      { authMethod: 'access-token' }
    ],
    [
      'trusted-profile does not go with mint: registry-token and api-key.\n' +
        'Take trusted-profile out, or use mint: iam-token, which assumes it.',
      { mint: 'registry-token' },
      { profile }
    ],
    [
      'repositories: "de.icr.io/team/app" is on a host that this step does not log in to.\n' +
        'The hosts are us.icr.io and uk.icr.io.',
      { mint: 'iam-token', repositories: ['de.icr.io/team/app'] },
      { hosts: ['us.icr.io', 'uk.icr.io'] }
    ],
    [
      'mint: repository-token needs to know the repositories on us.icr.io.\n' +
        'Give repositories: namespace/repository, or an image reference in registry.',
      { mint: 'repository-token' },
      {}
    ],
    [
      'lifetime: 2h is longer than mint: iam-token can give, which is 1h.\n' +
        'Shorten it, or use mint: api-key, which lasts up to 24h.',
      { mint: 'iam-token', lifetime: lifetime('2h', 2 * HOUR) },
      {}
    ],
    [
      'service-id means nothing with mint: iam-token.\nTake it out, or use mint: api-key.',
      { mint: 'iam-token', serviceId: ID },
      {}
    ],
    [`mint: api-key needs service-id.\n${id}`, { mint: 'api-key' }, {}],
    ...['my-ci', 'ServiceId-', `${ID}!`, `x${ID}`, `ServiceId-${'a'.repeat(81)}`].map(
      (serviceId): [string, Partial<RawMintInputs>, Partial<OtherInputs>] => [
        `service-id: "${serviceId}" is not the ID of a service ID.\n${id}`,
        { mint: 'api-key', serviceId },
        {}
      ]
    )
  ])('%s', (message, texts, surroundings) => {
    expect(refusal(texts, surroundings)).toBe(message)
  })
})

describe('Repositories in one token', () => {
  const many = (count: number, name = 'repository'): RawMintInputs['repositories'] =>
    Array.from({ length: count }, (_, at) => `team/${name}-${at}`)
  const mint = 'repository-token'

  test('are as many as clients can send in a header of 8 KiB, and the error says how many', () => {
    const message = refusal({ mint, repositories: many(101) })
    expect(message).toMatch(/a token for the 101 repositories on us\.icr\.io is too long/u)
    const fitting = Number(/Set at most (\d+) of these/u.exec(message)?.[1])
    expect(fitting).toBeGreaterThan(40)
    expect(refusal({ mint, repositories: many(fitting) })).toBe('')
    expect(refusal({ mint, repositories: many(fitting + 1) })).toContain('is too long')
  })

  test('are fewer where their names are long', () => {
    expect(refusal({ mint, repositories: many(20) })).toBe('')
    expect(refusal({ mint, repositories: many(30, 'x'.repeat(240)) })).toContain('is too long')
  })

  test('are counted for each host', () => {
    const hosts = ['us.icr.io', 'de.icr.io']
    const repositories = hosts.flatMap((host) => many(40).map((name) => `${host}/${name}`))
    expect(refusal({ mint, repositories }, { hosts })).toBe('')
  })

  test('are as many as there are with every other mint', () => {
    expect(refusal({ mint: 'iam-token', repositories: many(1_000) })).toBe('')
  })
})

describe('Which secret goes with which way', () => {
  const minters: Identity['kind'][] = [
    'api-key',
    'keyless',
    'access-token',
    'refresh-token',
    'registry-token'
  ]
  // The matrix of the design: + goes, - does not.
  const matrix: Record<string, string> = {
    'repository-token': '+++++',
    'iam-token': '++---',
    'api-key': '++---',
    'registry-token': '++---'
  }

  test.each(Object.entries(matrix))('mint: %s', (mint, row) => {
    const found = minters.map((minter) =>
      refusal({ mint, repositories, serviceId: mint === 'api-key' ? ID : '' }, { authMethod: minter }) === ''
        ? '+'
        : '-'
    )
    expect(found.join('')).toBe(row)
  })

  test('there is no other way, and each is found by its name alone', () => {
    expect(Object.keys(METHODS).sort()).toEqual(Object.keys(matrix).sort())
    for (const name of Object.keys(METHODS)) expect(isMethodName(name)).toBe(true)
    for (const name of ['', 'none', '__proto__', 'constructor', 'API-KEY'])
      expect(isMethodName(name)).toBe(false)
  })

  test('an access token is for one of an assumed profile', () => {
    expect(
      resolveMint({ ...blank, mint: 'iam-token' }, { ...job, authMethod: 'access-token', profile })
    ).toMatchObject({
      profile
    })
  })

  test('the refusals say why', () => {
    for (const way of Object.values(METHODS))
      for (const why of Object.values(way.unsupported)) expect(why).toMatch(/^[a-z].*[^.]$/u)
  })
})

describe('What is to be minted', () => {
  test('is nothing where nothing is asked for', () => {
    expect(resolveMint(blank, job)).toBeUndefined()
  })

  test('has each repository under each host that it is on, once', () => {
    const minted = resolveMint(
      { ...blank, mint: 'repository-token', repositories: ['team/app', 'de.icr.io/team/web', 'team/app'] },
      {
        ...job,
        hosts: ['us.icr.io', 'de.icr.io'],
        references: [
          { host: 'us.icr.io', repository: 'team/tools' },
          { host: 'us.icr.io', repository: 'team/app' },
          { host: 'de.icr.io' }
        ]
      }
    )
    expect([...(minted?.repositories ?? [])]).toStrictEqual([
      ['us.icr.io', ['team/app', 'team/tools']],
      ['de.icr.io', ['team/app', 'team/web']]
    ])
  })

  test.each([ID, `iam-${ID}`])('has the service ID as IAM knows it (%s)', (serviceId) => {
    expect(resolveMint({ ...blank, mint: 'api-key', serviceId }, job)).toMatchObject({
      serviceId: `iam-${ID}`
    })
  })

  test.each([
    ['repository-token', HOUR],
    ['iam-token', HOUR],
    ['api-key', 24 * HOUR],
    ['registry-token', 24 * HOUR]
  ])('may last as long as mint: %s gives', (mint, longest) => {
    const texts = { ...blank, mint, repositories, serviceId: mint === 'api-key' ? ID : '' }
    const given = resolveMint({ ...texts, lifetime: lifetime('x', longest) }, job)
    expect(given).toMatchObject({ method: mint, lifetimeMs: longest, readOnly: true })
    expect(refusal({ ...texts, lifetime: lifetime('x', longest + 1) })).toContain('lifetime')
  })

  test('may have a profile beside the secret that only iam-token assumes', () => {
    const texts = { ...blank, mint: 'repository-token', repositories }
    expect(resolveMint(texts, { ...job, profile })).toMatchObject({ profile: undefined })
    for (const mint of ['api-key', 'registry-token'])
      expect(
        refusal({ mint, serviceId: mint === 'api-key' ? ID : '' }, { authMethod: 'keyless', profile })
      ).toBe('')
  })

  test('may be of no repository where the way needs none', () => {
    const minted = resolveMint({ ...blank, mint: 'iam-token', readOnly: false }, job)
    expect(minted).toEqual({
      method: 'iam-token',
      repositories: new Map([['us.icr.io', []]]),
      serviceId: '',
      lifetimeMs: undefined,
      readOnly: false,
      profile: undefined
    })
  })

  test('assumes no profile that the job already is', () => {
    const keyless = resolveMint({ ...blank, mint: 'iam-token' }, { ...job, authMethod: 'keyless', profile })
    expect(keyless?.profile).toBeUndefined()
    const assumed = resolveMint({ ...blank, mint: 'iam-token' }, { ...job, profile })
    expect(assumed?.profile).toEqual(profile)
  })
})
