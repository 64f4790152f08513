// IBM's real host names, with a docker on the PATH that records how it was called and sends nothing.
import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { hostsOfRegion } from '../cloud/regions.ts'
import { PROFILE_ID, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import type { DockerCall } from '../support/recording-docker.ts'
import type { Environment, Inputs, StepResult } from '../support/runner.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { useStage } from './support/stage.ts'

const stage = useStage()

const REGIONS = [
  ...['global', 'us-south', 'eu-gb', 'eu-de', 'au-syd', 'jp-tok', 'jp-osa'],
  ...['ca-tor', 'ca-mon', 'br-sao', 'eu-es', 'in-che', 'in-mum', 'eu-fr2']
]
const WITH_LEGACY_HOST = ['global', 'us-south', 'eu-gb', 'eu-de', 'au-syd']
const FORMER: [string, string][] = [
  ['uk-south', 'eu-gb'],
  ['eu-central', 'eu-de'],
  ['ap-south', 'au-syd'],
  ['ap-north', 'jp-tok']
]

interface Recorded {
  main: StepResult
  calls: DockerCall[]
}

async function logIn(inputs: Inputs, env: Environment = {}): Promise<Recorded> {
  const docker = stage.newDocker()
  const job = await stage.newJob({ docker: docker.directory, env })
  const main = await job.main({ 'api-key': WRITER_KEY, ...inputs })
  return { main, calls: docker.calls() }
}

const hostsOf = (calls: DockerCall[]): string[] => calls.map(({ argv }) => argv.at(-1) ?? '').sort()

describe.each([
  ['public', 0, REGIONS],
  ['private', 1, REGIONS],
  ['legacy', 2, WITH_LEGACY_HOST]
] as const)('endpoint: %s', (endpoint, index, regions) => {
  test('every region that has one is logged in to by its host, with one docker each', async () => {
    const hosts = regions.map((region) => hostsOfRegion(region)[index] ?? '')
    expect(hosts).not.toContain('')
    const { main, calls } = await logIn({ region: regions.join(' '), endpoint })
    expectSuccess(main)
    expect(main.outputs['registries']).toBe(JSON.stringify(hosts))
    expect(hostsOf(calls)).toEqual([...hosts].sort())
    expect(stage.cloud.requests).toEqual([])
  })
})

test.each(REGIONS.filter((region) => !WITH_LEGACY_HOST.includes(region)))(
  'endpoint: legacy is refused for %s, which never had such a host, and those that have one are named',
  async (region) => {
    const { main, calls } = await logIn({ region, endpoint: 'legacy' })
    const message = expectFailure(main, `The region ${region} has no legacy host`, WRITER_KEY)
    expect(message).toContain(hostsOfRegion(region)[0])
    expect(message).toContain(WITH_LEGACY_HOST.join(', '))
    expect(calls).toEqual([])
  }
)

test.each(FORMER)('The former name %s means %s', async (former, today) => {
  const { main, calls } = await logIn({ region: former })
  expectSuccess(main)
  expect(hostsOf(calls)).toEqual(hostsOfRegion(today).slice(0, 1))
})

test.each([
  ['us-east', 'registry', /ambiguous.*region: global or region: us-south/su],
  ['us-soth', 'region', /Did you mean us-south\?/u],
  ['eu-dee', 'region', /Did you mean eu-de\?/u],
  ['frankfurt', 'region', /Write region: eu-de \(de\.icr\.io\)/u],
  ['Dallas', 'region', /Write region: us-south/u],
  ['ng', 'region', /Write region: us-south/u],
  ['us', 'region', /Write region: us-south/u],
  ['de.icr.io', 'region', /Write registry: de\.icr\.io, or region: eu-de/u],
  ['mars', 'region', /The regions are global, us-south/u]
] as const)('region: %s is answered with the right name', async (region, _, cure) => {
  const { main, calls } = await logIn({ region })
  expect(expectFailure(main, `region: "${region}"`, WRITER_KEY)).toMatch(cure)
  expect(calls).toEqual([])
})

test.each([
  ['eu.icr.io', /Write .*\bde\.icr\.io/u],
  ['registry.us-south.icr.io', /Write us\.icr\.io/u],
  ['us-south', /Write region: us-south/u],
  ['us-south.icr.io', /Write us\.icr\.io/u],
  ['cp.icr.io', /Entitled Registry.*username cp/su],
  ['cp.icr.io/cp/app:1', /Entitled Registry/u],
  ['dd0.us.icr.io', /Log in to us\.icr\.io/u],
  ['https://us.icr.io', /without https:\/\//u],
  ['us.icr.io:443', /without a port/u],
  ['us.icr.ioo', /Did you mean us\.icr\.io\?/u],
  ['docker.io', /one of icr\.io, us\.icr\.io/u],
  ['ghcr.io/octocat/app', /one of icr\.io, us\.icr\.io/u]
] as const)('registry: %s is answered with the right one', async (registry, cure) => {
  const { main, calls } = await logIn({ registry })
  expect(expectFailure(main, 'is not a registry to log in to', WRITER_KEY)).toMatch(cure)
  expect(calls).toEqual([])
})

test('Neither region nor registry is an error that names both', async () => {
  const { main, calls } = await logIn({ region: ' , \n' })
  expectFailure(main, 'region and registry are empty', WRITER_KEY)
  expect(calls).toEqual([])
})

describe('docker is called', () => {
  const secrets: [string, () => { inputs: Inputs; username: string; secret: string }][] = [
    ['an API key', () => ({ inputs: { 'api-key': WRITER_KEY }, username: 'iamapikey', secret: WRITER_KEY })],
    [
      'an access token',
      () => {
        const secret = stage.cloud.accessToken(WRITER_ID)
        return {
          inputs: { 'api-key': '', 'access-token': `Bearer ${secret}\n` },
          username: 'iambearer',
          secret
        }
      }
    ],
    [
      'a refresh token',
      () => ({
        inputs: { 'api-key': '', 'refresh-token': 'a refresh token' },
        username: 'iamrefresh',
        secret: 'a refresh token'
      })
    ],
    [
      'a trusted profile',
      () => ({
        inputs: { 'api-key': WRITER_KEY, 'trusted-profile': PROFILE_ID },
        username: PROFILE_ID,
        secret: WRITER_KEY
      })
    ]
  ]

  test.each(secrets)('with %s on its standard input, exactly, and in no argument', async (_, give) => {
    const { inputs, username, secret } = give()
    const { main, calls } = await logIn({ ...inputs, region: 'us-south' })
    expectSuccess(main)
    const sha256 = createHash('sha256').update(secret).digest('hex')
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({
      argv: [
        '--config',
        expect.any(String),
        'login',
        '--username',
        username,
        '--password-stdin',
        'us.icr.io'
      ],
      stdin: { bytes: Buffer.byteLength(secret), sha256 }
    })
  })

  test('with a config of its own, in which it can’t choose a store by itself', async () => {
    const { calls } = await logIn({ region: 'us-south eu-de' })
    expect(new Set(calls.map(({ configDirectory }) => configDirectory)).size).toBe(2)
    for (const { config, configDirectory } of calls) {
      expect(config).toBe('{"auths":{"x.invalid":{}}}')
      expect(configDirectory).toMatch(/\/runner-temp\/icr-login-[0-9a-f]{16}\/\d$/u)
    }
  })

  test('with a short list of variables, none of which leads the secret elsewhere', async () => {
    const env: Environment = {
      DOCKER_CONTEXT: 'remote',
      DOCKER_HOST: 'tcp://127.0.0.1:2375',
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: '/certs',
      DOCKER_AUTH_CONFIG: '{"auths":{}}',
      DOCKER_API_VERSION: '1.41',
      GITHUB_TOKEN: 'ghs_0123456789abcdef',
      ACTIONS_RUNTIME_TOKEN: 'a runtime token',
      IBM_CLOUD_API_KEY: WRITER_KEY,
      // Of the short list, but for what it holds.
      LC_SECRET: `x${WRITER_KEY}`,
      LC_ALL: 'C.UTF-8',
      SSL_CERT_FILE: '/etc/ssl/ca.pem',
      XDG_RUNTIME_DIR: '/run/user/1001',
      NODE_EXTRA_CA_CERTS: undefined
    }
    const { main, calls } = await logIn({ region: 'us-south' }, env)
    expectSuccess(main)
    const [call] = calls
    expect(Object.keys(call?.env ?? {}).sort()).toEqual([
      ...[
        'DOCKER_CONFIG',
        'DOCKER_HOST',
        'GOGC',
        'GOMAXPROCS',
        'GOMEMLIMIT',
        'HOME',
        'HTTPS_PROXY',
        'HTTP_PROXY',
        'LANG'
      ],
      ...['LC_ALL', 'NO_PROXY', 'PATH', 'SSL_CERT_FILE', 'TMPDIR', 'XDG_RUNTIME_DIR']
    ])
    expect(call?.env['DOCKER_HOST']).toBe('unix:///nonexistent/icr-login.sock')
    expect(JSON.stringify(call?.env)).not.toContain(WRITER_KEY)
    expect(JSON.stringify(call?.argv)).not.toContain(WRITER_KEY)
  })
})

test('Without network work of its own a login with docker sends nothing', async () => {
  const { main } = await logIn({ region: 'us-south', 'iam-url': stage.cloud.iamUrl })
  expectSuccess(main)
  expect(stage.cloud.requests).toEqual([])
})

test.each([
  [{ exitCode: 0, entry: 'none' as const }, 'stored no credential'],
  [{ exitCode: 125, stderr: '' }, 'exited with code 125 and no output']
])('A docker that is none is not believed: %o', async (answer, wanted) => {
  const docker = stage.newDocker([answer])
  const job = await stage.newJob({ docker: docker.directory })
  const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
  expectFailure(main, wanted, WRITER_KEY)
  expect(docker.calls()).toHaveLength(1)
  expect(job.snapshot()).toEqual({})
})

test('An identity token that the registry gives in place of the secret is kept, masked', async () => {
  const docker = stage.newDocker([{ entry: 'identity-token' }])
  const job = await stage.newJob({ docker: docker.directory })
  const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
  expectSuccess(main)
  expect(main.masks).toContain('identity-token-for-us.icr.io')
  expect(job.dockerConfig()?.auths?.['us.icr.io']).toMatchObject({
    identitytoken: 'identity-token-for-us.icr.io'
  })
})
