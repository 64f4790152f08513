// The real docker CLI logs in to the stand-in's registry, with no daemon near.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import { PROFILE_ID, READER_ID, READER_KEY, WRITER_KEY } from './default-world.ts'

let cloud: Cloud
let directory: string

beforeEach(async () => {
  cloud = await startCloud()
  directory = mkdtempSync(join(tmpdir(), 'cloud-docker-'))
})

afterEach(async () => {
  await cloud.close()
  rmSync(directory, { recursive: true })
})

const hasDocker = spawnSync('docker', ['--version']).status === 0
const describeWithDocker = hasDocker ? describe : describe.skip
const reason = hasDocker ? '' : ' (skipped: no docker on the PATH)'

interface Login {
  code: number | null
  said: string
  entry: { auth?: string; identitytoken?: string } | undefined
}

async function login(host: string, username: string, password: string, env = {}): Promise<Login> {
  // With an entry in it, so that docker does not pick a credential store of its own.
  const config = join(directory, 'config.json')
  writeFileSync(config, '{"auths":{"x.invalid":{}}}')
  const args = ['login', '--username', username, '--password-stdin', host]
  const child = spawn('docker', args, {
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      DOCKER_CONFIG: directory,
      DOCKER_HOST: 'unix:///nonexistent',
      ...env
    }
  })
  let said = ''
  const listen = (chunk: Buffer): void => {
    said += chunk.toString()
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  child.stdin.end(password)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const { auths } = JSON.parse(readFileSync(config, 'utf8')) as { auths: Record<string, Login['entry']> }
  return { code, said, entry: auths[host] }
}

describeWithDocker(`docker${reason}`, () => {
  it.each([
    ['iamapikey', (): string => WRITER_KEY],
    ['iambearer', (): string => cloud.accessToken(READER_ID)],
    ['iamrefresh', (): string => cloud.refreshToken(READER_ID)],
    [PROFILE_ID, (): string => READER_KEY]
  ])('logs in as %s', async (username, secret) => {
    const password = secret()
    const { code, entry } = await login(cloud.registryHost, username, password)
    expect([code, entry]).toEqual([0, { auth: btoa(`${username}:${password}`) }])
  })

  it('logs in with a registry token where the registry still speaks them', async () => {
    const { host } = await cloud.addRegistry({ region: 'eu-gb', registryTokens: true })
    const { value } = cloud.world.addRegistryToken({ region: 'eu-gb' })
    expect(await login(host, 'token', value)).toMatchObject({ code: 0 })
  })

  it('stores an identity token where the registry gives one', async () => {
    const { host } = await cloud.addRegistry({ region: 'eu-gb', identityTokens: true })
    const { entry } = await login(host, 'iamapikey', WRITER_KEY)
    expect(entry).toEqual({ auth: btoa('iamapikey:'), identitytoken: cloud.world.identityTokens[0]?.value })
  })

  it.each([
    ['iamapikey', 'x'.repeat(44), 'unauthorized: The login credentials are not valid'],
    ['token', 'x', 'unauthorized: The login credentials are not valid'],
    ['someone', WRITER_KEY, 'unsupported: The requested authentication method is not supported']
  ])('is told why %s is refused', async (username, secret, message) => {
    const { code, said, entry } = await login(cloud.registryHost, username, secret)
    expect([code, entry]).toEqual([1, undefined])
    expect(said).toContain(message)
  })

  it('logs in to us.icr.io, by that name and over TLS, through the proxy', async () => {
    const { url, caPem } = await cloud.startProxy()
    const caFile = join(directory, 'ca.pem')
    writeFileSync(caFile, caPem)
    const env = { HTTPS_PROXY: url, SSL_CERT_FILE: caFile }
    expect(await login('us.icr.io', 'iamapikey', WRITER_KEY, env)).toMatchObject({ code: 0 })
    expect(cloud.requests.filter(({ service }) => service === 'registry')).toMatchObject([
      { host: 'us.icr.io', path: '/v2/', status: 401 },
      { host: 'us.icr.io', path: '/oauth/token', status: 200 },
      { host: 'us.icr.io', path: '/v2/', status: 200 }
    ])
  })
})
