// Which proxy a job's environment names for an address: one reading for docker and the action.
import { expect, test } from '@jest/globals'
import { findProxy } from '../../../src/http/find-proxy.ts'
import { BAD_PROXIES, PROXY_CASES } from '../support/proxy-table.ts'
import { userError } from '../support/throwing.ts'

test.each(PROXY_CASES.map((each) => [JSON.stringify(each.env), each.url, each.proxy, each.env] as const))(
  'with %s, %s is reached through "%s"',
  (_, url, proxy, env) => {
    expect(findProxy(new URL(url), env)?.host ?? '').toBe(proxy)
  }
)

test.each(BAD_PROXIES)(
  'the address %j is not valid, and said to be so before anything is sent',
  async (address) => {
    const found = (): unknown => findProxy(new URL('https://us.icr.io/'), { HTTPS_PROXY: address })
    expect(await userError(found)).toBe(
      'The address of the proxy in HTTPS_PROXY is not valid.\n' +
        'Write it as http://host:port or http://user:password@host:port.'
    )
  }
)

test.each(['socks5', 'socks5h', 'socks4', 'ftp'])(
  'a proxy of %s:// is said to be not supported',
  async (scheme) => {
    const env = { HTTPS_PROXY: `${scheme}://user:word@proxy.test:1080` }
    const message = await userError(() => findProxy(new URL('https://us.icr.io/'), env))
    expect(message).toContain(`The proxy in HTTPS_PROXY is a ${scheme} proxy, which is not supported.`)
    expect(message).not.toContain('word')
  }
)

test('a proxy that can’t be used is no error for a host that NO_PROXY names', () => {
  const env = { HTTPS_PROXY: 'socks5://proxy.test', NO_PROXY: 'icr.io' }
  expect(findProxy(new URL('https://us.icr.io/'), env)).toBeUndefined()
})
