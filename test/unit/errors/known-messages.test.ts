// What each message of IBM's means, and that no answer brings the secret back into the log.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findKnownMessage, explainRefusal } from '../../../src/errors/known-messages.ts'
import { findRequestId, isPlainId, knownSecrets, quoteId, quoteRedacted } from '../../../src/errors/redact.ts'
import { RefusedError } from '../../../src/errors/user-error.ts'
import { quote } from '../../../src/errors/quote.ts'
import { cutsOf, disguisesOf, requestsOf } from '../support/echoes.ts'

const DEFAULT = 'The credential was refused.'
const HIDDEN = '(not shown: the answer repeats the secret)'

// docs/references.md, "Registry authentication" and "IAM errors", as the services and the clients say it.
test.each([
  [
    'unauthorized: The login credentials are not valid, or your IBM Cloud account is not active.',
    /wrong for this registry/
  ],
  [
    'unable to retrieve auth token: invalid username/password: unauthorized: The login credentials are not valid, or your IBM Cloud account is not active.',
    /wrong for this registry/
  ],
  ['login attempt to https://us.icr.io/v2/ failed with status: 400 Bad Request', /do not belong together/],
  [
    'UNSUPPORTED: The requested authentication method is not supported. Run the `bx cr login` command. To use registry tokens, use `docker login -u token` …',
    /kind of user name/
  ],
  ['unauthorized: authentication required', /no valid login/],
  [
    'Authorization required. See https://cloud.ibm.com/docs/Registry?topic=Registry-troubleshoot-auth-req',
    /wrong region/
  ],
  [
    'unauthorized: An error occurred when authenticating your request with IBM Cloud. Clear your browser cookies, …',
    /disabled or locked/
  ],
  ['CRG0014E An error occurred', /disabled or locked/],
  ['denied: insufficient scope', /may not do that here/],
  ['denied: You are not authorized to access the specified resource.', /may not use that namespace/],
  ['CRG0009E You are not authorized to access the specified account…', /no rights in the registry's account/],
  ['denied: Your account has exceeded its pull traffic quota for the current month.', /pull traffic/],
  ['denied: Your account has exceeded its image storage quota.', /image storage/],
  [
    'Private-only access is enabled on this account, but this request was over the public network. You must access this account over the private network',
    /private network alone/
  ],
  ['The creation of registry tokens is discontinued. For more information…', /1 July 2019/],
  ['Status code 403 Forbidden: no token is sent', /forbids this/],
  ['BXNIM0415E Provided API key could not be found.', /does not know this API key/],
  ['Provided API key could not be found.', /does not know this API key/],
  ['BXNIM0462E Provided API key is disabled.', /is disabled/],
  ['BXNIM0407E', /not whole, or was made for another client/],
  ['BXNIM0408E Provided refresh token is expired', /refresh token has ended/],
  ["BXNIM0439E Session 'C-1' is invalidated due to inactivity", /login session of this token has ended/],
  ['BXNIM0400E', /second factor/],
  ['BXNIM0602E', /user name and password/],
  ['BXNIM0308E No authorization header found', /without its Authorization header/]
])('“%s” has a cause and a cure', (said, cause) => {
  const row = findKnownMessage(said)
  expect(row?.cause).toMatch(cause)
  expect(findKnownMessage(said.toUpperCase())).toBe(row)
  const error = explainRefusal('us.icr.io refused the login', said, '')
  expect(error).toBeInstanceOf(RefusedError)
  const [first, second, third, ...more] = error.message.split('\n')
  expect(first).toBe(`us.icr.io refused the login: ${row?.cause ?? ''}`)
  expect(second).toMatch(/^It said: /)
  expect([third, more]).toEqual([row?.hint, []])
})

test.each(['BXNIM0410E', 'BXNIM0106E', 'BXNIM0501E', 'wat', ''])(
  '“%s” is given no meaning that nobody has verified',
  (said) => {
    expect(findKnownMessage(said)).toBeUndefined()
    const [what, ...rest] = explainRefusal('x', said, '').message.split('\n')
    expect(what).toBe(`x: ${DEFAULT}`)
    expect(rest.at(-1)).toMatch(
      /^Check the secret, that it is given as what it is, and that region is the one/
    )
  }
)

test('no answer at all is not quoted', () => {
  expect(explainRefusal('x', '', 'secret').message).not.toContain('It said')
})

describe('an answer that repeats the secret is not shown', () => {
  const secrets = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_-]{44}$/),
    fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }),
    fc.string({
      minLength: 8,
      maxLength: 60,
      unit: fc.constantFrom('<', '"', '\\', '%', '+', '/', '=', '&', 'a')
    })
  )

  test.each(Object.entries(requestsOf))('not %s', (_, encode) => {
    fc.assert(
      fc.property(
        secrets,
        fc.string({ maxLength: 100 }),
        fc.string({ maxLength: 50 }),
        (secret, before, after) => {
          const shown = quoteRedacted(before + encode(secret) + after, secret)
          expect(shown).toBe(HIDDEN)
        }
      ),
      { numRuns: 200 }
    )
  })

  test('nor any six characters of it, wherever the answer is cut', () => {
    const key = fc.stringMatching(/^[A-Za-z0-9_-]{44}$/)
    fc.assert(
      fc.property(
        key,
        fc.nat(38),
        fc.integer({ min: 6, max: 44 }),
        fc.nat(260),
        (secret, from, length, at) => {
          const piece = secret.slice(from, from + length)
          fc.pre(piece.length >= 6)
          const shown = quoteRedacted(`${' -'.repeat(at / 2)}${piece} not valid`, secret)
          for (let start = 0; start + 6 <= piece.length; start++) {
            expect(shown).not.toContain(piece.slice(start, start + 6))
          }
        }
      )
    )
  })

  const ascii = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_-]{44}$/),
    fc.string({
      minLength: 8,
      maxLength: 60,
      unit: fc.constantFrom('<', '"', '\\', '%', '+', '/', '=', '&', 'a')
    })
  )

  test.each(Object.entries(disguisesOf))('not %s', (_, encode) => {
    fc.assert(
      fc.property(ascii, fc.string({ maxLength: 40 }), (secret, around) => {
        expect(quoteRedacted(`${around} ${encode(secret)} ${around}`, secret)).toBe(HIDDEN)
      }),
      { numRuns: 200 }
    )
  })

  test.each(Object.entries(cutsOf))('nor a key %s', (_, encode) => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{44}$/), (secret) => {
        expect(quoteRedacted(`no ${encode(secret)}.`, secret)).toBe(HIDDEN)
      }),
      { numRuns: 200 }
    )
  })

  test('in another case it isn’t shown either', () => {
    expect(quoteRedacted('no ABCDEFGHIJ', 'abcdefghij')).toBe(HIDDEN)
    expect(quoteRedacted('no abcdefghij', 'ABCDEFGHIJ')).toBe(HIDDEN)
  })

  test('nor any other secret of the step: the service may remember it', () => {
    const other = 'kL8pQ2zX_vN5bM7cR-4tY6uW9sD1fG3hJ0aEoIiUqTwB'
    knownSecrets.add(other)
    expect(quoteRedacted(`no ${other}`, 'Wr1tQm7vXk_2ZpLd9sHcNf')).toBe(HIDDEN)
    knownSecrets.delete(other)
    expect(quoteRedacted(`no ${other}`, 'Wr1tQm7vXk_2ZpLd9sHcNf')).toBe(`no ${other}`)
  })

  test('but for one that comes long after what is shown', () => {
    const said = 'denied, '.repeat(100)
    expect(quoteRedacted(`${said}abcdefghij`, 'abcdefghij')).toBe(quote(said))
  })

  test('a short secret is a secret too', () => {
    expect(quoteRedacted('no pw1', 'pw1')).toBe(HIDDEN)
    expect(quoteRedacted('no', 'pw1')).toBe('no')
    expect(quoteRedacted('no six sox', 'sixsix')).toBe('no six sox')
    expect(quoteRedacted('sixsix', 'sixsix')).toBe(HIDDEN)
  })
})

describe('an ID', () => {
  const SECRET = 'Wr1tQm7vXk_2ZpLd9sHcNf'
  const hex = Buffer.from(SECRET).toString('hex')

  beforeAll(() => {
    knownSecrets.add(SECRET).add('pw1')
  })
  afterAll(() => {
    knownSecrets.delete(SECRET)
    knownSecrets.delete('pw1')
  })

  test.each([
    'ApiKey-6ab013ed-9a61-4b57-945a-9d4232307ec8',
    `ae57b394-9a61-4b57-945a-9d4${hex.slice(3, 10)}ec`,
    'id-pw1'
  ])('%s is shown: what it has in common with a secret is chance', (id) => {
    expect([isPlainId(id), quoteId(id)]).toEqual([true, id])
  })

  test.each([SECRET.slice(3, 11), `x-${hex.slice(9, 17)}`, `x${SECRET.toUpperCase()}`])(
    '%s is not shown: it repeats a secret',
    (id) => {
      expect([isPlainId(id), quoteId(id)]).toEqual([false, HIDDEN])
    }
  )

  test.each(['', '../x', 'x'.repeat(101)])('%j is none', (id) => {
    expect(isPlainId(id)).toBe(false)
  })

  test('of IBM’s is one, whatever the secrets are', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.stringMatching(/^[A-Za-z0-9_.-]{900}$/), (uuid, secret) => {
        knownSecrets.add(secret)
        expect(isPlainId(`ApiKey-${uuid}`)).toBe(true)
        knownSecrets.delete(secret)
      }),
      // Eight characters in common are rare, not impossible.
      { numRuns: 300, seed: 1 }
    )
  })
})

test('any other answer is quoted, as plain text', () => {
  expect(quoteRedacted('denied: insufficient scope', 'Wr1tQm7vXk_2ZpLd9sHcNf')).toBe(
    'denied: insufficient scope'
  )
  expect(quoteRedacted('two\nlines ##[error]x', '')).toBe('two lines #\\u{23}[error]x')
})

describe('the ID of a request, which IBM’s support asks for', () => {
  const SECRET = 'Wr1tQm7vXk_2ZpLd9sHcNf'
  const body = JSON.stringify({ code: 'CRG0009E', message: 'no', 'request-id': '72-1540337041.610-99712' })

  test.each<[string, Record<string, string>, string, string | undefined]>([
    ['IAM’s header', { 'transaction-id': 'bd12-7c' }, '', 'Transaction-Id: bd12-7c'],
    ['the registry’s header', { 'x-request-id': '5a6b:1' }, '', 'X-Request-Id: 5a6b:1'],
    ['the registry’s body', {}, body, 'request-id: 72-1540337041.610-99712'],
    ['IAM’s before another', { 'x-request-id': 'b', 'transaction-id': 'a' }, '', 'Transaction-Id: a'],
    ['no ID', {}, '<html>', undefined],
    ['a command of the runner', { 'transaction-id': '::error::x' }, '', undefined],
    ['two lines', { 'transaction-id': 'a\nb' }, '', undefined],
    ['a blank', { 'transaction-id': 'a b' }, '', undefined],
    ['too much', { 'transaction-id': 'a'.repeat(101) }, '', undefined],
    ['the secret', { 'transaction-id': SECRET }, '', undefined],
    ['a piece of the secret', { 'transaction-id': `id-${SECRET.slice(4, 14)}` }, '', undefined],
    ['the secret backwards', { 'transaction-id': SECRET.split('').reverse().join('') }, '', undefined]
  ])('from %s', (_, headers, text, found) => {
    expect(findRequestId({ headers, body: text }, SECRET)).toBe(found)
  })

  test('is shown in the line of the response, with a message or without', () => {
    const [, said] = explainRefusal('x', 'denied: no', SECRET, 'Transaction-Id: a').message.split('\n')
    expect(said).toBe('It said: denied: no (Transaction-Id: a)')
    const [, none] = explainRefusal('x', '', SECRET, 'Transaction-Id: a').message.split('\n')
    expect(none).toBe('It said: no message (Transaction-Id: a)')
    const [, hidden] = explainRefusal('x', SECRET, SECRET, 'Transaction-Id: a').message.split('\n')
    expect(hidden).toBe('It said: (not shown: the answer repeats the secret) (Transaction-Id: a)')
  })
})
