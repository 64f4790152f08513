// docker-version: a job without docker gets the CLI, from a mirror on loopback that gives out the machine's own one.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync
} from 'node:fs'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { resolveDownload } from '../../src/docker/install.ts'
import { WRITER_KEY } from '../cloud/default-world.ts'
import { findProgram, needProgram } from '../support/programs.ts'
import type { Inputs, Job, StepResult } from '../support/runner.ts'
import { testWith } from '../support/test-with.ts'
import { expectFailure, expectNotSaid, expectSuccess } from './support/promises.ts'
import { authOf, useStage } from './support/stage.ts'

const stage = useStage()

const host = (): string => stage.cloud.registryHost

/** A folder with a tar.gz of one program, as Docker's archives hold it. */
function pack(folder: string, program: string, name = 'docker'): Buffer {
  const inner = join(folder, `of-${name}`, 'docker')
  mkdirSync(inner, { recursive: true })
  symlinkSync(program, join(inner, name))
  const file = join(folder, `${name}.tgz`)
  execFileSync('tar', ['--dereference', '--use-compress-program', 'gzip -1', '-cf', file, 'docker'], {
    cwd: dirname(inner)
  })
  return readFileSync(file)
}

/** An archive whose docker is a script. */
function packScript(text: string, mode = 0o755): Buffer {
  const program = join(stage.newFolder(), 'docker')
  writeFileSync(program, text)
  chmodSync(program, mode)
  return pack(stage.newFolder(), program)
}

/** An archive whose docker is a symbolic link. */
function packLink(target: string): Buffer {
  const root = stage.newFolder()
  mkdirSync(join(root, 'docker'))
  symlinkSync(target, join(root, 'docker', 'docker'))
  return execFileSync('tar', ['-czf', '-', '-C', root, 'docker'])
}

let folder = ''
let archive: Buffer = Buffer.alloc(0)
let version = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'icr-login-archive-'))
  const docker = findProgram('docker')
  if (docker === undefined) return
  archive = pack(folder, docker)
  version = /version ([^,\s]+)/.exec(execFileSync(docker, ['--version'], { encoding: 'utf8' }))?.[1] ?? ''
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Mirror {
  url: string
  paths: string[]
}

async function startMirror(listener: RequestListener): Promise<Mirror> {
  const paths: string[] = []
  const server: Server = createServer((request, response) => {
    paths.push(String(request.url))
    expect(request.headers.authorization).toBeUndefined()
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stage.closeLater(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths }
}

function give(response: ServerResponse, body: Buffer | string): void {
  response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body)
}

/** A machine without docker, as slim images are: tar and gzip are there. */
async function newJob(cache = stage.newFolder(), names = ['tar', 'gzip']): Promise<Job> {
  const programs = stage.newFolder()
  for (const name of names) symlinkSync(needProgram(name), join(programs, name))
  return await stage.newJob({ path: [programs], env: { RUNNER_TOOL_CACHE: cache } })
}

async function install(job: Job, mirror: Mirror, inputs: Inputs = {}): Promise<StepResult> {
  return await job.main(
    stage.here({ 'api-key': WRITER_KEY, 'docker-version': version, 'docker-url': mirror.url, ...inputs })
  )
}

const pathOf = (wanted = version): string =>
  resolveDownload({ version: wanted, url: new URL('http://127.0.0.1') }, process).url.pathname

describe('docker-version', () => {
  testWith('docker')(
    'gets the CLI, logs in with it, and leaves it on the PATH for the next job too',
    async () => {
      const mirror = await startMirror((_, response) => {
        give(response, archive)
      })
      const cache = stage.newFolder()
      const job = await newJob(cache)
      const main = await install(job, mirror)
      expectSuccess(main)
      expectNotSaid(main, WRITER_KEY)
      expect(mirror.paths).toEqual([pathOf()])
      const [place = ''] = main.path
      expect(place).toContain(join(cache, 'docker-cli', version))
      expect(lstatSync(join(place, 'docker')).mode & 0o111).not.toBe(0)
      expect(main.log).toContain(`Logging in with ${join(place, 'docker')}.`)
      expect(job.dockerConfig()?.auths?.[host()]).toEqual({ auth: authOf('iamapikey', WRITER_KEY) })
      expectSuccess(await job.post())
      expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
      // The next job of the machine asks nobody.
      const next = await install(await newJob(cache), mirror)
      expectSuccess(next)
      expect([next.path, mirror.paths.length]).toEqual([[place], 1])
    }
  )

  testWith('docker')('is looked at no further where there is a docker already', async () => {
    const mirror = await startMirror((_, response) => {
      give(response, archive)
    })
    const job = await stage.newJob({ docker: 'real' })
    const main = await install(job, mirror)
    expectSuccess(main)
    expect([mirror.paths, main.path]).toEqual([[], []])
  })

  testWith('docker')('tries again after a download that broke off, and says so', async () => {
    const mirror = await startMirror((_, response) => {
      if (mirror.paths.length > 2) {
        give(response, archive)
        return
      }
      response.writeHead(200, { 'content-length': archive.length })
      response.write(archive.subarray(0, 1_000_000), () => response.destroy())
    })
    const job = await newJob()
    const main = await install(job, mirror)
    expectSuccess(main)
    expect(mirror.paths).toHaveLength(3)
    expect(main.log.match(/its answer was cut short\. Trying again in/gu)).toHaveLength(2)
  })

  test('that breaks off each time fails, and leaves nothing', async () => {
    const mirror = await startMirror((_, response) => {
      response.writeHead(200, { 'content-length': 1_000_000 })
      response.write('x', () => response.destroy())
    })
    const job = await newJob()
    const main = await install(job, mirror, { 'docker-version': '28.2.2' })
    expectFailure(main, 'could not be reached: its answer was cut short', WRITER_KEY)
    expect(mirror.paths).toHaveLength(4)
    expectSuccess(await job.post())
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })

  test('that the mirror does not have fails with where to look, after one request', async () => {
    const mirror = await startMirror((_, response) => response.writeHead(404).end('no'))
    const main = await install(await newJob(), mirror, { 'docker-version': '99.0.0' })
    const message = expectFailure(main, `${mirror.url}${pathOf('99.0.0')} answered 404`, WRITER_KEY)
    expect(message).toContain(`${mirror.url}${dirname(pathOf('99.0.0'))}/ lists them.`)
    expect([mirror.paths.length, stage.cloud.requests.length]).toEqual([1, 0])
  })

  /** What came, and what is said of it. */
  const WRONG: Readonly<Record<string, readonly [string, () => Buffer | string]>> = {
    'a page': ['is not a tgz archive', () => '<html>Log in to this network</html>'],
    'an archive without docker': [
      'holds no docker/docker',
      () => pack(stage.newFolder(), import.meta.filename, 'other')
    ],
    'a link to a program of this machine': ['holds no docker/docker', () => packLink('/bin/sh')],
    'a docker that does not run here': [
      'is not a docker CLI that runs on this machine (linux, ',
      () => packScript('for another machine')
    ],
    'a program that is not docker': [
      'is not a docker CLI that runs on this machine',
      () => packScript('#!/bin/sh\necho podman version 5.0.0\n')
    ],
    'a docker of another version': [
      'is docker 27.0.1, not 28.2.2.',
      () => packScript('#!/bin/sh\necho "Docker version 27.0.1, build x"\n')
    ]
  }

  test.each(Object.entries(WRONG))(
    'fails where %s comes in its place: the secret goes nowhere, and nothing is cached',
    async (_, [reason, body]) => {
      const mirror = await startMirror((__, response) => {
        give(response, body())
      })
      const cache = stage.newFolder()
      const job = await newJob(cache)
      const main = await install(job, mirror, { 'docker-version': '28.2.2' })
      expect(main.errors[0]).toContain(`What came from ${mirror.url}${pathOf('28.2.2')} ${reason}`)
      expect(main.errors[0]).toContain('Is docker-url a mirror')
      expect([main.exitCode, main.path, stage.cloud.requests]).toEqual([1, [], []])
      expect([job.snapshot(job.temp), readdirSync(cache)]).toEqual([{}, []])
      expectNotSaid(main, WRITER_KEY)
    }
  )

  const FAKE = '#!/bin/sh\necho "Docker version 28.2.2, build x"\n'

  test('drops the set-uid and set-gid bits that an archive asks for', async () => {
    const mirror = await startMirror((_, response) => {
      give(response, packScript(FAKE, 0o6755))
    })
    const main = await install(await newJob(), mirror, { 'docker-version': '28.2.2' })
    expect(main.path).toHaveLength(1)
    expect(statSync(join(String(main.path[0]), 'docker')).mode & 0o7777).toBe(0o755)
  })

  test.each([
    ['tar', 'could not be unpacked: there is no tar on the PATH.'],
    ['gzip', /could not be unpacked: The process '.+tar' failed with exit code 2\./u]
  ])('says so where there is no %s to unpack it, and does not blame the mirror', async (missing, reason) => {
    const mirror = await startMirror((_, response) => {
      give(response, packScript(FAKE))
    })
    const job = await newJob(
      stage.newFolder(),
      ['tar', 'gzip'].filter((name) => name !== missing)
    )
    const main = await install(job, mirror, { 'docker-version': '28.2.2' })
    const message = expectFailure(main, reason, WRITER_KEY)
    expect(message).toContain('Check that tar and gzip')
    expect(message).not.toContain('mirror')
    expect(job.snapshot(job.temp)).toEqual({})
  })

  test('says so where the archive is cut short', async () => {
    const mirror = await startMirror((_, response) => {
      give(response, packScript(FAKE).subarray(0, -20))
    })
    const main = await install(await newJob(), mirror, { 'docker-version': '28.2.2' })
    expectFailure(main, 'could not be unpacked: The process', WRITER_KEY)
  })

  testWith('docker')('works where the runner names no folder for it: there is one for all', async () => {
    const mirror = await startMirror((_, response) => {
      give(response, archive)
    })
    const job = await newJob()
    for (const name of ['RUNNER_TEMP', 'RUNNER_TOOL_CACHE']) Reflect.deleteProperty(job.env, name)
    const temp = String(job.env['TMPDIR'])
    const main = await install(job, mirror)
    expectSuccess(main)
    expect(main.path).toEqual([expect.stringContaining(join(temp, 'tools', 'docker-cli', version))])
    expectSuccess(await job.post())
    expect(readdirSync(temp)).toEqual(['tools'])
  })
})

describe('The mirror', () => {
  testWith('docker')('may lead elsewhere, over https or on this machine', async () => {
    const store = await startMirror((_, response) => {
      give(response, archive)
    })
    const mirror = await startMirror((request, response) => {
      response.writeHead(302, { location: `${store.url}/store${String(request.url)}` }).end()
    })
    expectSuccess(await install(await newJob(), mirror))
    expect(store.paths).toEqual([`/store${pathOf()}`])
  })

  test('may not lead out of TLS', async () => {
    const mirror = await startMirror((_, response) =>
      response.writeHead(301, { location: 'http://example.com/docker.tgz' }).end()
    )
    const main = await install(await newJob(), mirror, { 'docker-version': '28.2.2' })
    expectFailure(main, 'redirects to "http://example.com/docker.tgz", which is not https')
    expect(mirror.paths).toHaveLength(1)
  })

  test('may lie under a path', async () => {
    const mirror = await startMirror((_, response) => response.writeHead(404).end())
    await install(await newJob(), { ...mirror, url: `${mirror.url}/docker/` }, { 'docker-version': '28.2.2' })
    expect(mirror.paths).toEqual([`/docker${pathOf('28.2.2')}`])
  })
})

describe('tar', () => {
  testWith('docker')('is started without the secret in its environment', async () => {
    const mirror = await startMirror((_, response) => {
      give(response, archive)
    })
    const programs = stage.newFolder()
    const log = join(programs, 'environment')
    writeFileSync(
      join(programs, 'tar'),
      `#!/bin/sh\n/usr/bin/env >> '${log}'\nexec '${needProgram('tar')}' "$@"\n`
    )
    chmodSync(join(programs, 'tar'), 0o755)
    symlinkSync(needProgram('gzip'), join(programs, 'gzip'))
    const env = { LANG: WRITER_KEY, XDG_DATA_HOME: `/x/${WRITER_KEY}`, PROGRAMX: WRITER_KEY }
    const job = await stage.newJob({ path: [programs], env })
    expectSuccess(await install(job, mirror))
    expect(statSync(log).size).toBeGreaterThan(0)
    expect(readFileSync(log, 'utf8')).not.toContain(WRITER_KEY)
    expect(existsSync(log)).toBe(true)
  })
})
