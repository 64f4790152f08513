// IBM's real names through the loopback proxy, over real TLS, with no look-up.
import { get } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { startCloud } from './cloud.ts'
import type { Cloud, CloudProxyOptions } from './cloud.ts'
import { READER_KEY, WRITER_KEY } from './default-world.ts'
import { requestsWith } from './recorder.ts'

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(() => cloud.close())

interface Answer {
  status: number | undefined
  challenge: string | undefined
}

async function ask(url: string, options: CloudProxyOptions = {}, login = '', basic = ''): Promise<Answer> {
  const proxy = await cloud.startProxy(options)
  const agent = new HttpsProxyAgent(proxy.url.replace('http://', `http://${login}`))
  const headers = basic === '' ? {} : { Authorization: `Basic ${btoa(basic)}` }
  return new Promise((resolve, reject) => {
    const answered = (incoming: IncomingMessage): void => {
      incoming.resume()
      resolve({ status: incoming.statusCode, challenge: incoming.headers['www-authenticate'] })
    }
    get(url, { agent, ca: proxy.caPem, headers }, answered).on('error', reject)
  })
}

it.each(['us.icr.io', 'private.us.icr.io', 'registry.ng.bluemix.net'])(
  '%s leads to its region’s registry, which challenges under that name',
  async (host) => {
    expect(await ask(`https://${host}/v2/`)).toEqual({
      status: 401,
      challenge: `Bearer realm="https://${host}/oauth/token", service="registry"`
    })
    expect(cloud.requests).toMatchObject([
      { service: 'proxy', method: 'CONNECT', path: `${host}:443`, status: 200 },
      { service: 'registry', host, path: '/v2/', status: 401 }
    ])
  }
)

it('IAM’s name leads to IAM', async () => {
  expect(await ask('https://iam.cloud.ibm.com/identity/keys')).toMatchObject({ status: 200 })
  expect(cloud.requests[1]).toMatchObject({ service: 'iam', host: 'iam.cloud.ibm.com' })
})

it('each region that there is has its own names', async () => {
  await cloud.addRegistry({ region: 'eu-de' })
  expect(await ask('https://de.icr.io/v2/')).toMatchObject({ status: 401 })
})

it('a name can be added', async () => {
  const [registry] = cloud.registries
  const names = registry ? { 'us-next.icr.io': registry } : {}
  expect(await ask('https://us-next.icr.io/v2/', { names })).toMatchObject({ status: 401 })
})

it.each(['https://jp.icr.io/', 'https://us.icr.io:8443/', 'https://example.test/'])(
  '%s is refused, and that is recorded',
  async (url) => {
    await expect(ask(url)).resolves.toMatchObject({ status: 403 })
    expect(cloud.requests).toMatchObject([{ service: 'proxy', method: 'CONNECT', status: 403 }])
  }
)

it('the private name is on the private network', async () => {
  Object.assign(cloud.world.accounts[0] ?? {}, { privateOnly: true })
  const login = `iamapikey:${READER_KEY}`
  expect(await ask('https://us.icr.io/oauth/token', {}, '', login)).toMatchObject({ status: 403 })
  expect(await ask('https://private.us.icr.io/oauth/token', {}, '', login)).toMatchObject({ status: 200 })
})

it('plain http is not passed on', async () => {
  const { url } = await cloud.startProxy()
  expect((await fetch(`${url}/v2/`)).status).toBe(403)
})

describe('a proxy with a password', () => {
  const options = { user: 'me', password: 'p@ss' }

  it('lets nobody through without it', async () => {
    expect(await ask('https://us.icr.io/v2/', options)).toMatchObject({ status: 407 })
    expect(await ask('https://us.icr.io/v2/', options, 'me:wrong@')).toMatchObject({ status: 407 })
  })

  it('lets those through who have it, and is not told the registry’s secret', async () => {
    const login = `iamapikey:${WRITER_KEY}`
    expect(await ask('https://us.icr.io/oauth/token', options, 'me:p%40ss@', login)).toMatchObject({
      status: 200
    })
    expect(requestsWith(cloud.requests, WRITER_KEY).map(({ service }) => service)).toEqual(['registry'])
    expect(requestsWith(cloud.requests, 'p@ss').map(({ service }) => service)).toEqual(['proxy'])
  })
})

it.each([
  ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['expired', 'CERT_HAS_EXPIRED'],
  ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID']
] as const)('a certificate that is %s is not accepted by a client that looks', async (kind, code) => {
  const certificates = { 'us.icr.io': kind }
  await expect(ask('https://us.icr.io/v2/', { certificates })).rejects.toMatchObject({ code })
})
