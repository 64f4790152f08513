// With real docker under strace: no secret is on a command line or in the environment of any program that is started, and
// each is masked before it is written anywhere.
import { afterEach, beforeEach, describe, expect } from '@jest/globals'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import {
  OPERATOR_KEY,
  PROFILE_ID,
  READER_ID,
  READER_KEY,
  REPOSITORY,
  WRITER_ID,
  WRITER_KEY
} from '../cloud/default-world.ts'
import { LeakScan, maskedSecrets, type WatchedSecret } from '../support/leak-scan.ts'
import { startJob, type Environment, type Inputs } from '../support/runner.ts'
import { makeSecret, SecretSearch, type Secret } from '../support/secrets.ts'
import { traceAction, type Write } from '../support/strace.ts'
import { testWith } from '../support/test-with.ts'

let cloud: Cloud
const closers: (() => void)[] = []

beforeEach(async () => {
  cloud = await startCloud({ registry: { registryTokens: true } })
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) close()
  await cloud.close()
})

const LOGIN = /^header authorization of request registry GET \/oauth\/token$/u
const CONFIG = /^file HOME\/\.docker\/(?:config|icr-login)\.json during the job$/u
const IAM = /^body of request iam POST \/identity\/token$/u

interface Scene {
  inputs: Inputs
  secret?: Secret
  /** Where it may be. */
  may?: RegExp[]
  ends?: number
  env?: Environment
}

function given(kind: string, value: string, more: Inputs = {}): Scene {
  return { inputs: { [kind]: value, ...more }, secret: makeSecret('given', value), may: [LOGIN, CONFIG] }
}

function minted(mint: string, key: string, more: Inputs = {}): Scene {
  const inputs = { 'api-key': key, mint, repositories: REPOSITORY, ...more }
  return { inputs, secret: makeSecret('given', key), may: [mint === 'repository-token' ? LOGIN : IAM] }
}

const scenes: [string, () => Scene][] = [
  ['an API key', () => given('api-key', WRITER_KEY)],
  ['an access token', () => given('access-token', cloud.accessToken(WRITER_ID))],
  ['a refresh token', () => given('refresh-token', cloud.refreshToken(WRITER_ID))],
  [
    'a registry token',
    () => given('registry-token', cloud.world.addRegistryToken({ region: 'us-south' }).value)
  ],
  ['an API key and a trusted profile', () => given('api-key', READER_KEY, { 'trusted-profile': PROFILE_ID })],
  ['a wrong secret', () => ({ ...given('api-key', WRITER_KEY.toUpperCase()), ends: 1 })],
  [
    'a trusted profile alone',
    () => ({
      inputs: { 'trusted-profile': PROFILE_ID },
      env: { RUNNER_ENVIRONMENT: 'self-hosted', IBMCLOUD_CR_VPC_URL: cloud.metadataUrl }
    })
  ],
  ['mint: repository-token', () => minted('repository-token', WRITER_KEY)],
  ['mint: iam-token', () => minted('iam-token', WRITER_KEY, { 'trusted-profile': PROFILE_ID })],
  ['mint: api-key', () => minted('api-key', OPERATOR_KEY, { 'service-id': READER_ID })],
  ['mint: registry-token', () => minted('registry-token', OPERATOR_KEY)]
]

/** The secrets whose first sign of life is anything else than their own mask. */
function writtenBeforeMasked(writes: readonly Write[], secrets: readonly Secret[]): string[] {
  return secrets.flatMap((secret) => {
    const search = new SecretSearch([secret])
    const first = writes.find(({ text }) => search.find(text).length > 0)
    const isMask = first?.descriptor === 1 && first.text.split('\n').includes(`::add-mask::${secret.value}`)
    return isMask ? [] : [`${secret.name}: ${first?.text ?? 'never'}`]
  })
}

describe('Under strace, nothing leaks of', () => {
  for (const [name, set] of scenes) {
    testWith('docker', 'strace')(name, async () => {
      const action = traceAction()
      closers.push(() => {
        action.close()
      })
      const { inputs, secret, may = [], ends = 0, env = {} } = set()
      const debug = { RUNNER_DEBUG: '1' }
      const job = await startJob({ docker: 'real', action: action.directory, env: { ...debug, ...env } })
      closers.push(() => {
        job.close()
      })
      const scan = new LeakScan()
      const main = await job.main({ registry: cloud.registryHost, 'iam-url': cloud.iamUrl, ...inputs })
      if (main.exitCode !== ends) throw new Error(`${main.stdout}${main.stderr}`)
      scan.addStep('main', main)
      scan.addFiles('during the job', job)
      const post = await job.post()
      scan.addStep('post', post)
      scan.addFiles('after the job', job)
      scan.addProcesses(action.processes())
      scan.addRequests(cloud.requests)

      const known: WatchedSecret[] = secret === undefined ? [] : [{ ...secret, may }]
      const password = main.outputs['password'] ?? ''
      const made = maskedSecrets([main, post], known, (mask) =>
        mask === password
          ? [
              LOGIN,
              CONFIG,
              /^outputs password of main$/u,
              /^header authorization of request registry GET \/v2\//u
            ]
          : [/^header authorization of request /u, IAM]
      )
      expect(scan.leaks([...known, ...made])).toEqual([])
      const all = [...known, ...made.filter(({ value }) => main.masks.includes(value))]
      expect(writtenBeforeMasked(action.writes(), all)).toEqual([])
      // strace has seen what it was there for.
      const programs = action.processes().map(({ program, argv }) => [program, argv[3], argv.at(-1)])
      const docker = ['docker', 'login', cloud.registryHost]
      expect(programs).toEqual(inputs['mint'] === 'repository-token' ? [] : [docker])
      expect(all.length).toBeGreaterThan(0)
    })
  }
})
