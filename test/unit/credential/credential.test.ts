// What a user may have pasted, and what a token says of itself.
import fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import {
  checkNotExpired,
  formatBasic,
  parseSecret,
  parseTrustedProfile,
  SECRET_KINDS,
  USERNAMES,
  type SecretKind
} from '../../../src/credential/credential.ts'
import { parseIssuedAt } from '../../../src/credential/jwt.ts'
import { parseExpiry } from '../../../src/credential/jwt.ts'
import { parseClaims } from '../../../src/credential/jwt.ts'
import { formatTime } from '../../../src/errors/quote.ts'
import { userError } from '../support/throwing.ts'

const KEY = 'Wr1tQm7vXk_2ZpLd9sHcNfYb4RgTjUe6aGo8iKxMq-0v'
const NOW = Date.parse('2026-08-14T12:00:00Z')
const encode = (text: string): string => Buffer.from(text).toString('base64url')

function jwt(claims: unknown, header: unknown = { alg: 'RS256' }): string {
  return [JSON.stringify(header), JSON.stringify(claims), 'signature'].map(encode).join('.')
}

const TOKEN = jwt({ exp: NOW / 1000 + 3600 })

test('each kind of secret has its user name', () => {
  expect(USERNAMES).toEqual({
    'api-key': 'iamapikey',
    'registry-token': 'token',
    'access-token': 'iambearer',
    'refresh-token': 'iamrefresh'
  })
})

describe('what was pasted is mended', () => {
  test.each([
    ['blanks and a line end around it', `  ${KEY} \r\n`],
    ['a byte order mark before it', `\ufeff${KEY}`],
    ['quotes around it', `"${KEY}"`],
    ['other quotes around it', ` '${KEY}'\n`],
    ['quotes and blanks around it', `" ${KEY} "`],
    ['the file that the console downloads', `{\n\t"name": "ci",\n\t"apikey": "${KEY}"\n}\n`],
    ['that file, with blanks in it', `{"apikey":" ${KEY}\\n"}`]
  ])('%s', (_, pasted) => {
    expect(parseSecret('api-key', pasted)).toBe(KEY)
  })

  test.each(['Bearer ', 'bearer  ', 'BEARER\t', '"Bearer ', " 'Bearer "])('%j before a token', (before) => {
    const quote = /["']/.exec(before)?.[0] ?? ''
    expect(parseSecret('access-token', before + TOKEN + quote)).toBe(TOKEN)
  })

  test.each(SECRET_KINDS)('and nothing else is changed in a %s', (kind) => {
    const secrets = kind === 'access-token' ? [TOKEN] : [`a"b'c{d} e~`, '"a"b', `'a"`]
    for (const secret of secrets) expect(parseSecret(kind, secret)).toBe(secret)
  })

  test('nothing that is left has blanks around it, or a control character in it', () => {
    const kind = fc.constantFrom(...SECRET_KINDS)
    const part = fc.oneof(
      fc.constantFrom('"', "'", ' ', '\n', 'Bearer ', '{"apikey":"', '"}', KEY, TOKEN),
      fc.string()
    )
    fc.assert(
      fc.property(kind, fc.array(part, { maxLength: 5 }), (each, parts) => {
        let secret: string
        try {
          secret = parseSecret(each, parts.join(''))
        } catch {
          return
        }
        expect(secret).not.toBe('')
        expect(secret).toBe(secret.trim())
        expect(secret).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      }),
      { numRuns: 2000 }
    )
  })
})

describe('what can be no secret is refused by name, and not shown', () => {
  test.each<[SecretKind, string, string]>([
    ['api-key', `${KEY}\n${KEY}`, 'api-key has a line break inside.'],
    ['refresh-token', `${KEY}\r${KEY}`, 'refresh-token has a line break inside.'],
    ['api-key', `{"apikey":"${KEY}\\n${KEY}"}`, 'api-key has a line break inside.'],
    ['registry-token', `${KEY}\t${KEY}`, 'registry-token has a control character inside.'],
    ['api-key', `${KEY}\0${KEY}`, 'api-key has a control character inside.'],
    ['api-key', `${KEY}\u001b[0m`, 'api-key has a control character inside.'],
    ['api-key', `${KEY}\u2028${KEY}`, 'api-key has a control character inside.'],
    ['api-key', `{"name":"${KEY}"}`, 'api-key holds JSON without an "apikey".'],
    ['api-key', `{"apikey":7,"x":"${KEY}"}`, 'api-key holds JSON without an "apikey".'],
    ['api-key', `{"apikey":" ","x":"${KEY}"}`, 'api-key holds JSON without an "apikey".'],
    ['api-key', `{"apikey":"${KEY}"`, 'api-key holds JSON without an "apikey".'],
    ['access-token', `{"apikey":"${KEY}"}`, 'access-token holds JSON.'],
    ['api-key', TOKEN, 'api-key holds a token (a JWT), not an API key.'],
    ['api-key', `Bearer ${TOKEN}`, 'api-key holds a token (a JWT), not an API key.'],
    ['access-token', KEY, 'access-token does not hold an IAM access token'],
    ['access-token', `${TOKEN}.more`, 'access-token does not hold an IAM access token'],
    ['access-token', 'a.b.c', 'access-token does not hold an IAM access token'],
    ['api-key', '""', 'api-key is empty'],
    ['refresh-token', "' '", 'refresh-token is empty'],
    ['registry-token', '"Bearer "', 'registry-token is empty'],
    ['api-key', 'Bearer', 'api-key is empty']
  ])('%s given as %j', async (kind, pasted, what) => {
    const message = await userError(() => parseSecret(kind, pasted))
    expect(message).toContain(what)
    for (const secret of [KEY, TOKEN]) expect(message).not.toContain(secret.slice(0, 8))
  })
})

test.each<[SecretKind, string, string]>([
  ['api-key', '', 'api-key is empty but for quotes or "Bearer" around it.\nStore the secret again, whole.'],
  ['api-key', 'a\nb', 'api-key has a line break inside.\nStore the secret again, as one line.'],
  ['api-key', 'a\tb', 'api-key has a control character inside.\nStore the secret again, as plain text.'],
  [
    'api-key',
    '{}',
    'api-key holds JSON without an "apikey".\n' +
      'Give the API key itself, or the whole file that the IBM Cloud console downloads.'
  ],
  [
    'refresh-token',
    '{"apikey":"x"}',
    'refresh-token holds JSON.\nIf it is the file that the IBM Cloud console downloads, give it as api-key.'
  ],
  [
    'api-key',
    TOKEN,
    'api-key holds a token (a JWT), not an API key.\n' +
      'Give it as access-token, or create an API key: ibmcloud iam service-api-key-create.'
  ],
  [
    'access-token',
    KEY,
    'access-token does not hold an IAM access token: those are JWTs, and begin with eyJ.\n' +
      'If it is an API key, give it as api-key. If it is a refresh token, give it as refresh-token.'
  ]
])('%s given as %j is refused with what to do', async (kind, pasted, message) => {
  expect(await userError(() => parseSecret(kind, pasted))).toBe(message)
})

describe('a token that has ended', () => {
  const tokenAt = (seconds: number): string => jwt({ exp: NOW / 1000 + seconds })

  test.each([
    [-3600, 'access-token ended at 2026-08-14T11:00:00Z'],
    [0, 'access-token ended at 2026-08-14T12:00:00Z'],
    [1, 'access-token ends at 2026-08-14T12:00:01Z'],
    [60, 'access-token ends at 2026-08-14T12:01:00Z']
  ])('or ends in %i seconds is refused with both times', async (seconds, what) => {
    const message = await userError(() => {
      checkNotExpired(tokenAt(seconds), NOW)
    })
    expect(message).toContain(what)
    expect(message).toContain("this runner's clock says 2026-08-14T12:00:00Z")
    expect(message.split('\n')[1]).toBe(
      "Get a new one, or give an api-key, which does not end. If the runner's clock is wrong, set it."
    )
  })

  test.each([61, 3600])('in %i seconds is not refused', (seconds) => {
    checkNotExpired(tokenAt(seconds), NOW)
    expect(parseExpiry(tokenAt(seconds))).toEqual(new Date(NOW + seconds * 1000))
  })

  test.each([{}, { exp: 'x' }, { exp: null }, { exp: 1e300 }, { exp: -1e300 }, [], 7, null])(
    'at a time that it does not say (%j) is for the registry to refuse',
    (claims) => {
      checkNotExpired(jwt(claims), NOW)
      expect(parseExpiry(jwt(claims))).toBeUndefined()
    }
  )

  test('may say the last second that there is', () => {
    expect(parseExpiry(jwt({ exp: 8.64e12 }))).toEqual(new Date(8.64e15))
    expect(parseExpiry(jwt({ exp: 8.64e12 + 1 }))).toBeUndefined()
  })
})

test('a token says when it was issued, if it does', () => {
  expect(parseIssuedAt(jwt({ iat: 2e9 }))).toEqual(new Date(2e12))
  expect([jwt({}), jwt({ iat: '2e9' }), jwt({ iat: 1e300 }), KEY].map(parseIssuedAt)).toEqual(
    Array<undefined>(4).fill(undefined)
  )
})

describe('the claims of a token', () => {
  test('are read, whatever letters they hold', () => {
    expect(parseClaims(jwt({ sub: 'Zoë ✓', n: [1] }))).toEqual({ sub: 'Zoë ✓', n: [1] })
  })

  test.each([
    ['nothing', ''],
    ['two parts', `${encode('{}')}.${encode('{}')}`],
    ['four parts', `${TOKEN}.x`],
    ['a head that is no JSON', `x.${encode('{}')}.x`],
    ['claims that are no object', jwt('text')],
    ['claims that are a list', jwt([])],
    ['an API key with dots', 'a.b.c'],
    ['dots', '..']
  ])('are not read out of %s', (_, text) => {
    expect(parseClaims(text)).toBeUndefined()
  })

  test('are looked for in any text without a throw', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json().map(encode))), (parts) => {
        parseClaims(parts.join('.'))
        parseExpiry(parts.join('.'))
      })
    )
  })
})

test('a time is shown to the second, in UTC', () => {
  expect(formatTime(new Date(NOW + 999))).toBe('2026-08-14T12:00:00Z')
})

test('Basic is what docker writes', () => {
  expect(formatBasic({ username: 'iamapikey', secret: 'ü:x' })).toBe('aWFtYXBpa2V5OsO8Ong=')
})

describe('a trusted profile', () => {
  test.each([
    ['Profile-9c4d1f70-b6a2-4e83-a5f9-3d2e8b70c164', 'id', 'Profile-9c4d1f70-b6a2-4e83-a5f9-3d2e8b70c164'],
    ['iam-Profile-9c4d', 'id', 'Profile-9c4d'],
    ['crn:v1:bluemix:public:iam-identity::a/1::profile:Profile-9c4d', 'crn', undefined],
    ['ci-jobs', 'name', undefined],
    ['My profile', 'name', undefined],
    ['Profile-', 'name', undefined],
    ['Profile-9c4d x', 'name', undefined],
    ['profile-9c4d', 'name', undefined],
    ['x Profile-9c4d', 'name', undefined]
  ])('%s is known by its %s', (text, by, value) => {
    expect(parseTrustedProfile(text)).toEqual({ by, value: value ?? text })
  })
})
