// Which proxy Go's httpproxy takes for which https address; test/real/go-proxy.test.ts asks Go itself.

export interface ProxyCase {
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  /** host:port of the proxy; empty for a direct connection. */
  readonly proxy: string
}

const PROXY = 'http://proxy.test:3128'
const through = (
  env: Record<string, string>,
  url = 'https://us.icr.io/v2/',
  proxy = 'proxy.test:3128'
): ProxyCase => ({
  env,
  url,
  proxy
})
const direct = (env: Record<string, string>, url?: string): ProxyCase => through(env, url, '')
const excluded = (noProxy: string, url?: string): ProxyCase =>
  direct({ HTTPS_PROXY: PROXY, NO_PROXY: noProxy }, url)
const included = (noProxy: string, url?: string): ProxyCase =>
  through({ HTTPS_PROXY: PROXY, NO_PROXY: noProxy }, url)

export const PROXY_CASES: readonly ProxyCase[] = [
  // Which variable.
  direct({}),
  direct({ HTTPS_PROXY: '' }),
  direct({ HTTP_PROXY: PROXY, http_proxy: PROXY, ALL_PROXY: PROXY, all_proxy: PROXY }),
  direct({ HTTP_PROXY: PROXY, REQUEST_METHOD: 'GET' }),
  through({ HTTPS_PROXY: PROXY, REQUEST_METHOD: 'GET' }),
  through({ https_proxy: PROXY }),
  through({ HTTPS_PROXY: PROXY, https_proxy: 'http://other.test:1' }),
  through({ HTTPS_PROXY: '', https_proxy: PROXY }),
  through({ HTTPS_PROXY: PROXY, NO_PROXY: 'x.test', no_proxy: 'icr.io' }),
  direct({ HTTPS_PROXY: PROXY, NO_PROXY: '', no_proxy: 'icr.io' }),
  // How it is written.
  through({ HTTPS_PROXY: 'proxy.test:3128' }),
  through({ HTTPS_PROXY: 'user:word@proxy.test:3128' }),
  through({ HTTPS_PROXY: 'user:p@ss@proxy.test:3128' }),
  through({ HTTPS_PROXY: 'http://user:p@ss@proxy.test:3128/path?query' }),
  through({ HTTPS_PROXY: 'https://proxy.test:3128' }),
  through({ HTTPS_PROXY: 'HTTP://proxy.test:3128' }),
  through({ HTTPS_PROXY: 'proxy.test' }, undefined, 'proxy.test'),
  through({ HTTPS_PROXY: '127.0.0.1:3128' }, undefined, '127.0.0.1:3128'),
  through({ HTTPS_PROXY: '[::1]:3128' }, undefined, '[::1]:3128'),
  // This machine.
  direct({ HTTPS_PROXY: PROXY }, 'https://localhost:8443/'),
  direct({ HTTPS_PROXY: PROXY }, 'https://127.0.0.1/'),
  direct({ HTTPS_PROXY: PROXY }, 'https://127.9.8.7:1/'),
  direct({ HTTPS_PROXY: PROXY }, 'https://[::1]:8443/'),
  direct({ HTTPS_PROXY: PROXY }, 'https://[::ffff:127.0.0.1]/'),
  through({ HTTPS_PROXY: PROXY }, 'https://host.localhost/'),
  // Names.
  ...[
    'icr.io',
    'ICR.IO',
    ' icr.io ',
    'io',
    '.icr.io',
    '*.icr.io',
    'us.icr.io',
    '.io',
    '*',
    'x.test, *',
    ','
  ].map((names) => (names === ',' ? included(names) : excluded(names))),
  ...[
    'cr.io',
    's.icr.io',
    '.us.icr.io',
    '*.us.icr.io',
    '*icr.io',
    '*.*',
    'us.icr.io.',
    '.',
    '',
    'us.icr.*'
  ].map((names) => included(names)),
  excluded('icr.io', 'https://icr.io/'),
  included('.icr.io', 'https://icr.io/'),
  included('*.icr.io', 'https://icr.io/'),
  excluded('a.test,icr.io,b.test'),
  included('a.test icr.io'),
  included('https://us.icr.io'),
  included('us.icr.io/v2/'),
  // Ports.
  excluded('icr.io:443'),
  excluded('icr.io:'),
  excluded('.icr.io:443'),
  excluded('*.icr.io:443'),
  excluded('icr.io:8443', 'https://us.icr.io:8443/'),
  included('icr.io:80'),
  included('icr.io:https'),
  included(':443'),
  included('*:443'),
  included('icr.io:443', 'https://us.icr.io:8443/'),
  // Addresses.
  excluded('10.1.2.3', 'https://10.1.2.3/'),
  excluded('10.1.2.3:443', 'https://10.1.2.3/'),
  excluded('10.0.0.0/8', 'https://10.1.2.3:8443/'),
  excluded('10.1.2.3/32', 'https://10.1.2.3/'),
  excluded('10.9.9.9/8', 'https://10.1.2.3/'),
  excluded('0.0.0.0/0', 'https://10.1.2.3/'),
  excluded('::ffff:10.1.2.3', 'https://[::ffff:10.1.2.3]/'),
  excluded('10.0.0.0/8', 'https://[::ffff:10.1.2.3]/'),
  excluded('fd00::1', 'https://[fd00::1]/'),
  excluded('[fd00::1]:443', 'https://[fd00::1]/'),
  excluded('fd00::/8', 'https://[fd00::1]/'),
  excluded('*', 'https://10.1.2.3/'),
  included('10.1.2.3:80', 'https://10.1.2.3/'),
  included('10.1.2.4', 'https://10.1.2.3/'),
  included('10.0.0.0/33', 'https://10.1.2.3/'),
  included('10.0.0.0/x', 'https://10.1.2.3/'),
  included('11.0.0.0/8', 'https://10.1.2.3/'),
  included('10.', 'https://10.1.2.3/'),
  included('.2.3', 'https://10.1.2.3/'),
  included('[fd00::1]', 'https://[fd00::1]/'),
  included('fd00::/8', 'https://10.1.2.3/'),
  included('10.0.0.0/8', 'https://[fd00::1]/'),
  included('10.0.0.0/8'),
  included('10.1.2.3')
]

/** Addresses that Go ignores, or takes for something that no user means: an error here. */
export const BAD_PROXIES = [
  'http://',
  'https://',
  'http://proxy.test:99999',
  'proxy.test:port',
  'http://two words',
  ' http://proxy.test',
  '//proxy.test:3128',
  'http:///proxy.test',
  'http://user:p%zz@proxy.test',
  'http://user:%ff@proxy.test',
  'user:pa/ss@proxy.test:3128',
  'nonsense://'
]
