// Answers that point elsewhere, on our own path: nothing of a secret goes there.
import { describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import { OPERATOR_KEY, READER_KEY } from '../cloud/default-world.ts'
import { statusFault, type Fault } from '../cloud/faults.ts'
import type { Match } from '../cloud/matching.ts'
import { requestsWith } from '../cloud/recorder.ts'
import { startJob, type Job } from '../support/runner.ts'
import { startServer } from '../unit/support/server.ts'
import { keysOf, mintInputs } from './support/mint.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { runCells } from './support/rows.ts'
import { authOf, useStage } from './support/stage.ts'

const stage = useStage()

const CODES = [301, 302, 303, 307, 308]
const ELSEWHERE = 'elsewhere.example.test'

/** Where an answer of a host's may point. */
const TARGETS = {
  'another host': () => `https://${ELSEWHERE}/take`,
  'another port': (host: string) => `https://${host}:8443/take`,
  'the same without TLS': (host: string) => `http://${host}/take`,
  'another path': (host: string) => `https://${host}/take`
}

interface Place {
  readonly host: string
  readonly match: Match
  readonly phase: 'main' | 'post'
}

const IAM = 'iam.cloud.ibm.com'
const REGISTRY = 'us.icr.io'
const PLACES: Readonly<Record<string, Place>> = {
  IAM: { host: IAM, match: { service: 'iam', method: 'POST', path: '/identity/token' }, phase: 'main' },
  'the registry’s token': {
    host: REGISTRY,
    match: { service: 'registry', path: '/oauth/token' },
    phase: 'main'
  },
  '/v2/': { host: REGISTRY, match: { service: 'registry', path: '/v2/' }, phase: 'main' },
  'the revoke': { host: IAM, match: { service: 'iam', method: 'DELETE' }, phase: 'post' }
}

interface Cell extends Place {
  readonly code: number
  readonly location: string
}

const CELLS = Object.entries(PLACES).flatMap(([place, given]) =>
  Object.entries(TARGETS).flatMap(([target, locate]) =>
    CODES.map((code): [string, Cell] => [
      `${code} of ${place} to ${target}`,
      { ...given, code, location: locate(given.host) }
    ])
  )
)

/** Under IBM's real names, each through the proxy, which notes who is asked for; the other host is there, too. */
async function withProxy(play: (cloud: Cloud, job: Job) => Promise<void>): Promise<void> {
  const cloud = await startCloud()
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-routing-'))
  try {
    const [registry] = cloud.registries
    if (registry === undefined) throw new Error('no registry')
    const { url, caPem } = await cloud.startProxy({ names: { [ELSEWHERE]: registry } })
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, caPem)
    const job = await startJob({ env: { HTTPS_PROXY: url, HTTP_PROXY: url, NODE_EXTRA_CA_CERTS: ca } })
    try {
      await play(cloud, job)
    } finally {
      job.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
    await cloud.close()
  }
}

/** Sends everyone on who brings a credential; who has none yet is served. */
const redirect =
  ({ code, location }: Cell): Fault =>
  async ({ request, answer }) => {
    const bare = request.path === '/v2/' && request.headers['authorization'] === undefined
    return bare ? await answer() : { status: code, headers: { location } }
  }

async function play(cell: Cell): Promise<void> {
  await withProxy(async (cloud, job) => {
    const redirected = (): void => {
      cloud.faults.push({ ...cell.match, fault: redirect(cell) })
    }
    if (cell.phase === 'main') redirected()
    const main = await job.main(mintInputs('api-key', { region: 'us-south' }))
    if (cell.phase === 'main') {
      expect(expectFailure(main, `answered ${cell.code}, a redirect`, OPERATOR_KEY)).not.toContain('/take')
      cloud.faults.splice(0)
      expectSuccess(await job.post())
      expect(keysOf(cloud)).toEqual([])
    } else {
      expectSuccess(main)
      redirected()
      expectSuccess(await job.post(), [`answered ${cell.code}, a redirect`])
    }
    expect(job.snapshot()).toEqual({})
    const there = cloud.requests.filter(
      ({ service, method, path, host }) =>
        path.includes('/take') ||
        host.startsWith(ELSEWHERE) ||
        (service === 'proxy' && (method !== 'CONNECT' || ![`${IAM}:443`, `${REGISTRY}:443`].includes(path)))
    )
    expect(there).toEqual([])
    const givenTo = requestsWith(cloud.requests, OPERATOR_KEY).map(({ host, path }) => `${host}${path}`)
    expect(new Set(givenTo)).toEqual(new Set([`${IAM}/identity/token`]))
  })
}

test('There are 80 ways to be sent elsewhere', () => {
  expect(CELLS).toHaveLength(80)
})

test.each(Object.keys(PLACES))(
  'A redirect of %s is not followed: to no host, port, scheme or path, with no code',
  async (place) => {
    expect(
      await runCells(
        CELLS.filter(([name]) => name.includes(` of ${place} to `)),
        play
      )
    ).toEqual([])
  },
  120_000
)

/** What a registry may say of where its tokens are: its own host's name, another's, and the other's port. */
type Realm = (host: string, other: string, port: string) => string

const REALMS: Readonly<Record<string, Realm>> = {
  'another server': (_, other) => `http://${other}/token`,
  'another server over TLS': (_, other) => `https://${other}/token`,
  'another server in capitals': (_, other) => `HTTP://${other}/TOKEN`,
  'another server with a user': (_, other) => `http://me@${other}/token`,
  'another server, whose user is this one': (host, other) => `http://${host}@${other}/token`,
  'another server, whose user and password are this one': (host, other) => `http://${host}:80@${other}/token`,
  'another server, after blanks': (_, other) => `   http://${other}/token`,
  'another server, with a tab inside': (_, other) => `ht\ttp://${other}/token`,
  'another server, with backslashes': (_, other) => `http:\\\\\\\\${other}\\\\token`,
  'another server, without slashes': (_, other) => `http:${other}/token`,
  'another server, with three slashes': (_, other) => `http:///${other}/token`,
  'two slashes and another server': (_, other) => `//${other}/token`,
  'another server, by a very long address': (_, other) => `http://${other}/${'t'.repeat(8000)}`,
  'this machine by a number': (_host, _, port) => `http://2130706433:${port}/token`,
  'this machine in hexadecimal': (_host, _, port) => `http://0x7f000001:${port}/token`,
  'this machine in hexadecimal parts': (_host, _, port) => `http://0x7f.0.0.1:${port}/token`,
  'this machine in octal': (_host, _, port) => `http://0177.0.0.1:${port}/token`,
  'this machine in two parts': (_host, _, port) => `http://127.1:${port}/token`,
  'this machine as 127.0.0.2': (_host, _, port) => `http://127.0.0.2:${port}/token`,
  'this machine as 0.0.0.0': (_host, _, port) => `http://0.0.0.0:${port}/token`,
  'this machine as localhost': (_host, _, port) => `http://localhost:${port}/token`,
  'this machine in IPv6': (_host, _, port) => `http://[::1]:${port}/token`,
  'every address in IPv6': (_host, _, port) => `http://[::]:${port}/token`,
  'this machine as IPv4 in IPv6': (_host, _, port) => `http://[::ffff:127.0.0.1]:${port}/token`,
  'this machine as IPv4 in IPv6, in hexadecimal': (_host, _, port) => `http://[::ffff:7f00:1]:${port}/token`,
  'another port': (host) => `http://${host.replace(/\d+$/u, '1')}/token`,
  'no port': (host) => `http://${host.replace(/:\d+$/u, '')}/token`,
  'this one over TLS': (host) => `https://${host}/token`,
  'this one by another name': (host) => `http://${host.replace('127.0.0.1', 'localhost')}/token`,
  'a user at this one': (host) => `http://me@${host}/token`,
  'a user and a password at this one': (host) => `http://me:too@${host}/token`,
  'this one as the start of another name': (host) => `http://${host.replace(':', '.evil.test:')}/token`,
  'a name under IBM’s': () => 'http://sub.us.icr.io/token',
  'IBM’s name, which is not this one': () => 'https://us.icr.io/oauth/token',
  'IBM’s name as the start of another': () => 'https://us.icr.io.evil.test/oauth/token',
  'a metadata service': () => 'http://169.254.169.254/token',
  'a path alone': () => '/token',
  'a word': () => 'token',
  nothing: () => '',
  'a file': () => 'file:///etc/passwd',
  FTP: (host) => `ftp://${host}/token`,
  'a web socket': (host) => `ws://${host}/token`,
  'a socket': () => 'unix:///var/run/docker.sock',
  'a script': () => 'javascript:alert(1)',
  data: () => 'data:application/json,{"token":"x"}',
  'a line of a command': () => '::error::x',
  'a hidden command': () => '##[add-mask]x'
}

/** Headers that are no challenge with one realm. */
const HEADERS: Readonly<Record<string, (host: string, other: string) => string | string[]>> = {
  'no realm': () => 'Bearer service="registry"',
  'a realm of Basic': (host) => `Basic realm="http://${host}/token"`,
  'another scheme': () => 'Negotiate',
  'two challenges': (host, other) =>
    `Bearer realm="http://${host}/token", Bearer realm="http://${other}/token"`,
  'two headers': (host, other) => [
    `Bearer realm="http://${host}/token"`,
    `Bearer realm="http://${other}/token"`
  ],
  'two realms': (host, other) => `Bearer realm="http://${host}/token",realm="http://${other}/token"`,
  'half a challenge': (_, other) => `Bearer realm="http://${other}`,
  'a header of 64 kB': (_, other) => `Bearer realm="http://${other}/${'t'.repeat(65_536)}"`
}

describe('A realm that is not the registry’s own', () => {
  test('comes in 55 forms', () => {
    expect(Object.keys(REALMS).length + Object.keys(HEADERS).length).toBe(55)
  })

  test('gets nothing: all are refused by name, and nobody is sent a secret', async () => {
    const other = await startServer({ body: '{"token":"x"}' })
    const port = other.host.replace(/^.*:/u, '')
    const hosts = new Map<string, string>()
    const answers = [
      ...Object.entries(REALMS).map(([name, realm]): [string, (host: string) => string | string[]] => [
        name,
        (host) => `Bearer realm="${realm(host, other.host, port)}",service="registry"`
      ]),
      ...Object.entries(HEADERS).map(([name, header]): [string, (host: string) => string | string[]] => [
        name,
        (host) => header(host, other.host)
      ])
    ]
    for (const [name, header] of answers) {
      const { host } = await stage.cloud.addRegistry()
      hosts.set(host, name)
      const fault: Fault = () =>
        Promise.resolve({ status: 401, headers: { 'www-authenticate': header(host) } })
      stage.cloud.faults.push({ service: 'registry', host, fault })
    }
    const job = await stage.newJob()
    const main = await job.main({
      'api-key': READER_KEY,
      registry: [...hosts.keys()].join(' '),
      timeout: '20s'
    })
    const message = expectFailure(main, `${hosts.size} of ${hosts.size} logins failed`, READER_KEY)
    expect([...hosts].filter(([host]) => !message.includes(host))).toEqual([])
    expect(other.received).toEqual([])
    expect(new Set(stage.cloud.requests.map(({ path }) => path))).toEqual(new Set(['/v2/']))
    expect(stage.cloud.requests.filter(({ headers }) => 'authorization' in headers)).toEqual([])
    expect(job.snapshot()).toEqual({})
  }, 60_000)

  test('but is another spelling of it leads to the registry itself', async () => {
    const spellings: ((host: string) => string)[] = [
      (host) => `http://${host.replace('127.0.0.1', '127.1')}/oauth/token`,
      (host) => `http://${host.replace('127.0.0.1', '2130706433')}/oauth/token`,
      (host) => `http://${host}\\\\@elsewhere.example.test/oauth/token`,
      (host) => `http://${host}/oauth/token#@elsewhere.example.test/`,
      (host) => `http://${host}/oauth/token?@elsewhere.example.test/`
    ]
    const hosts: string[] = []
    for (const spell of spellings) {
      const { host } = await stage.cloud.addRegistry()
      hosts.push(host)
      const headers = { 'www-authenticate': `Bearer realm="${spell(host)}",service="registry"` }
      stage.cloud.faults.push({
        service: 'registry',
        host,
        path: '/v2/',
        fault: statusFault(401, headers),
        times: 1
      })
    }
    const job = await stage.newJob()
    await job.main({ 'api-key': READER_KEY, registry: hosts.join(' '), timeout: '20s' })
    const got = requestsWith(stage.cloud.requests, authOf('iamapikey', READER_KEY)).map(({ host }) => host)
    expect(new Set(got)).toEqual(new Set(hosts))
  })
})
