// isolate: true — the login in a directory of the job's own, with all that the user's clients had, and gone with it.
import { describe, expect, test } from '@jest/globals'
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { READER_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import type { Inputs, Job, StepResult } from '../support/runner.ts'
import { makeHelper } from './support/credential-helper.ts'
import { expectFailure, expectSuccess, filesWith } from './support/promises.ts'
import { authOf, readText, testBothWays, useStage, writeConfig } from './support/stage.ts'

const stage = useStage()

const host = (): string => stage.cloud.registryHost
const ours = (secret = WRITER_KEY): object => ({ auth: authOf('iamapikey', secret) })
const theirs = { auth: authOf('me', 'mine') }

async function isolated(job: Job, inputs: Inputs = {}): Promise<StepResult> {
  return await job.main(stage.here({ 'api-key': WRITER_KEY, isolate: 'true', ...inputs }))
}

/** The job's own directory, which an isolated step has made. */
function placeOf(job: Job, step: StepResult): string {
  const place = step.env['DOCKER_CONFIG'] ?? ''
  expect(place.startsWith(join(job.temp, 'icr-login-docker-'))).toBe(true)
  return place
}

describe('The job’s own directory', () => {
  testBothWays('has the login, and the home is never touched', async (docker) => {
    const job = await stage.newJob({ docker })
    writeConfig(job.home, JSON.stringify({ auths: { [host()]: theirs } }))
    const before = [job.snapshot(), job.snapshot(job.temp)]
    const main = await isolated(job)
    expectSuccess(main)
    const place = placeOf(job, main)
    expect(main.outputs['docker-config']).toBe(place)
    expect(main.env).toEqual({ DOCKER_CONFIG: place })
    expect(job.dockerConfig(place)?.auths).toEqual({ [host()]: ours() })
    expect(lstatSync(place).mode & 0o777).toBe(0o700)
    expect(lstatSync(join(place, 'config.json')).mode & 0o777).toBe(0o600)
    expect(job.snapshot()).toEqual(before[0])
    const post = await job.post()
    expectSuccess(post)
    expect(post.log).toContain(`${host()}: logged out; ${place} is removed.`)
    expect(post.env).toEqual({ DOCKER_CONFIG: '' })
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual(before)
  })

  test('is made where the home has no docker folder, and leaves none there', async () => {
    const job = await stage.newJob()
    expectSuccess(await isolated(job))
    expectSuccess(await job.post())
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })

  test('carries over the other logins and every other key', async () => {
    const job = await stage.newJob()
    const user = {
      auths: { 'example.com': theirs, [host()]: theirs },
      HttpHeaders: { 'X-Mine': '1' },
      currentContext: 'mine',
      plugins: { scout: { hooks: 'pull' } },
      credHelpers: { 'gcr.io': 'gcloud', [host()]: 'safe' }
    }
    writeConfig(job.home, JSON.stringify(user))
    const main = await isolated(job)
    expectSuccess(main)
    expect(job.dockerConfig(placeOf(job, main))).toEqual({
      ...user,
      auths: { 'example.com': theirs, [host()]: ours() },
      credHelpers: { 'gcr.io': 'gcloud' }
    })
  })

  test('leads to the user’s builders, plug-ins, contexts and certificates', async () => {
    const job = await stage.newJob()
    writeConfig(job.home, '{}')
    const home = join(job.home, '.docker')
    for (const name of ['buildx', 'cli-plugins', 'contexts', 'trust']) mkdirSync(join(home, name))
    writeFileSync(join(home, 'ca.pem'), 'mine')
    const main = await isolated(job)
    expectSuccess(main)
    const place = placeOf(job, main)
    for (const name of ['buildx', 'cli-plugins', 'contexts', 'trust', 'ca.pem'])
      expect(readlinkSync(join(place, name))).toBe(join(home, name))
    expect(readdirSync(place).sort()).toEqual(
      ['buildx', 'ca.pem', 'cli-plugins', 'config.json', 'contexts', 'icr-login.json', 'trust'].sort()
    )
    writeFileSync(join(place, 'buildx', 'made-by-the-job'), 'x')
    expectSuccess(await job.post())
    expect(existsSync(join(home, 'buildx', 'made-by-the-job'))).toBe(true)
    expect(readText(join(home, 'ca.pem'))).toBe('mine')
  })

  test('is removed after a step that failed, and nothing is said of a log-out', async () => {
    const job = await stage.newJob()
    const main = await isolated(job, { 'api-key': 'x'.repeat(44) })
    expectFailure(main, 'refused the login')
    const post = await job.post()
    expectSuccess(post)
    expect(post.log).not.toContain('logged out')
    expect(job.snapshot(job.temp)).toEqual({})
  })

  test('can be gone before post: that is no reason to warn', async () => {
    const job = await stage.newJob()
    const main = await isolated(job)
    rmSync(placeOf(job, main), { recursive: true })
    const post = await job.post()
    expectSuccess(post)
    expect(post.warnings).toEqual([])
    expect(post.env).toEqual({ DOCKER_CONFIG: '' })
  })

  test('is not removed where a link has taken its place, and post says so', async () => {
    const job = await stage.newJob()
    const place = placeOf(job, await isolated(job))
    const elsewhere = join(stage.newFolder(), 'elsewhere')
    renameSync(place, elsewhere)
    symlinkSync(elsewhere, place)
    const post = await job.post()
    expectSuccess(post, [`${place} is not the directory that this step made`])
    expect(post.log).not.toContain('logged out')
    expect(existsSync(join(elsewhere, 'config.json'))).toBe(true)
  })
})

describe('The variables', () => {
  test('that were set lead back to where they led', async () => {
    const folder = stage.newFolder()
    const auth = join(folder, 'auth.json')
    writeFileSync(auth, JSON.stringify({ auths: { 'quay.io/mine': theirs } }))
    const job = await stage.newJob({ env: { DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: auth } })
    const main = await isolated(job)
    expectSuccess(main)
    const place = placeOf(job, main)
    expect(main.env).toEqual({ DOCKER_CONFIG: place, REGISTRY_AUTH_FILE: join(place, 'config.json') })
    expect(main.warnings).toEqual([])
    expect(job.dockerConfig(place)?.auths).toEqual({ 'quay.io/mine': theirs, [host()]: ours() })
    const post = await job.post()
    expect(post.env).toEqual({ DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: auth })
    expect(readdirSync(folder)).toEqual(['auth.json'])
  })

  test('that another step has changed since are left as they are', async () => {
    const job = await stage.newJob()
    const main = await isolated(job)
    const place = placeOf(job, main)
    job.env['DOCKER_CONFIG'] = '/another'
    const post = await job.post()
    expectSuccess(post)
    expect(post.env).toEqual({})
    expect(existsSync(place)).toBe(false)
  })

  test('lead to podman’s own logins too, which it would not find any more', async () => {
    const runtime = stage.newFolder()
    mkdirSync(join(runtime, 'containers'))
    writeFileSync(join(runtime, 'containers', 'auth.json'), JSON.stringify({ auths: { 'quay.io': theirs } }))
    const job = await stage.newJob({ env: { XDG_RUNTIME_DIR: runtime } })
    const main = await isolated(job)
    expect(job.dockerConfig(placeOf(job, main))?.auths).toEqual({ 'quay.io': theirs, [host()]: ours() })
  })
})

describe('A second step of the job', () => {
  test('shares the directory: each takes its own login out, the first one all of it', async () => {
    const job = await stage.newJob()
    const { host: second } = await stage.cloud.addRegistry()
    const first = await isolated(job)
    const place = placeOf(job, first)
    const next = await isolated(job, { registry: second })
    expectSuccess(next)
    expect(next.env).toEqual({})
    expect(next.outputs['docker-config']).toBe(place)
    expect(job.dockerConfig(place)?.auths).toEqual({ [host()]: ours(), [second]: ours() })
    const post = await job.post()
    expectSuccess(post)
    expect(job.dockerConfig(place)?.auths).toEqual({ [host()]: ours() })
    expectSuccess(await job.post())
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })

  test('without isolate logs in there too, since that is where the job’s clients look', async () => {
    const job = await stage.newJob()
    const place = placeOf(job, await isolated(job))
    const next = await job.main(stage.here({ 'api-key': READER_KEY }))
    expectSuccess(next)
    expect(job.dockerConfig(place)?.auths).toEqual({ [host()]: ours(READER_KEY) })
    await job.post()
    expect(job.dockerConfig(place)?.auths).toEqual({ [host()]: ours() })
    await job.post()
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })

  test('that comes after a step without isolate leaves that one’s login to it', async () => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here({ 'api-key': READER_KEY })))
    const held = job.snapshot()
    const main = await isolated(job)
    expect(job.dockerConfig(placeOf(job, main))?.auths).toEqual({ [host()]: ours() })
    expect(job.snapshot()).toEqual(held)
    await job.post()
    expect(job.snapshot()).toEqual(held)
    const post = await job.post()
    expectSuccess(post)
    expect(post.log).toContain(`${host()}: logged out.`)
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })
})

describe('A store for all logins', () => {
  testBothWays('keeps what it holds, and never gets the job’s own', async (docker) => {
    const helper = makeHelper('safe')
    stage.closeLater(() => {
      helper.close()
    })
    const held = { Username: 'me', Secret: 'mine' }
    helper.hold('https://index.docker.io/v1/', held)
    helper.hold(`https://${host()}`, { Username: 'iamapikey', Secret: READER_KEY })
    const job = await stage.newJob({ docker, path: [helper.directory] })
    writeConfig(job.home, '{"credsStore":"safe"}')
    const main = await isolated(job)
    expectSuccess(main)
    const place = placeOf(job, main)
    expect(job.dockerConfig(place)).toEqual({
      auths: { [host()]: ours() },
      credHelpers: { 'https://index.docker.io/v1/': 'safe' }
    })
    expectSuccess(await job.post())
    expect(helper.held()).toEqual({
      'https://index.docker.io/v1/': held,
      [`https://${host()}`]: { Username: 'iamapikey', Secret: READER_KEY }
    })
  })

  test('that fails is a warning, and what config.json knows of it still works', async () => {
    const job = await stage.newJob()
    writeConfig(job.home, '{"auths":{"example.com":{},"gcr.io":{"auth":"eA=="}},"credsStore":"gone"}')
    const main = await isolated(job)
    expectSuccess(main, ['This job finds only some of the logins that "gone" holds'])
    expect(job.dockerConfig(placeOf(job, main))?.credHelpers).toEqual({ 'example.com': 'gone' })
  })

  test('does not stand in the way of a second step’s login either', async () => {
    const helper = makeHelper('safe')
    stage.closeLater(() => {
      helper.close()
    })
    const { host: second } = await stage.cloud.addRegistry()
    helper.hold(second, { Username: 'iamapikey', Secret: READER_KEY })
    const job = await stage.newJob({ path: [helper.directory] })
    writeConfig(job.home, '{"credsStore":"safe"}')
    const place = placeOf(job, await isolated(job))
    expect(job.dockerConfig(place)?.credHelpers).toEqual({ [second]: 'safe' })
    expectSuccess(await isolated(job, { registry: second }))
    expect(job.dockerConfig(place)).toEqual({
      auths: { [host()]: ours(), [second]: ours() },
      credHelpers: {}
    })
  })

  test('is no reason to refuse a repository token', async () => {
    const job = await stage.newJob()
    writeConfig(job.home, '{"credsStore":"gone"}')
    const main = await isolated(job, {
      mint: 'repository-token',
      repositories: 'team/app'
    })
    expectSuccess(main, ['"gone"'])
    expect(filesWith(job, WRITER_KEY)).toEqual([])
  })
})

describe('isolate is refused', () => {
  test('with logout: false, before anything is done', async () => {
    const job = await stage.newJob()
    const main = await isolated(job, { logout: 'false' })
    expectFailure(main, 'isolate: true does not go with logout: false')
    expect(stage.cloud.requests).toEqual([])
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })

  test('where config.json can’t be read, which stays as it is', async () => {
    const job = await stage.newJob()
    const file = writeConfig(job.home, 'mine, but no JSON')
    expectFailure(await isolated(job), 'it is not JSON')
    expect(readText(file)).toBe('mine, but no JSON')
    const post = await job.post()
    expectSuccess(post)
    expect(job.snapshot(job.temp)).toEqual({})
  })
})
