import { describe, expect, test } from '@jest/globals'
import { findProxySecrets, findUnsafeSettings } from '../../src/environment.ts'

describe('the password in the address of a proxy', () => {
  test.each([
    ['http://me:s3cret@127.0.0.1:3128', ['s3cret', 's3cret', 'me:s3cret', 'me:s3cret']],
    ['http://me:p%40ss@127.0.0.1:3128', ['p%40ss', 'p@ss', 'me:p%40ss', 'me:p@ss']],
    ['me:s3cret@127.0.0.1:3128', ['s3cret', 's3cret', 'me:s3cret', 'me:s3cret']],
    ['http://me:50%@127.0.0.1:3128', ['50%', '50%', 'me:50%', 'me:50%']],
    ['http://127.0.0.1:3128', []],
    ['http://me@127.0.0.1:3128', []],
    ['', []]
  ])('of %s is found, as written and decoded', (address, secrets) => {
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY']) {
      expect(findProxySecrets({ [name]: address })).toEqual(secrets)
    }
  })

  test('is looked for in no other variable', () => {
    expect(findProxySecrets({ NO_PROXY: 'http://me:s3cret@host', DATABASE: 'x://me:s3cret@host' })).toEqual(
      []
    )
  })
})

describe('NODE_TLS_REJECT_UNAUTHORIZED', () => {
  test('is warned of where it would turn the checks off', () => {
    expect(findUnsafeSettings({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toHaveLength(1)
    expect(findUnsafeSettings({ NODE_TLS_REJECT_UNAUTHORIZED: '1' })).toEqual([])
    expect(findUnsafeSettings({})).toEqual([])
  })
})
