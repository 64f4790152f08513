// Where the user's config.json names a credential helper, the login goes there, and out of it again.
import { describe, expect, test } from '@jest/globals'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { READER_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { type Job, snapshot } from '../support/runner.ts'
import { makeHelper, type StandInHelper } from './support/credential-helper.ts'
import { expectFailure, expectNotSaid, expectSuccess, filesWith } from './support/promises.ts'
import { readText, testBothWays, useStage, writeConfig, type Way } from './support/stage.ts'

const stage = useStage()

const host = (): string => stage.cloud.registryHost
const ours = { Username: 'iamapikey', Secret: WRITER_KEY }
const others = { Username: 'iamapikey', Secret: READER_KEY }

/** How config.json names the helper. */
const namings: [string, (name: string) => string][] = [
  ['for the host', (name) => `{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"${host()}": "${name}"\n\t}\n}`],
  ['as the store for all', (name) => `{\n\t"credsStore": "${name}"\n}`]
]

interface Scene {
  job: Job
  helper: StandInHelper
  file: string
}

async function setUp(docker: Way | (string & {}), text: string): Promise<Scene> {
  const helper = makeHelper('safe')
  stage.closeLater(() => {
    helper.close()
  })
  const job = await stage.newJob({ docker, path: [helper.directory] })
  return { job, helper, file: writeConfig(job.home, text) }
}

describe.each(namings)('A helper that is named %s', (_, name) => {
  testBothWays('holds the login during the job, and config.json no secret', async (docker) => {
    const { job, helper, file } = await setUp(docker, name('safe'))
    const before = [job.snapshot(), job.snapshot(job.temp)]
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectSuccess(main)
    expectNotSaid(main, WRITER_KEY)
    expect(helper.held()).toEqual({ [host()]: ours })
    expect(job.dockerConfig()?.auths).toEqual({ [host()]: {} })
    expect(filesWith(job, WRITER_KEY)).toEqual([])
    const post = await job.post()
    expectSuccess(post)
    expectNotSaid(post, WRITER_KEY)
    expect(helper.held()).toEqual({})
    expect(readText(file)).toBe(name('safe'))
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual(before)
  })

  testBothWays(
    'and that holds another login for the host is left alone: the step is refused',
    async (docker) => {
      const { job, helper, file } = await setUp(docker, name('safe'))
      helper.hold(host(), others)
      const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
      const message = expectFailure(main, 'holds another login', WRITER_KEY, READER_KEY)
      expect(message).toContain(host())
      expect(stage.cloud.requests).toEqual([])
      expectSuccess(await job.post())
      expect(helper.held()).toEqual({ [host()]: others })
      expect(readText(file)).toBe(name('safe'))
    }
  )

  testBothWays('and that holds the very same login keeps it', async (docker) => {
    const { job, helper } = await setUp(docker, name('safe'))
    helper.hold(host(), ours)
    const before = job.snapshot()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    expectSuccess(await job.post())
    expect(helper.held()).toEqual({ [host()]: ours })
    expect(job.snapshot()).toEqual(before)
  })

  testBothWays('keeps what somebody stores there in between, and post says so', async (docker) => {
    const { job, helper } = await setUp(docker, name('safe'))
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    helper.hold(host(), others)
    expectSuccess(await job.post(), ['its credential helper holds another login by now'])
    expect(helper.held()).toEqual({ [host()]: others })
  })

  testBothWays('is empty again after a login that was refused', async (docker) => {
    const { job, helper, file } = await setUp(docker, name('safe'))
    const main = await job.main(stage.here({ 'api-key': 'a-wrong-key' }))
    expectFailure(main, 'refused the login', 'a-wrong-key')
    await job.post()
    expect(helper.held()).toEqual({})
    expect(readText(file)).toBe(name('safe'))
  })

  testBothWays('that is missing is named before anything is sent', async (docker) => {
    const { job, file } = await setUp(docker, name('nowhere'))
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectFailure(main, 'docker-credential-nowhere is not on the PATH', WRITER_KEY)
    expect(stage.cloud.requests).toEqual([])
    expect(readText(file)).toBe(name('nowhere'))
  })
})

testBothWays('Two jobs that use one helper: the login stays until the last has ended', async (docker) => {
  const { job, helper } = await setUp(docker, '{"credsStore":"safe"}')
  const before = job.snapshot()
  const second = await stage.newJob({ docker, path: [helper.directory], home: job.home })
  expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
  expectSuccess(await second.main(stage.here({ 'api-key': WRITER_KEY })))
  expectSuccess(await job.post())
  expect(helper.held()).toEqual({ [host()]: ours })
  expectSuccess(await second.post())
  expect(helper.held()).toEqual({})
  expect(job.snapshot()).toEqual(before)
})

testBothWays('Other hosts’ logins in the helper are not touched', async (docker) => {
  const { job, helper } = await setUp(docker, '{"credsStore":"safe"}')
  helper.hold('registry.example.test', others)
  expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
  expectSuccess(await job.post())
  expect(helper.held()).toEqual({ 'registry.example.test': others })
})

testBothWays('An empty helper for the host means config.json, even beside a store', async (docker) => {
  const { job, helper } = await setUp(docker, `{"credHelpers":{"${host()}":""},"credsStore":"safe"}`)
  expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
  expect(helper.calls()).toEqual([])
  expect(job.dockerConfig()?.auths?.[host()]).toHaveProperty('auth')
  expectSuccess(await job.post())
})

describe('A helper that fails', () => {
  for (const verb of ['get', 'store'] as const) {
    testBothWays(`to ${verb} is named with what it said, and nothing is logged in`, async (docker) => {
      const { job, helper, file } = await setUp(docker, '{"credsStore":"safe"}')
      helper.breakOn(verb, 'pass not initialized: exit status 1')
      const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
      expectFailure(main, 'pass not initialized', WRITER_KEY)
      await job.post()
      helper.mend(verb)
      expect(helper.held()).toEqual({})
      expect(readText(file)).toBe('{"credsStore":"safe"}')
    })
  }

  testBothWays('to erase is a warning that says how to do it by hand', async (docker) => {
    const { job, helper } = await setUp(docker, '{"credsStore":"safe"}')
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    helper.breakOn('erase', 'the keychain is locked')
    const post = await job.post()
    expectSuccess(post, [/credential helper "safe".*docker-credential-safe/su])
    expectNotSaid(post, WRITER_KEY)
  })
})

test('A helper gets a short list of variables, and no secret in any', async () => {
  const { job, helper } = await setUp('none', '{"credsStore":"safe"}')
  Object.assign(job.env, {
    GITHUB_TOKEN: 'ghs_0123456789abcdef',
    PASSWORD_STORE_DIR: '/store',
    DOCKER_CONTEXT: 'x'
  })
  expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
  const calls = helper.calls()
  expect(calls.map(({ verb }) => verb)).toEqual(['get', 'store', 'get'])
  for (const { env } of calls) {
    expect(env['PASSWORD_STORE_DIR']).toBe('/store')
    expect(
      Object.keys(env).filter((name) => /^(?:INPUT_|GITHUB_|DOCKER_CONTEXT|ACTIONS_)/u.test(name))
    ).toEqual([])
    expect(JSON.stringify(env)).not.toContain(WRITER_KEY)
  }
})

describe('One store behind two DOCKER_CONFIGs of one user', () => {
  interface Two {
    helper: StandInHelper
    home: string
    jobs: [Job, Job]
  }

  async function twoJobs(): Promise<Two> {
    const [helper, home] = [makeHelper('safe'), stage.newFolder()]
    stage.closeLater(() => {
      helper.close()
    })
    const newJob = async (name: string): Promise<Job> => {
      const directory = join(home, name)
      mkdirSync(directory)
      writeFileSync(join(directory, 'config.json'), '{"credsStore":"safe"}', { mode: 0o600 })
      return await stage.newJob({ home, path: [helper.directory], env: { DOCKER_CONFIG: directory } })
    }
    const jobs: [Job, Job] = [await newJob('one'), await newJob('two')]
    return { helper, home, jobs }
  }

  test.each(['first', 'last'])('keeps it until both jobs have ended, the first one %s', async (end) => {
    const { helper, home, jobs } = await twoJobs()
    const [next, last] = end === 'first' ? jobs : [jobs[1], jobs[0]]
    const before = snapshot(home)
    for (const job of jobs) expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    expectSuccess(await next.post())
    expect(helper.held()).toEqual({ [host()]: ours })
    expectSuccess(await last.post())
    expect(helper.held()).toEqual({})
    expect(snapshot(home)).toEqual(before)
  })

  test('that held the login before any job holds it after all of them', async () => {
    const { helper, jobs } = await twoJobs()
    helper.hold(host(), ours)
    for (const job of jobs) expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    for (const job of jobs) expectSuccess(await job.post())
    expect(helper.held()).toEqual({ [host()]: ours })
  })

  test('forgets a user whose directory is gone', async () => {
    const { helper, home, jobs } = await twoJobs()
    for (const job of jobs) expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    rmSync(join(home, 'two'), { recursive: true })
    expectSuccess(await jobs[0].post())
    expect(helper.held()).toEqual({})
  })

  test('is used, and left, where the home directory can’t record it', async () => {
    const { helper, home, jobs } = await twoJobs()
    writeFileSync(join(home, '.icr-login-stores'), 'a file in its place')
    expectSuccess(await jobs[0].main(stage.here({ 'api-key': WRITER_KEY })))
    expect(helper.held()).toEqual({ [host()]: ours })
    expectSuccess(await jobs[0].post())
    expect(helper.held()).toEqual({})
    expect(readText(join(home, '.icr-login-stores'))).toBe('a file in its place')
  })
})
