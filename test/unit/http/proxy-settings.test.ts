// What of the job's environment is a secret, or asks for less safety; a mask is never so short that it hides words.
import { expect, test } from '@jest/globals'
import { findProxySecrets, findUnsafeSettings } from '../../../src/http/proxy-settings.ts'

test.each<[string, string[]]>([
  ['http://me:p%40ss@proxy.test:3128', ['p%40ss', 'p@ss', 'me:p%40ss', 'me:p@ss']],
  ['me:word@proxy.test:3128', ['word', 'word', 'me:word', 'me:word']],
  ['http://:word@proxy.test', ['word', 'word', ':word', ':word']],
  ['http://m%65:bad%zz@proxy.test', ['bad%zz', 'bad%zz', 'm%65:bad%zz', 'me:bad%zz']],
  ['user:p@ss@proxy.test:3128', ['p@ss', 'p@ss', 'user:p@ss', 'user:p@ss']],
  ['http://user:p@ss:w@rd@proxy.test:3128', ['p@ss:w@rd', 'p@ss:w@rd', 'user:p@ss:w@rd', 'user:p@ss:w@rd']],
  ['http://a:b@proxy.test:3128', []],
  ['http://user:b@proxy.test:3128', ['user:b', 'user:b']],
  ['http://:%61%62c@proxy.test', ['%61%62c', ':%61%62c', ':abc']],
  ['http://me@proxy.test:3128', []],
  ['http://proxy.test:3128', []],
  ['http://proxy.test/no:user@there', []],
  ['', []]
])('the password in %s is found, as it is written and as it is meant', (address, secrets) => {
  for (const name of ['HTTPS_PROXY', 'http_proxy', 'ALL_PROXY']) {
    expect(findProxySecrets({ [name]: address })).toEqual(secrets)
  }
  expect(findProxySecrets({ NO_PROXY: address, MY_HTTP_PROXY: address, HTTP_PROXY_X: address })).toEqual([])
})

test('NODE_TLS_REJECT_UNAUTHORIZED=0 is told to change nothing', () => {
  expect(findUnsafeSettings({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toEqual([
    expect.stringMatching(/always checked/)
  ])
  expect(findUnsafeSettings({ NODE_TLS_REJECT_UNAUTHORIZED: '1' })).toEqual([])
  expect(findUnsafeSettings({})).toEqual([])
})
