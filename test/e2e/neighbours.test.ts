// Jobs and people that share a machine with this step: nobody's login is lost, and none of ours stays.
import { describe, expect, test } from '@jest/globals'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { READER_KEY, USER_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { hangFault } from '../cloud/faults.ts'
import { runChild } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { snapshot, type Job } from '../support/runner.ts'
import { testWith } from '../support/test-with.ts'
import { expectSuccess, leftInTemp } from './support/promises.ts'
import { authOf, readText, testBothWays, useStage, writeConfig, type Way } from './support/stage.ts'

const stage = useStage()

const host = (): string => stage.cloud.registryHost
const entryOf = (key: string): unknown => ({ auth: authOf('iamapikey', key) })
const shown = (job: Job): unknown => job.dockerConfig()?.auths?.[host()]

async function startJob(home: string, docker: Way, key: string): Promise<Job> {
  const job = await stage.newJob({ docker, home })
  expectSuccess(await job.main(stage.here({ 'api-key': key })))
  return job
}

const mine = (): string =>
  `{\n\t"auths": {\n\t\t"${host()}": {\n\t\t\t"auth": "${authOf('iamapikey', USER_KEY)}"\n\t\t}\n\t},\n\t"currentContext": "default"\n}`

describe.each([
  ['nothing before them', undefined],
  ['a login of the user’s before them', mine]
])('Jobs that share a home and a host, with %s:', (_, text) => {
  function newHome(): { home: string; before: Record<string, string> } {
    const home = stage.newFolder()
    if (text !== undefined) writeConfig(home, text())
    return { home, before: snapshot(home) }
  }

  testBothWays('the first to come ends first', async (docker) => {
    const { home, before } = newHome()
    const first = await startJob(home, docker, WRITER_KEY)
    const second = await startJob(home, docker, READER_KEY)
    const post = await first.post()
    expectSuccess(post)
    expect(post.log).toBe(
      `${host()}: logged out; another job, or an earlier step of this one, is still logged in.\n`
    )
    expect(shown(second)).toEqual(entryOf(READER_KEY))
    expectSuccess(await second.post())
    expect(snapshot(home)).toEqual(before)
  })

  testBothWays('the last to come ends first', async (docker) => {
    const { home, before } = newHome()
    const first = await startJob(home, docker, WRITER_KEY)
    const second = await startJob(home, docker, READER_KEY)
    expectSuccess(await second.post())
    expect(shown(first)).toEqual(entryOf(WRITER_KEY))
    expectSuccess(await first.post())
    expect(snapshot(home)).toEqual(before)
  })

  testBothWays('with the same secret', async (docker) => {
    const { home, before } = newHome()
    const first = await startJob(home, docker, USER_KEY)
    const second = await startJob(home, docker, USER_KEY)
    expectSuccess(await first.post())
    expect(shown(second)).toEqual(entryOf(USER_KEY))
    expectSuccess(await second.post())
    expect(snapshot(home)).toEqual(before)
  })

  testBothWays('eight at once, each with a host of its own and one in common', async (docker) => {
    const { home, before } = newHome()
    const registries = await Promise.all(Array.from({ length: 8 }, () => stage.cloud.addRegistry()))
    const jobs = await Promise.all(
      registries.map(async (registry) => {
        const job = await stage.newJob({ docker, home })
        const main = await job.main({ 'api-key': WRITER_KEY, registry: `${host()} ${registry.host}` })
        expectSuccess(main)
        return job
      })
    )
    const hosts = Object.keys(jobs[0]?.dockerConfig()?.auths ?? {}).sort()
    expect(hosts).toEqual([host(), ...registries.map((registry) => registry.host)].sort())
    await Promise.all(
      jobs.map(async (job) => {
        expectSuccess(await job.post())
      })
    )
    expect(snapshot(home)).toEqual(before)
  })
})

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0]
]
test.each(orders.map((order) => [order.map((index) => index + 1).join(', '), order] as const))(
  'Three jobs that end in the order %s leave the user’s login as it was',
  async (_, order) => {
    const home = stage.newFolder()
    writeConfig(home, mine())
    const before = snapshot(home)
    const keys = [WRITER_KEY, READER_KEY, USER_KEY]
    const jobs: Job[] = []
    for (const key of keys) jobs.push(await startJob(home, 'none', key))
    const held = new Set(order)
    for (const index of order) {
      const job = jobs[index]
      if (job === undefined) throw new Error('no such job')
      expectSuccess(await job.post())
      held.delete(index)
      const newest = keys[Math.max(...held)]
      if (newest !== undefined) expect(shown(job)).toEqual(entryOf(newest))
    }
    expect(snapshot(home)).toEqual(before)
  }
)

describe('Two uses of the action in one job', () => {
  testBothWays('for the same host leave the machine as it was', async (docker) => {
    const job = await stage.newJob({ docker })
    writeConfig(job.home, mine())
    const before = job.snapshot()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    expectSuccess(await job.main(stage.here({ 'api-key': READER_KEY })))
    expect(shown(job)).toEqual(entryOf(READER_KEY))
    expectSuccess(await job.post())
    expect(shown(job)).toEqual(entryOf(WRITER_KEY))
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual(before)
  })
})

describe('Two jobs on one machine', () => {
  async function startAs(
    home: string,
    tracking: string,
    key: string
  ): Promise<{ job: Job; warnings: string[] }> {
    const job = await stage.newJob({ home, env: { RUNNER_TRACKING_ID: tracking } })
    const main = await job.main(stage.here({ 'api-key': key }))
    expect(main.exitCode).toBe(0)
    return { job, warnings: main.warnings }
  }

  test('for the same host: the second says whose login it hides, and how to avoid that', async () => {
    const home = stage.newFolder()
    const first = await startAs(home, 'github_1', WRITER_KEY)
    const again = await startAs(home, 'github_1', READER_KEY)
    expect([first.warnings, again.warnings]).toEqual([[], []])
    const other = await startAs(home, 'github_2', WRITER_KEY)
    expect(other.warnings).toEqual([expect.stringMatching(/as iamapikey since 20.*isolate: true/u)])
    for (const { job } of [first, other, again]) expectSuccess(await job.post())
    expect(snapshot(home)).toEqual({})
  })
})

describe('What others do between main and post', () => {
  /** What a person or another action does with docker in the same home. */
  async function docker(job: Job, args: string[], input = ''): Promise<void> {
    const env = { HOME: job.home, PATH: '/usr/bin:/bin', DOCKER_HOST: 'unix:///nonexistent' }
    const result = await runChild(needProgram('docker'), args, { env, input })
    expect([result.exitCode, result.stderr]).toEqual([0, expect.anything()])
  }

  const logsIn = (job: Job, key: string): Promise<void> =>
    docker(job, ['login', '--username', 'iamapikey', '--password-stdin', host()], key)

  testWith('docker')('another docker login to the host is left, and post says so', async () => {
    const job = await stage.newJob({ docker: 'real' })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    await logsIn(job, READER_KEY)
    const file = join(job.home, '.docker', 'config.json')
    const text = readText(file)
    const post = await job.post()
    expectSuccess(post, [
      `${host()}: its login was changed after this step, so it was left as it is. See ${file}.`
    ])
    expect(post.summary).toContain('<th>Left</th>')
    expect(readText(file)).toBe(text)
    expect(Object.keys(job.snapshot())).toEqual(['.docker', '.docker/config.json'])
  })

  testWith('docker')('docker logout: post has nothing to do, and warns of it', async () => {
    const job = await stage.newJob({ docker: 'real' })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    await docker(job, ['logout', host()])
    const post = await job.post()
    expectSuccess(post, [`${host()}: its login was gone before the job was over`])
    expect(job.snapshot()).toEqual({})
  })

  testWith('docker')('docker login to another registry is kept', async () => {
    const { host: other } = await stage.cloud.addRegistry({ region: 'eu-de' })
    const job = await stage.newJob({ docker: 'real' })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    await docker(job, ['login', '--username', 'iamapikey', '--password-stdin', other], READER_KEY)
    expectSuccess(await job.post())
    expect(job.dockerConfig()).toEqual({ auths: { [other]: entryOf(READER_KEY) } })
  })

  test('an edit of other keys is kept', async () => {
    const job = await stage.newJob()
    const file = writeConfig(job.home, mine())
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    writeFileSync(file, readText(file).replace('"default"', '"remote"'))
    expectSuccess(await job.post())
    expect(readText(file)).toBe(mine().replace('"default"', '"remote"'))
  })

  test('config.json is deleted: post is not confused, and warns of it', async () => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    rmSync(join(job.home, '.docker', 'config.json'))
    const post = await job.post()
    expectSuccess(post, [`${host()}: its login was gone before the job was over`])
    expect(job.snapshot()).toEqual({})
  })

  test('the whole folder is deleted: post says that the record is gone, and makes nothing', async () => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    rmSync(join(job.home, '.docker'), { recursive: true })
    const post = await job.post()
    expectSuccess(post, [`docker logout ${host()}`])
    expect(job.snapshot()).toEqual({})
  })

  test('config.json is broken: post leaves it, and warns', async () => {
    const job = await stage.newJob()
    const file = writeConfig(job.home, mine())
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    writeFileSync(file, '{"auths":')
    const post = await job.post()
    expectSuccess(post, [/it is not JSON[^]*as iamapikey may still be in [^]*docker logout 127/u])
    expect(readText(file)).toBe('{"auths":')
  })

  test('a ledger that is not ours is left, and post warns', async () => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    const ledger = join(job.home, '.docker', 'icr-login.json')
    writeFileSync(ledger, '[]')
    const post = await job.post()
    expectSuccess(post, [/is not the file that icr-login keeps there[^]*docker logout 127/u])
    expect(readText(ledger)).toBe('[]')
  })

  test('DOCKER_CONFIG is changed by a later step: post still finds the login', async () => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    job.env['DOCKER_CONFIG'] = stage.newFolder()
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual({})
  })
})

describe('logout: false', () => {
  testBothWays('beside a job that logs out: the login that was to stay stays', async (docker) => {
    const home = stage.newFolder()
    const kept = await stage.newJob({ docker, home })
    const other = await startJob(home, docker, READER_KEY)
    expectSuccess(await kept.main(stage.here({ 'api-key': WRITER_KEY, logout: 'false' })))
    expectSuccess(await kept.post())
    expectSuccess(await other.post())
    expect(kept.dockerConfig()).toEqual({ auths: { [host()]: entryOf(WRITER_KEY) } })
    expect(Object.keys(snapshot(home))).toEqual(['.docker', '.docker/config.json'])
  })

  testBothWays('and a later job: it shows again when that one has ended', async (docker) => {
    const home = stage.newFolder()
    const kept = await stage.newJob({ docker, home })
    expectSuccess(await kept.main(stage.here({ 'api-key': WRITER_KEY, logout: 'false' })))
    expectSuccess(await kept.post())
    const before = snapshot(home)
    const later = await startJob(home, docker, READER_KEY)
    expectSuccess(await later.post())
    expect(snapshot(home)).toEqual(before)
  })
})

describe('Post', () => {
  test('after a main that never ran does nothing', async () => {
    const job = await stage.newJob()
    const before = job.snapshot()
    const main = await job.main(stage.here({}))
    expect(main.exitCode).toBe(1)
    Object.keys(main.state).forEach((key) => Reflect.deleteProperty(main.state, key))
    const post = await job.post()
    expectSuccess(post)
    expect(post.stdout).toBe('')
    expect(post.summary).toBe('')
    expect(job.snapshot()).toEqual(before)
  })

  test('twice is as good as once', async () => {
    const job = await stage.newJob()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectSuccess(main)
    expectSuccess(await job.post())
    const again = await job.main(stage.here({}))
    Object.assign(again.state, main.state)
    const post = await job.post()
    expect(post.exitCode).toBe(0)
    expect(post.errors).toEqual([])
    expect(job.snapshot()).toEqual({})
  })

  test('is not misled by inputs that changed since', async () => {
    const job = await stage.newJob()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    const inputs = { 'api-key': 'another', registry: 'us.icr.io', logout: 'false', timeout: 'never' }
    expectSuccess(await job.post({ inputs }))
    expect(job.snapshot()).toEqual({})
  })

  const tampered: [string, (state: Record<string, unknown>, elsewhere: string) => unknown][] = [
    ['is no JSON', () => 'nonsense'],
    ['is a list', () => []],
    ['names another scratch folder', (state, elsewhere) => ({ ...state, scratch: elsewhere })],
    [
      'names a scratch folder that is a path out',
      (state) => ({ ...state, scratch: `/tmp/../${String(state['loginId'])}` })
    ],
    ['names a relative folder', (state) => ({ ...state, directory: '.docker' })],
    ['names a host of somebody else’s', (state) => ({ ...state, hosts: ['registry.example.test'] })],
    ['names a command of the runner’s as host', (state) => ({ ...state, hosts: ['##[error]x'] })],
    ['has a login ID that is a path', (state) => ({ ...state, loginId: '../../../../etc' })],
    ['has a stage that is none', (state) => ({ ...state, stage: 'done' })]
  ]
  test.each(tampered)('touches nothing where the state %s, and says so', async (_, tamper) => {
    const elsewhere = stage.newFolder()
    writeFileSync(join(elsewhere, 'precious'), 'x')
    const job = await stage.newJob()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectSuccess(main)
    const state = JSON.parse(main.state['login'] ?? '{}') as Record<string, unknown>
    const changed = tamper(state, elsewhere)
    main.state['login'] = typeof changed === 'string' ? changed : JSON.stringify(changed)
    const before = job.snapshot()
    const post = await job.post()
    expectSuccess(post, ['was changed since, so nothing was cleaned up'])
    expect(job.snapshot()).toEqual(before)
    expect(existsSync(join(elsewhere, 'precious'))).toBe(true)
  })

  test('takes no state from the environment that main did not save', async () => {
    const victim = stage.newFolder()
    writeConfig(victim, mine())
    const job = await stage.newJob()
    const main = await job.main(stage.here({}))
    expect(main.state).toEqual({ login: '{}', main: 'ended' })
    const loginId = '0123456789abcdef'
    const scratch = join(victim, `icr-login-${loginId}`)
    const forged = { loginId, directory: join(victim, '.docker'), scratch }
    job.env['STATE_login'] = JSON.stringify({ ...forged, hosts: [host()], stage: 'held', expiresAt: '' })
    const before = snapshot(victim)
    const post = await job.post()
    expectSuccess(post)
    expect(post.log).toBe('')
    expect(snapshot(victim)).toEqual(before)
  })
})

describe('A main that is killed', () => {
  testBothWays('while it waits for the registry leaves nothing behind post', async (docker) => {
    stage.cloud.faults.push({ service: 'registry', path: '/oauth/token', fault: hangFault() })
    const job = await stage.newJob({ docker })
    writeConfig(job.home, mine())
    const before = [job.snapshot(), job.snapshot(job.temp)]
    const killing = new AbortController()
    const asked = setInterval(() => {
      if (stage.cloud.requests.some(({ path }) => path === '/oauth/token')) killing.abort()
    }, 5)
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }), {
      signal: killing.signal,
      how: 'kill'
    })
    clearInterval(asked)
    expect(main.signal).toBe('SIGKILL')
    expectSuccess(await job.post())
    expect([job.snapshot(), leftInTemp(job)]).toEqual(before)
  })

  testBothWays('is cancelled by the runner: it ends, and post cleans up', async (docker) => {
    stage.cloud.faults.push({ service: 'registry', path: '/oauth/token', fault: hangFault() })
    const job = await stage.newJob({ docker })
    const cancelling = new AbortController()
    const asked = setInterval(() => {
      if (stage.cloud.requests.some(({ path }) => path === '/oauth/token')) cancelling.abort()
    }, 5)
    const began = Date.now()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY, timeout: '20s' }), {
      signal: cancelling.signal
    })
    clearInterval(asked)
    expect(main.exitCode).not.toBe(0)
    expect(Date.now() - began).toBeLessThan(3_000)
    expectSuccess(await job.post())
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })
})
