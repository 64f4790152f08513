// Where Docker's download site has its CLI for each kind of machine.
import { describe, expect, test } from '@jest/globals'
import { resolveDownload } from '../../../src/docker/install.ts'

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
