// Where Docker's download site has its CLI for each kind of machine, and what an installation leaves behind.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { installDocker, resolveDownload } from '../../../src/docker/install.ts'
import { makeContext } from '../support/context.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { makeFolder } from '../support/home.ts'
import { startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const url = new URL('https://download.docker.com')

describe('the docker CLI', () => {
  test.each([
    ['linux', 'x64', '/linux/static/stable/x86_64/docker-28.2.2.tgz', 'docker'],
    ['linux', 'arm64', '/linux/static/stable/aarch64/docker-28.2.2.tgz', 'docker'],
    ['linux', 'arm', '/linux/static/stable/armhf/docker-28.2.2.tgz', 'docker'],
    ['linux', 'ppc64', '/linux/static/stable/ppc64le/docker-28.2.2.tgz', 'docker'],
    ['linux', 's390x', '/linux/static/stable/s390x/docker-28.2.2.tgz', 'docker'],
    ['darwin', 'arm64', '/mac/static/stable/aarch64/docker-28.2.2.tgz', 'docker'],
    ['darwin', 'x64', '/mac/static/stable/x86_64/docker-28.2.2.tgz', 'docker'],
    ['win32', 'x64', '/win/static/stable/x86_64/docker-28.2.2.zip', 'docker.exe']
  ])('for %s on %s lies at %s', (platform, arch, path, program) => {
    const found = resolveDownload({ version: '28.2.2', url }, { platform, arch })
    expect([found.url.href, found.program]).toEqual([`https://download.docker.com${path}`, program])
  })

  test.each([
    ['linux', 'riscv64'],
    ['win32', 'arm64'],
    ['aix', 'ppc64']
  ])('is not built for %s on %s, which is said before anything is sent', (platform, arch) => {
    expect(() => resolveDownload({ version: '28.2.2', url }, { platform, arch })).toThrow(
      `docker-version: Docker has no CLI for ${platform} on ${arch}.\nLeave docker-version out`
    )
  })

  test.each(['https://mirror.example.com/docker', 'https://mirror.example.com/docker/'])(
    'lies below the mirror’s own path: %s',
    (mirror) => {
      const found = resolveDownload(
        { version: '28.2.2', url: new URL(mirror) },
        { platform: 'linux', arch: 'x64' }
      )
      expect(found.url.pathname).toBe('/docker/linux/static/stable/x86_64/docker-28.2.2.tgz')
    }
  )
})

test('The job’s environment is the same after an installation that failed, though it was short meanwhile', async () => {
  const { host } = await startServer({ status: 404 })
  setVariables({ RUNNER_TEMP: makeFolder(), INPUT_SECRET: 'x', RUNNER_TOOL_CACHE: '', GOGC: undefined })
  const [same, before] = [process.env, { ...process.env }]
  const seen: string[] = []
  const context = { ...makeContext(), info: () => seen.push(...Object.keys(process.env)) }
  await userError(installDocker({ version: '28.2.2', url: new URL(`http://${host}`) }, LINUX, context))
  expect(seen).not.toContain('INPUT_SECRET')
  expect(process.env).toBe(same)
  expect({ ...process.env }).toEqual(before)
})

test('A disk that is full while the archive is unpacked is named as what is wrong', async () => {
  const disk = makeFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return // Only root may mount.
  }
  const server = createServer((_, response) => response.end(packLarge())).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    setVariables({ RUNNER_TEMP: disk, RUNNER_TOOL_CACHE: makeFolder() })
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const message = await userError(installDocker({ version: '28.2.2', url }, LINUX, makeContext()))
    expect(message).toContain('The docker CLI could not be stored: the disk is full.')
    expect(readdirSync(disk)).toEqual([])
  } finally {
    server.closeAllConnections()
    server.close()
    execFileSync('umount', [disk])
  }
})

const LINUX = { platform: 'linux', arch: 'x64' }

/** An archive of some kilobytes that is 4 MB unpacked. */
function packLarge(): Buffer {
  const folder = makeFolder()
  mkdirSync(join(folder, 'docker'))
  writeFileSync(join(folder, 'docker', 'docker'), Buffer.alloc(4 * 1024 * 1024))
  execFileSync('tar', ['-czf', join(folder, 'docker.tgz'), '-C', folder, 'docker'])
  return readFileSync(join(folder, 'docker.tgz'))
}
