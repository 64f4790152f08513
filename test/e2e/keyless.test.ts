// A job on IBM Cloud's own machines needs no secret: a trusted profile alone logs it in.
import { describe, expect, test } from '@jest/globals'
import { PROFILE_CRN, PROFILE_ID, PROFILE_NAME, SERVER_ID } from '../cloud/default-world.ts'
import { resetFault, statusFault } from '../cloud/faults.ts'
import type { Environment, Job } from '../support/runner.ts'
import { expectFailure, expectNotSaid, expectSuccess, filesWith } from './support/promises.ts'
import { authOf, testBothWays, useStage, type Way } from './support/stage.ts'

const stage = useStage()

async function newJob(docker: Way | (string & {}) = 'none', env: Environment = {}): Promise<Job> {
  return await stage.newJob({
    docker,
    env: { RUNNER_ENVIRONMENT: 'self-hosted', IBMCLOUD_CR_VPC_URL: stage.cloud.metadataUrl, ...env }
  })
}

const secretsOf = (job: Job): string => {
  const auth = String(job.dockerConfig()?.auths?.[stage.cloud.registryHost]?.['auth'])
  return Buffer.from(auth, 'base64')
    .toString()
    .replace(/^iambearer:/u, '')
}

const asked = (service: string): string[] =>
  stage.cloud.requests.filter((request) => request.service === service).map(({ path }) => path)

describe.each([
  ['ID', PROFILE_ID],
  ['IAM ID', `iam-${PROFILE_ID}`],
  ['CRN', PROFILE_CRN],
  ['name', PROFILE_NAME]
])('A trusted profile by its %s', (_, profile) => {
  testBothWays('logs in, and hands on the token and when it ends, masked', async (docker) => {
    const job = await newJob(docker)
    const before = job.snapshot()
    const main = await job.main(stage.here({ 'trusted-profile': profile }))
    expectSuccess(main)
    const { password = '', 'expires-at': end = '' } = main.outputs
    expect(main.outputs).toMatchObject({ username: 'iambearer', registry: stage.cloud.registryHost })
    expect(main.masks).toContain(password)
    expect(main.masks).toContain(authOf('iambearer', password))
    expectNotSaid(main, password)
    expect(secretsOf(job)).toBe(password)
    expect(Date.parse(end)).toBeGreaterThan(Date.now() + 3_500_000)
    expect(Date.parse(end)).toBeLessThanOrEqual(Date.now() + 3_600_000)
    expect(main.summary).toContain(end)
    expect(asked('metadata')).toEqual(['/instance_identity/v1/token', '/instance_identity/v1/iam_token'])
    const post = await job.post()
    expectSuccess(post)
    expectNotSaid(post, password)
    expect(job.snapshot()).toEqual(before)
    expect(filesWith(job, password)).toEqual([])
  })
})

test('The output is what later steps log in with: the registry takes it', async () => {
  const job = await newJob()
  const main = await job.main(stage.here({ 'trusted-profile': PROFILE_ID }))
  const { username = '', password = '' } = main.outputs
  const answer = await fetch(`http://${stage.cloud.registryHost}/oauth/token?service=registry`, {
    headers: { authorization: `Basic ${authOf(username, password)}` }
  })
  expect(answer.status).toBe(200)
})

test('The metadata service is asked without a proxy, even where NO_PROXY does not say so', async () => {
  const proxy = await stage.cloud.startProxy()
  const job = await newJob('none', { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: undefined })
  expectSuccess(await job.main(stage.here({ 'trusted-profile': PROFILE_ID })))
  expect(asked('proxy')).toEqual([])
})

test('On a GitHub-hosted runner nothing is asked, and the error says why it can’t work there', async () => {
  const docker = stage.newDocker()
  const job = await newJob(docker.directory, { RUNNER_ENVIRONMENT: 'github-hosted' })
  const main = await job.main(stage.here({ 'trusted-profile': PROFILE_ID }))
  const message = expectFailure(main, 'this is a GitHub-hosted runner')
  expect(message).toContain('api-key')
  expect(message).toContain('self-hosted')
  expect(stage.cloud.requests).toEqual([])
  expect(docker.calls()).toEqual([])
})

testBothWays(
  'A profile that does not trust this machine is refused, and nothing is logged in',
  async (docker) => {
    const profile = stage.cloud.world.profile(({ id }) => id === PROFILE_ID)
    if (profile !== undefined) profile.trusts = profile.trusts.filter((id) => id !== SERVER_ID)
    const job = await newJob(docker)
    const main = await job.main(stage.here({ 'trusted-profile': PROFILE_ID }))
    expectFailure(main, 'The metadata service refused the trusted profile (403)')
    expect(asked('registry')).toEqual([])
    expect(job.snapshot()).toEqual({})
  }
)

test('A profile that does not exist is refused', async () => {
  const job = await newJob()
  const main = await job.main(stage.here({ 'trusted-profile': 'no-such-profile' }))
  expectFailure(main, 'The metadata service refused the trusted profile')
})

test('A machine without a metadata service is told so', async () => {
  const job = await newJob('none', { IBMCLOUD_CR_VPC_URL: 'http://127.0.0.1:9' })
  const main = await job.main(stage.here({ 'trusted-profile': PROFILE_ID, timeout: '5s' }))
  const message = expectFailure(main, '127.0.0.1:9')
  expect(message).not.toMatch(/HTTPS_PROXY/u)
})

test('A metadata service that stumbles once is asked again', async () => {
  stage.cloud.faults.push({ service: 'metadata', fault: resetFault(), times: 1 })
  stage.cloud.faults.push({ service: 'metadata', path: /iam_token/u, fault: statusFault(503), times: 1 })
  const job = await newJob()
  expectSuccess(await job.main(stage.here({ 'trusted-profile': PROFILE_ID })))
})

test('A redirect of the metadata service is not followed', async () => {
  const headers = { location: `${stage.cloud.iamUrl}/elsewhere` }
  stage.cloud.faults.push({ service: 'metadata', path: /iam_token/u, fault: statusFault(302, headers) })
  const job = await newJob()
  expectFailure(await job.main(stage.here({ 'trusted-profile': PROFILE_ID })), 'a redirect')
  expect(asked('iam')).toEqual([])
})
