// Programs and services that say that all is well, or say nothing at all: none of them gets a step to say "Logged in".
import { afterAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud } from '../cloud/cloud.ts'
import { OPERATOR_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { FAULTS, statusFault, type Fault, type FaultRule } from '../cloud/faults.ts'
import { snapshot, startJob, type Inputs, type Job, type StepResult } from '../support/runner.ts'
import { makeHelper } from './support/credential-helper.ts'
import { keysOf, mintInputs } from './support/mint.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { runCells } from './support/rows.ts'
import { authOf, testBothWays, useStage, writeConfig, type Way } from './support/stage.ts'

const stage = useStage()
const us: Inputs = { 'api-key': WRITER_KEY, region: 'us-south' }

const canMount = mayMount()

/** The ways to lie that the tests below have played. */
const played = new Set<string>()

afterAll(() => {
  // A run of a part of this file proves nothing of the whole.
  if (process.argv.some((argument) => /^(?:-t|--testNamePattern)/u.test(argument))) return
  expect(played.size).toBe(canMount ? 16 : 15)
})

/** Red, with a word of what happened, and without the word that would be a lie. */
function expectNoLogin(lie: string, main: StepResult, job: Job, words: string | RegExp = /./u): void {
  played.add(lie)
  expectFailure(main, words, WRITER_KEY)
  expect(main.stdout).not.toMatch(/logged in to/iu)
  expect(main.summary).toBe('')
  expect(job.snapshot(job.temp)).toEqual({})
}

/** A program by that name, in sh with nothing but what sh brings. */
function writeProgram(name: string, text: string): string {
  const folder = stage.newFolder()
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return folder
}

describe('A docker that', () => {
  const codes = [1, 2, 125, 126, 127, 137]
  test.each(codes)('ends with %i, with words or without', async (code) => {
    for (const stderr of ['', 'Login Succeeded\n', 'something went wrong\n']) {
      const docker = stage.newDocker([{ exitCode: code, stderr, stdout: 'Login Succeeded\n' }])
      const job = await stage.newJob({ docker: docker.directory })
      const main = await job.main(us)
      expectNoLogin(`docker ends with ${code}`, main, job, 'us.icr.io')
      expect(docker.calls()).toHaveLength(1)
      expect(job.snapshot()).toEqual({})
    }
  })

  test('ends with 1 although it wrote the login', async () => {
    const docker = stage.newDocker([{ exitCode: 1, entry: 'secret' }])
    const job = await stage.newJob({ docker: docker.directory })
    expectNoLogin('docker ends with 1', await job.main(us), job, 'us.icr.io')
    expect(job.snapshot()).toEqual({})
  })

  test('is ended by a signal', async () => {
    const job = await stage.newJob({ docker: writeProgram('docker', 'kill -9 $$') })
    expectNoLogin('docker ends with 137', await job.main(us), job, 'was ended (SIGKILL)')
  })

  test('can’t be started', async () => {
    const folder = writeProgram('docker', '')
    writeFileSync(join(folder, 'docker'), '#!/nowhere/sh\n')
    const job = await stage.newJob({ docker: folder })
    const main = await job.main(us)
    expect([main.exitCode, main.errors.length]).toEqual([1, 1])
    expect(main.stdout).not.toMatch(/logged in to/iu)
    expect(job.snapshot()).toEqual({})
  })

  test('ends with 0 and wrote no login', async () => {
    const docker = stage.newDocker([{ exitCode: 0, entry: 'none' }])
    const job = await stage.newJob({ docker: docker.directory })
    expectNoLogin('docker wrote no entry', await job.main(us), job, 'stored no credential')
    expect(job.snapshot()).toEqual({})
  })

  const entries: [string, string, string][] = [
    ['another secret', 'us.icr.io', authOf('iamapikey', 'x'.repeat(44))],
    ['another user', 'us.icr.io', authOf('somebody', WRITER_KEY)],
    ['no secret', 'us.icr.io', authOf('iamapikey', '')],
    ['nothing that can be read', 'us.icr.io', '????'],
    ['the login for another host', 'de.icr.io', authOf('iamapikey', WRITER_KEY)]
  ]
  test.each(entries)('ends with 0 and wrote %s', async (_, host, auth) => {
    const config = JSON.stringify({ auths: { [host]: { auth } } })
    const docker = writeProgram(
      'docker',
      `read -r secret\nprintf '%s' '${config}' >"$DOCKER_CONFIG/config.json"`
    )
    const job = await stage.newJob({ docker })
    expectNoLogin('docker wrote another entry', await job.main(us), job, 'us.icr.io')
    expect(job.snapshot()).toEqual({})
  })

  test('ends with 0 and wrote no JSON', async () => {
    const docker = writeProgram('docker', 'printf \'{"auths":\' >"$DOCKER_CONFIG/config.json"')
    const job = await stage.newJob({ docker })
    expectNoLogin('docker wrote no entry', await job.main(us), job, 'stored no credential')
  })
})

describe('A credential helper that', () => {
  const config = (host: string, name: string): string => JSON.stringify({ credHelpers: { [host]: name } })

  for (const verb of ['store', 'get'] as const) {
    testBothWays(`fails to ${verb}`, async (docker) => {
      const helper = makeHelper('vault')
      stage.closeLater(() => {
        helper.close()
      })
      helper.breakOn(verb, 'the vault is closed')
      const job = await stage.newJob({ docker, path: [helper.directory] })
      const file = writeConfig(job.home, config(stage.cloud.registryHost, 'vault'))
      const before = readFileSync(file, 'utf8')
      const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
      expectNoLogin('a helper fails', main, job)
      await job.post()
      expect(readFileSync(file, 'utf8')).toBe(before)
    })
  }

  testBothWays('is missing', async (docker) => {
    const job = await stage.newJob({ docker })
    writeConfig(job.home, config(stage.cloud.registryHost, 'nowhere'))
    const before = job.snapshot()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectNoLogin('a helper is missing', main, job, 'nowhere')
    expect(job.snapshot()).toEqual(before)
  })

  // credHelpers come before auths for whoever reads the login: an entry that the helper does not have is none.
  testBothWays('takes the login, says yes, and does not have it', async (docker) => {
    const liar = writeProgram(
      'docker-credential-liar',
      'if [ "$1" = get ]; then echo "credentials not found in native keychain"; exit 1; fi\nread -r login\nexit 0'
    )
    const job = await stage.newJob({ docker, path: [liar] })
    writeConfig(job.home, config(stage.cloud.registryHost, 'liar'))
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectNoLogin('credHelpers shadow the entry', main, job)
  })

  test('is named in config.json, and docker writes the plain entry beside it', async () => {
    const helper = makeHelper('vault')
    stage.closeLater(() => {
      helper.close()
    })
    const entry = JSON.stringify({ auths: { 'us.icr.io': { auth: authOf('iamapikey', WRITER_KEY) } } })
    const docker = writeProgram(
      'docker',
      `read -r secret\nprintf '%s' '${entry}' >"$DOCKER_CONFIG/config.json"`
    )
    const job = await stage.newJob({ docker, path: [helper.directory] })
    writeConfig(job.home, config('us.icr.io', 'vault'))
    expectNoLogin('credHelpers shadow the entry', await job.main(us), job)
  })
})

describe('On our own path, who is not the registry:', () => {
  const challenge = (text: string): Fault => statusFault(401, { 'www-authenticate': text })
  const lies: [string, string, string | undefined, Fault][] = [
    ['a registry says 200 to everything', '200 to everything', undefined, statusFault(200, {}, '{}')],
    [
      'a registry says 200 to everything',
      '200 with a token to everything',
      undefined,
      statusFault(200, {}, '{"token":"x"}')
    ],
    ['a captive portal', 'a page to everything', undefined, FAULTS['HTML 200']()],
    ['a captive portal', 'a page in the place of the token', '/oauth/token', FAULTS['HTML 200']()],
    [
      'a captive portal',
      'a redirect to a page',
      undefined,
      statusFault(302, { location: 'http://portal.test/' })
    ],
    ['a captive portal', '511', undefined, statusFault(511, { 'content-type': 'text/html' })],
    [
      'a challenge without a realm',
      'a challenge without a realm',
      '/v2/',
      challenge('Bearer service="registry"')
    ],
    [
      'a challenge without a realm',
      'a challenge with an empty realm',
      '/v2/',
      challenge('Bearer realm="",service="x"')
    ],
    ['a challenge without a realm', 'a challenge of nothing', '/v2/', challenge('Bearer')]
  ]

  test.each(lies)('%s (%s)', async (lie, _, path, fault) => {
    stage.cloud.faults.push({ service: 'registry', fault, ...(path === undefined ? {} : { path }) })
    const job = await stage.newJob()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY, timeout: '20s' }))
    expectNoLogin(lie, main, job, stage.cloud.registryHost)
    expect(job.snapshot()).toEqual({})
  })

  /** A minting job with a cloud of its own, in which this is the fault. */
  async function mintUnder(rule: FaultRule, warnings: string[] = []): Promise<void> {
    const cloud = await startCloud()
    const job = await startJob()
    try {
      cloud.faults.push(rule)
      const inputs = { registry: cloud.registryHost, 'iam-url': cloud.iamUrl, timeout: '20s' }
      const main = await job.main(mintInputs('api-key', inputs))
      expectFailure(main, /./u, OPERATOR_KEY)
      expect(main.stdout).not.toMatch(/logged in to/iu)
      cloud.faults.splice(0)
      expectSuccess(await job.post(), warnings)
      expect([keysOf(cloud), job.snapshot()]).toEqual([[], {}])
    } finally {
      job.close()
      await cloud.close()
    }
  }

  test('and it is the same with a minted key, which is revoked', async () => {
    const cells = lies.map(([, name, path, fault]): [string, FaultRule] => [
      name,
      { service: 'registry', fault, ...(path === undefined ? {} : { path }) }
    ])
    expect(await runCells(cells, mintUnder)).toEqual([])
  }, 90_000)

  const minted = (body: unknown): Fault => statusFault(201, {}, JSON.stringify(body))
  const keys: [string, Fault][] = [
    ['a key without an ID', minted({ apikey: WRITER_KEY })],
    ['an ID without a key', minted({ id: 'ApiKey-1' })],
    ['an ID that is a path', minted({ id: 'ApiKey-../../x', apikey: WRITER_KEY })],
    ['201 and nothing', statusFault(201)]
  ]
  const making = (fault: Fault): FaultRule => ({ service: 'iam', method: 'POST', path: '/v1/apikeys', fault })
  test('an IAM that makes what is no key logs nobody in, and it is said that there may be one', async () => {
    const cells = keys.map(([name, fault]): [string, FaultRule] => [name, making(fault)])
    const doubt = ['got no clear response, and nothing of that name was found']
    expect(await runCells(cells, async (rule) => mintUnder(rule, doubt))).toEqual([])
  }, 90_000)

  test('nor does one that makes up a key', async () => {
    await mintUnder(making(minted({ id: 'ApiKey-1', apikey: 'x'.repeat(44) })))
  }, 90_000)
})

describe('A home', () => {
  testBothWays('that can’t be written', async (docker) => {
    // The kernel's own files take no others, whoever asks.
    const job = await stage.newJob({ docker, env: { HOME: '/sys' } })
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectNoLogin('a read-only home', main, job, '/sys/.docker')
    expectSuccess(await job.post())
  })

  const full = 'on a full disk, whose login of before stays as it was'
  const body = async (docker: Way): Promise<void> => {
    const disk = stage.newFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', disk])
    stage.closeLater(() => {
      execFileSync('umount', [disk])
    })
    mkdirSync(join(disk, '.docker'), { mode: 0o700 })
    const config = { auths: { 'de.icr.io': { auth: authOf('me', 'mine') } } }
    writeConfig(disk, JSON.stringify(config))
    fill(join(disk, 'rest'))
    const before = snapshot(disk)
    const job = await stage.newJob({ docker, home: disk })
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectNoLogin('a full disk', main, job, disk)
    await job.post()
    expect(snapshot(disk)).toEqual(before)
  }
  // Only root may make a disk of its own, to fill it.
  if (canMount) testBothWays(full, body)
  else test.skip(`${full}: only root can try it`, () => undefined)
})

/** Takes all that is left of a disk. */
function fill(file: string): void {
  const page = Buffer.alloc(4096)
  try {
    for (;;) writeFileSync(file, page, { flag: 'a' })
  } catch {
    return // it is full
  }
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(folder)
  }
}
