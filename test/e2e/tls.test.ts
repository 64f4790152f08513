// IBM's real host names over real TLS. A proxy on loopback leads the names to the stand-in; nothing is looked up.
import { describe, expect, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { CloudProxyOptions } from '../cloud/cloud.ts'
import { OPERATOR_KEY, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { requestsWith } from '../cloud/recorder.ts'
import { missingPrograms } from '../support/programs.ts'
import type { Environment, Job } from '../support/runner.ts'
import { keysOf, mintInputs } from './support/mint.ts'
import { expectFailure, expectNotSaid, expectSuccess } from './support/promises.ts'
import { authOf, testBothWays, useStage, type Way } from './support/stage.ts'

const stage = useStage()

interface Trust {
  /** Whether the proxy's CA is named where docker and Node look. */
  trusted?: boolean
  /** `user:password@`, for the proxy. */
  login?: string
  env?: Environment
}

async function newJob(docker: Way, proxy: CloudProxyOptions = {}, trust: Trust = {}): Promise<Job> {
  const { url, caPem } = await stage.cloud.startProxy(proxy)
  const ca = join(stage.newFolder(), 'ca.pem')
  writeFileSync(ca, caPem)
  const { trusted = true, login = '', env = {} } = trust
  return await stage.newJob({
    docker,
    env: {
      HTTPS_PROXY: url.replace('http://', `http://${login}`),
      ...(trusted ? { SSL_CERT_FILE: ca, NODE_EXTRA_CA_CERTS: ca } : {}),
      ...env
    }
  })
}

const unsafe =
  'NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing here: certificates are always checked. Unset it.'

const connects = (): string[] =>
  stage.cloud.requests.filter(({ service }) => service === 'proxy').map(({ path }) => path)

describe.each([
  ['us.icr.io', { region: 'us-south' }],
  ['private.us.icr.io', { region: 'us-south', endpoint: 'private' }],
  ['registry.ng.bluemix.net', { region: 'us-south', endpoint: 'legacy' }]
])('%s', (host, inputs) => {
  testBothWays('is logged in to over TLS', async (docker) => {
    const job = await newJob(docker)
    const main = await job.main({ 'api-key': WRITER_KEY, ...inputs })
    expectSuccess(main)
    expect(main.outputs['registry']).toBe(host)
    expect(job.dockerConfig()?.auths).toEqual({ [host]: { auth: authOf('iamapikey', WRITER_KEY) } })
    expect(new Set(connects())).toEqual(new Set([`${host}:443`]))
    const seen = requestsWith(stage.cloud.requests, WRITER_KEY)
    expect(seen.map((request) => `${request.service} ${request.host}`)).toEqual([`registry ${host}`])
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual({})
  })
})

testBothWays('Several regions are logged in to over TLS at once', async (docker) => {
  await stage.cloud.addRegistry({ region: 'eu-de' })
  await stage.cloud.addRegistry({ region: 'global' })
  const job = await newJob(docker)
  const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south eu-de global' })
  expectSuccess(main)
  expect(Object.keys(job.dockerConfig()?.auths ?? {}).sort()).toEqual(['de.icr.io', 'icr.io', 'us.icr.io'])
})

testBothWays(
  'An account on the private network alone says so, and lets the private host in',
  async (docker) => {
    Object.assign(stage.cloud.world.accounts[0] ?? {}, { privateOnly: true })
    const job = await newJob(docker)
    const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
    const message = expectFailure(main, 'us.icr.io refused the login as iamapikey', WRITER_KEY)
    expect(message).toContain('endpoint: private')
    const inside = await newJob(docker)
    expectSuccess(await inside.main({ 'api-key': WRITER_KEY, region: 'us-south', endpoint: 'private' }))
  }
)

describe('A certificate that is not trusted', () => {
  testBothWays('is refused before the secret is sent, and the cure is named', async (docker) => {
    const job = await newJob(docker, {}, { trusted: false })
    const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
    const message = expectFailure(main, 'The certificate of us.icr.io is not trusted', WRITER_KEY)
    expect(message).toContain('SSL_CERT_FILE')
    if (docker === 'none') expect(message).toContain('NODE_EXTRA_CA_CERTS')
    expect(requestsWith(stage.cloud.requests, WRITER_KEY)).toEqual([])
    expect(job.snapshot()).toEqual({})
  })

  for (const kind of ['self-signed', 'expired', 'wrong-name'] as const) {
    testBothWays(`because it is ${kind} is refused, though the CA is known`, async (docker) => {
      const job = await newJob(docker, { certificates: { 'us.icr.io': kind } })
      const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
      expectFailure(main, 'The certificate of us.icr.io is not trusted', WRITER_KEY)
      expect(requestsWith(stage.cloud.requests, WRITER_KEY)).toEqual([])
    })
  }

  testBothWays('is refused even where NODE_TLS_REJECT_UNAUTHORIZED is 0', async (docker) => {
    const job = await newJob(docker, {}, { trusted: false, env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } })
    const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' }, {})
    expect(main.exitCode).toBe(1)
    expect(main.errors).toEqual([expect.stringContaining('The certificate of us.icr.io is not trusted')])
    expect(main.warnings).toEqual([unsafe])
    expect(requestsWith(stage.cloud.requests, WRITER_KEY)).toEqual([])
  })

  const kinds = ['self-signed', 'expired', 'wrong-name', 'unknown'] as const
  for (const host of ['iam.cloud.ibm.com', 'us.icr.io']) {
    test.each(kinds)(
      `of ${host}, %s, ends a mint, with NODE_TLS_REJECT_UNAUTHORIZED=0 and without`,
      async (kind) => {
        for (const value of [undefined, '0']) {
          const job = await newJob('none', kind === 'unknown' ? {} : { certificates: { [host]: kind } }, {
            trusted: kind !== 'unknown',
            env: { NODE_TLS_REJECT_UNAUTHORIZED: value }
          })
          const main = await job.main(mintInputs('api-key', { region: 'us-south' }))
          // Where no CA is known, IAM's certificate is the first that is looked at.
          const shown = kind === 'unknown' ? 'iam.cloud.ibm.com' : host
          expect(main.exitCode).toBe(1)
          expect(main.errors).toEqual([
            expect.stringContaining(`The certificate of ${shown} is not trusted (`)
          ])
          expect(main.errors[0]).toContain('NODE_EXTRA_CA_CERTS')
          expect(main.warnings).toEqual(value === '0' ? [unsafe] : [])
          expectNotSaid(main, OPERATOR_KEY)
          const seen = stage.cloud.requests.filter(
            (request) => request.host === shown && request.service !== 'proxy'
          )
          expect(seen).toEqual([])
          await job.post()
          expect(keysOf(stage.cloud)).toEqual([])
          expect(job.snapshot()).toEqual({})
        }
      }
    )
  }
})

describe('A CA of one’s own', () => {
  test.each([
    ['real', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'],
    ['none', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']
  ] as const)('docker on the PATH: %s: is taken from %s, and not from %s', async (docker, right, wrong) => {
    if (docker === 'real' && missingPrograms(['docker']).length > 0) return
    const trusting = await newJob(docker, {}, { env: { [wrong]: undefined } })
    expectSuccess(await trusting.main({ 'api-key': WRITER_KEY, region: 'us-south' }))
    const other = await newJob(docker, {}, { env: { [right]: undefined } })
    const main = await other.main({ 'api-key': WRITER_KEY, region: 'us-south' })
    expect(expectFailure(main, 'The certificate of us.icr.io is not trusted', WRITER_KEY)).toContain(right)
  })

  test('in NODE_EXTRA_CA_CERTS serves IAM, the mint and its revoke', async () => {
    const job = await newJob('none', {}, { env: { SSL_CERT_FILE: undefined } })
    expectSuccess(await job.main(mintInputs('api-key', { region: 'us-south' })))
    expect(keysOf(stage.cloud)).toHaveLength(1)
    expectSuccess(await job.post())
    expect(keysOf(stage.cloud)).toEqual([])
    expect(new Set(connects())).toEqual(new Set(['iam.cloud.ibm.com:443', 'us.icr.io:443']))
  })
})

describe('A proxy with a user and a password', () => {
  const proxy = { user: 'me', password: 'p@ss:wörd%' }
  const login = `me:${encodeURIComponent(proxy.password)}@`

  testBothWays('is gone through, and neither secret is seen by the other or said', async (docker) => {
    const job = await newJob(docker, proxy, { login })
    const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
    expectSuccess(main)
    expectNotSaid(main, WRITER_KEY, proxy.password)
    expect(requestsWith(stage.cloud.requests, WRITER_KEY).map(({ service }) => service)).toEqual(['registry'])
    const others = requestsWith(stage.cloud.requests, 'p@ss').map(({ service }) => service)
    expect(new Set(others)).toEqual(new Set(['proxy']))
  })

  testBothWays('that are wrong is an error about the proxy, not about the secret', async (docker) => {
    const job = await newJob(docker, proxy, { login: 'me:wrong-one@' })
    const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south', timeout: '20s' })
    const message = expectFailure(main, 'us.icr.io', WRITER_KEY, 'wrong-one')
    expect(message).toMatch(/proxy/iu)
    expect(message).not.toMatch(/refused the login|Check the secret/u)
  })
})

testBothWays('A proxy that does not let the host through is an error about the proxy', async (docker) => {
  const job = await newJob(docker)
  // The stand-in's proxy knows no region but us-south.
  const main = await job.main({ 'api-key': WRITER_KEY, region: 'eu-gb', timeout: '20s' })
  const message = expectFailure(main, 'uk.icr.io', WRITER_KEY)
  expect(message).toMatch(/proxy/iu)
  expect(message).not.toMatch(/refused the login|Check the secret/u)
})

testBothWays('A proxy that is not there is named as what can’t be reached', async (docker) => {
  const job = await newJob(docker, {}, { env: { HTTPS_PROXY: 'http://me:hush-hush@127.0.0.1:9' } })
  const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south', timeout: '5s' })
  expectFailure(main, 'could not be reached', WRITER_KEY, 'hush-hush')
})

describe('A proxy that closes connections before it answers CONNECT', () => {
  /** In front of another proxy: closes those connections that `fails` says, counted from 0. */
  const startFlakyProxy = async (proxyUrl: string, fails: (count: number) => boolean): Promise<string> => {
    let count = 0
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      if (fails(count++)) {
        socket.once('data', () => socket.end())
        return
      }
      const upstream = connect(Number(new URL(proxyUrl).port), '127.0.0.1')
      upstream.on('error', () => undefined)
      socket.pipe(upstream).pipe(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stage.closeLater(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('is tried again: the login succeeds, and post revokes what was minted', async () => {
    const { url, caPem } = await stage.cloud.startProxy()
    const ca = join(stage.newFolder(), 'ca.pem')
    writeFileSync(ca, caPem)
    const flaky = await startFlakyProxy(url, (count) => count % 2 === 0)
    const job = await stage.newJob({
      docker: 'none',
      env: { HTTPS_PROXY: flaky, NODE_EXTRA_CA_CERTS: ca }
    })
    const main = await job.main(mintInputs('api-key', { region: 'us-south' }))
    expectSuccess(main)
    expect(main.log).toMatch(/the proxy 127\.0\.0\.1:\d+ closed the connection .+Trying again/u)
    expect(keysOf(stage.cloud)).toHaveLength(1)
    expectSuccess(await job.post())
    expect(keysOf(stage.cloud)).toEqual([])
  })
})

testBothWays('A proxy is read as docker reads it: no scheme, and names in NO_PROXY', async (docker) => {
  const { url, caPem } = await stage.cloud.startProxy()
  const ca = join(stage.newFolder(), 'ca.pem')
  writeFileSync(ca, caPem)
  const trust = { SSL_CERT_FILE: ca, NODE_EXTRA_CA_CERTS: ca }
  const env = { HTTPS_PROXY: new URL(url).host, NO_PROXY: 'cloud.ibm.com,.us.icr.io', ...trust }
  const job = await stage.newJob({ docker, env })
  expectSuccess(await job.main({ 'api-key': WRITER_KEY, region: 'us-south' }))
  expect(new Set(connects())).toEqual(new Set(['us.icr.io:443']))
})

test.each(['socks5://127.0.0.1:1080', 'http://me:p%zz@127.0.0.1:9', 'http://'])(
  'A proxy that can’t be used (%s) is named before anything is sent',
  async (address) => {
    const job = await stage.newJob({ docker: 'none', env: { HTTPS_PROXY: address } })
    const main = await job.main({ 'api-key': WRITER_KEY, region: 'us-south' })
    expectFailure(
      main,
      /The (?:address of the )?proxy in HTTPS_PROXY is (?:not valid|a socks5 proxy)/u,
      WRITER_KEY
    )
  }
)

test('Without docker, an access token goes over TLS to the registry alone', async () => {
  const token = stage.cloud.accessToken(WRITER_ID)
  const job = await newJob('none')
  expectSuccess(await job.main({ 'access-token': token, region: 'us-south' }))
  expect(requestsWith(stage.cloud.requests, token).map(({ host }) => host)).toEqual(['us.icr.io'])
})
