// What a registry asks for.
import fc from 'fast-check'
import { expect, test } from '@jest/globals'
import { parseChallenge } from '../../../src/registry/challenge.ts'
import { character } from '../support/text.ts'

const IBM = 'Bearer realm="https://us.icr.io/oauth/token", service="registry", scope="repository:ns/app:pull"'
const REALM = 'https://us.icr.io/oauth/token'

test.each<[string, object]>([
  [IBM, { scheme: 'bearer', realm: REALM, service: 'registry', scope: 'repository:ns/app:pull' }],
  [
    IBM.replaceAll(', ', ','),
    { scheme: 'bearer', realm: REALM, service: 'registry', scope: 'repository:ns/app:pull' }
  ],
  [
    IBM.replaceAll(', ', ' ,\t '),
    { scheme: 'bearer', realm: REALM, service: 'registry', scope: 'repository:ns/app:pull' }
  ],
  ['BEARER Realm="a"', { scheme: 'bearer', realm: 'a' }],
  ['  Bearer   realm = "a" , service = b  ', { scheme: 'bearer', realm: 'a', service: 'b' }],
  ['Bearer realm=a,service=b', { scheme: 'bearer', realm: 'a', service: 'b' }],
  ['Bearer realm="a\\"b\\\\c"', { scheme: 'bearer', realm: 'a"b\\c' }],
  ['Bearer realm="a, Basic realm=b"', { scheme: 'bearer', realm: 'a, Basic realm=b' }],
  ['Bearer realm="",error="invalid_token"', { scheme: 'bearer', realm: '' }],
  ['Bearer realm="a",', { scheme: 'bearer', realm: 'a' }],
  ['Basic realm="a"', { scheme: 'basic', realm: 'a' }]
])('%s is read', (header, challenge) => {
  expect(parseChallenge(header)).toEqual(challenge)
})

test.each([
  '',
  ' ',
  'Bearer',
  'Bearer ',
  'Bearer realm',
  'Bearer realm=',
  'Bearer realm="a',
  'Bearer realm="a" service="b"',
  'Bearer realm="a",,service="b"',
  'Bearer ,realm="a"',
  'Bearer realm="a", realm="b"',
  'Bearer realm="a", REALM="b"',
  'Bearer realm="a", Basic realm="b"',
  'Bearer realm="a", Basic',
  'Basic Zm9v, Bearer realm="a"',
  'Bearer realm="a"x',
  'Bearer "a"="b"',
  '"Bearer" realm="a"',
  'realm="a"'
])('%j is none, or more than one', (header) => {
  expect(parseChallenge(header)).toBeUndefined()
})

test('each challenge that is written by the rules is read as it was meant', () => {
  const value = fc.string({ maxLength: 20 })
  fc.assert(
    fc.property(value, value, fc.constantFrom(',', ', ', ' , '), (realm, service, comma) => {
      const quoted = [realm, service].map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`)
      const header = `Bearer realm=${quoted[0] ?? ''}${comma}service=${quoted[1] ?? ''}`
      expect(parseChallenge(header)).toEqual({ scheme: 'bearer', realm, service })
    })
  )
})

test('no header makes it wait or throw', () => {
  const start = process.cpuUsage()
  fc.assert(fc.property(fc.string({ unit: character }), (text) => void parseChallenge(`Bearer ${text}`)))
  for (const part of ['a=b,', 'a="', '\\"', ' ', ',', 'a= ', 'a'])
    parseChallenge(`Bearer ${part.repeat(20_000)}`)
  expect(process.cpuUsage(start).user).toBeLessThan(10_000_000)
})
