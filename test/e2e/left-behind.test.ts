// What other steps of a job leave behind between main and post: cleanup is right, or says what is left; nothing of
// anybody else's is touched, no secret goes astray, and what was minted is revoked wherever that can be done at all.
import { describe, expect, test } from '@jest/globals'
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCloud } from '../cloud/cloud.ts'
import { OPERATOR_KEY, USER_KEY } from '../cloud/default-world.ts'
import { requestsWith } from '../cloud/recorder.ts'
import { snapshot, type Inputs, type Job, type JobOptions, type StepResult } from '../support/runner.ts'
import { startServer } from '../unit/support/server.ts'
import { entryOf, keysOf, mintInputs } from './support/mint.ts'
import { expectNotSaid, expectSuccess } from './support/promises.ts'
import { authOf, readText, useStage, writeConfig } from './support/stage.ts'

const stage = useStage()

interface Minted {
  job: Job
  main: StepResult
  inputs: Inputs
  /** What was minted, and what minted it. */
  secrets: string[]
}

/** A job whose main has minted a key and logged in with it. */
async function mint(options: JobOptions = {}, where: Inputs = stage.here()): Promise<Minted> {
  const job = await stage.newJob(options)
  const inputs = mintInputs('api-key', where)
  const main = await job.main(inputs)
  expectSuccess(main)
  expect(keysOf(stage.cloud)).toHaveLength(1)
  const host = main.outputs['registry'] ?? ''
  const [, key = ''] = Buffer.from(String(entryOf(job, host)['auth']), 'base64')
    .toString()
    .split(':')
  stage.cloud.requests.splice(0)
  return { job, main, inputs, secrets: [OPERATOR_KEY, key] }
}

/** Runs post, which is green whatever there is, and shows no secret. */
async function clean({ job, inputs, secrets }: Minted, changed: Inputs = {}): Promise<StepResult> {
  const post = await job.post({ inputs: { ...inputs, ...changed } })
  expect([post.exitCode, post.errors]).toEqual([0, []])
  expectNotSaid(post, ...secrets)
  return post
}

const expectRevoked = (): void => {
  expect(keysOf(stage.cloud)).toEqual([])
}

/** The one warning names the key, and when it ends. */
function expectKeyLeft(post: StepResult, main: StepResult): void {
  const [warning = '', ...more] = post.warnings.filter((text) => text.includes('could not be revoked'))
  expect(more).toEqual([])
  expect(warning).toContain(main.outputs['token-id'])
  expect(warning).toContain(main.outputs['expires-at'])
}

/** A home of somebody else's, with a login of theirs for a host. */
function makeOther(host: string): { home: string; before: Record<string, string> } {
  const home = stage.newFolder()
  writeConfig(home, JSON.stringify({ auths: { [host]: { auth: authOf('iamapikey', USER_KEY) } } }))
  return { home, before: snapshot(home) }
}

describe('Left behind by other steps:', () => {
  test('1. another DOCKER_CONFIG', async () => {
    const minted = await mint()
    const other = makeOther(stage.cloud.registryHost)
    minted.job.env['DOCKER_CONFIG'] = join(other.home, '.docker')
    expect((await clean(minted)).warnings).toEqual([])
    expectRevoked()
    expect([minted.job.snapshot(), snapshot(other.home)]).toEqual([{}, other.before])
  })

  test('2. another HOME', async () => {
    const minted = await mint()
    const other = makeOther(stage.cloud.registryHost)
    minted.job.env['HOME'] = other.home
    expect((await clean(minted)).warnings).toEqual([])
    expectRevoked()
    expect([minted.job.snapshot(), snapshot(other.home)]).toEqual([{}, other.before])
  })

  test('3. a PATH with another docker, or with nothing', async () => {
    const docker = stage.newDocker()
    for (const path of [docker.directory, '', '/nowhere']) {
      const minted = await mint()
      minted.job.env['PATH'] = path
      expect((await clean(minted)).warnings).toEqual([])
      expectRevoked()
      expect(minted.job.snapshot()).toEqual({})
    }
    expect(docker.calls()).toEqual([])
  })

  /** Under IBM's real names, through the proxy. */
  async function mintThroughProxy(): Promise<Minted> {
    const { url, caPem } = await stage.cloud.startProxy()
    const ca = join(stage.newFolder(), 'ca.pem')
    writeFileSync(ca, caPem)
    return await mint({ env: { HTTPS_PROXY: url, NODE_EXTRA_CA_CERTS: ca } }, { region: 'us-south' })
  }

  /** A cloud of somebody else's, whose certificates for IBM's names nobody here trusts. */
  async function startHostile(): Promise<{ url: string; requests: typeof stage.cloud.requests }> {
    const cloud = await startCloud()
    stage.closeLater(() => cloud.close())
    const { url } = await cloud.startProxy()
    return { url, requests: cloud.requests }
  }

  test('4. a proxy that is not there: what is left is said, and the login is gone', async () => {
    const minted = await mintThroughProxy()
    minted.job.env['HTTPS_PROXY'] = 'http://127.0.0.1:9'
    const post = await clean(minted)
    expectKeyLeft(post, minted.main)
    expect(post.log).toContain('us.icr.io: logged out.')
    expect(minted.job.snapshot()).toEqual({})
  }, 60_000)

  test('4. a proxy set where there was none: nothing on this machine goes through it', async () => {
    const minted = await mint()
    const hostile = await startHostile()
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'http_proxy'])
      minted.job.env[name] = hostile.url
    minted.job.env['NO_PROXY'] = ''
    expect((await clean(minted)).warnings).toEqual([])
    expectRevoked()
    expect(hostile.requests).toEqual([])
  })

  test('5. NODE_TLS_REJECT_UNAUTHORIZED=0 and a proxy of somebody else’s: no secret goes there', async () => {
    const minted = await mintThroughProxy()
    const hostile = await startHostile()
    minted.job.env['HTTPS_PROXY'] = hostile.url
    minted.job.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const post = await clean(minted)
    expectKeyLeft(post, minted.main)
    expect(post.warnings.join('\n')).toContain('The certificate of iam.cloud.ibm.com is not trusted')
    // It was asked for a way to IAM, and for nothing on that way.
    expect(new Set(hostile.requests.map(({ method }) => method))).toEqual(new Set(['CONNECT']))
    expect(minted.secrets.flatMap((secret) => requestsWith(hostile.requests, secret))).toEqual([])
    expect(minted.job.snapshot()).toEqual({})
  })

  test('6. state keys set through GITHUB_ENV', async () => {
    const minted = await mint()
    const other = makeOther(stage.cloud.registryHost)
    const victim = { directory: join(other.home, '.docker'), hosts: [stage.cloud.registryHost] }
    for (const name of ['STATE_login', 'STATE_mint', 'STATE_directory', 'STATE_isPost', 'STATE_'])
      minted.job.env[name] = JSON.stringify(victim)
    expect((await clean(minted)).warnings).toEqual([])
    expectRevoked()
    expect([minted.job.snapshot(), snapshot(other.home)]).toEqual([{}, other.before])
  })

  test('7. another iam-url in the inputs', async () => {
    const minted = await mint()
    const elsewhere = await startServer({ body: '{"access_token":"x"}' })
    expect((await clean(minted, { 'iam-url': `http://${elsewhere.host}` })).warnings).toEqual([])
    expectRevoked()
    expect(elsewhere.received).toEqual([])
  })

  test('8. another secret in the inputs: it is not sent, and what is left is said', async () => {
    const minted = await mint()
    const post = await clean(minted, { 'api-key': USER_KEY })
    expectKeyLeft(post, minted.main)
    expectNotSaid(post, USER_KEY)
    expect(stage.cloud.requests).toEqual([])
    expect(minted.job.snapshot()).toEqual({})
  })

  test('9. a link to another file in the place of our ledger', async () => {
    const minted = await mint()
    const victim = join(stage.newFolder(), 'precious.json')
    const ledger = join(minted.job.home, '.docker', 'icr-login.json')
    cpSync(ledger, victim)
    const text = readText(victim)
    rmSync(ledger)
    symlinkSync(victim, ledger)
    const post = await clean(minted)
    expect(post.warnings).toEqual([expect.stringContaining('is not the file that icr-login keeps there')])
    expectRevoked()
    expect(readText(victim)).toBe(text)
  })

  test('10. a link to another folder in the place of ours', async () => {
    const minted = await mint()
    const { job } = minted
    const other = makeOther(stage.cloud.registryHost)
    renameSync(join(job.home, '.docker'), join(job.home, 'moved'))
    symlinkSync(join(other.home, '.docker'), join(job.home, '.docker'))
    const post = await clean(minted)
    expect(post.warnings).toEqual([expect.stringContaining(`docker logout ${stage.cloud.registryHost}`)])
    expectRevoked()
    expect(snapshot(other.home)).toEqual(other.before)
  })

  test('11. a config.json that another login has written', async () => {
    const minted = await mint()
    const entry = { auth: authOf('iamapikey', USER_KEY) }
    const text = JSON.stringify({ auths: { [stage.cloud.registryHost]: entry, 'ghcr.io': { auth: 'eDp5' } } })
    const file = writeConfig(minted.job.home, text)
    const post = await clean(minted)
    expect(post.warnings).toEqual([expect.stringContaining('its login was changed after this step')])
    expectRevoked()
    expect(readText(file)).toBe(text)
    expectNotSaid(post, USER_KEY)
  })

  test('12. an empty RUNNER_TEMP, or none', async () => {
    for (const left of ['empty', 'gone', 'full']) {
      const minted = await mint()
      const { temp } = minted.job
      for (const name of readdirSync(temp)) rmSync(join(temp, name), { recursive: true })
      if (left === 'gone') rmSync(temp, { recursive: true })
      if (left === 'full') mkdirSync(join(temp, 'icr-login-of-somebody'))
      const before = snapshot(temp)
      expect((await clean(minted)).warnings).toEqual([])
      expectRevoked()
      expect([minted.job.snapshot(), snapshot(temp)]).toEqual([{}, before])
    }
  })
})
