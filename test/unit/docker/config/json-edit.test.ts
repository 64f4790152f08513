// Edits of a JSON text that leave every other byte alone.
import fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import { removeAt, setAt } from '../../../../src/docker/config/json-edit.ts'
import { character } from '../../support/text.ts'

type Path = [string, ...string[]]
type Json = Record<string, unknown>

const ENTRY = { auth: 'aWFtYXBpa2V5OmtleQ==' }

/** As docker writes: tabs, a blank after the colon, Go's escapes, no line end at the end. */
function asDocker(value: unknown): string {
  return JSON.stringify(value, undefined, '\t').replace(
    /[<>&\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

describe('docker’s own file', () => {
  const before = `{
	"auths": {
		"ghcr.io": {
			"auth": "bWU6cDwmPg=="
		}
	},
	"HttpHeaders": {
		"X-Note": "a\\u003cb\\u0026c\\u003e \\u2028 \\/ \\ud83d\\ude00"
	},
	"psFormat": "table {{.ID}}\\t{{.Names}}",
	"big": 123456789012345678901234567890,
	"precise": 0.1000000000000000000001,
	"exponent": 1E+2
}`

  test('gets a login in the layout that it has', () => {
    expect(setAt(before, ['auths', 'us.icr.io'], ENTRY)).toBe(
      before.replace(
        '"bWU6cDwmPg=="\n\t\t}',
        `"bWU6cDwmPg=="\n\t\t},\n\t\t"us.icr.io": {\n\t\t\t"auth": "${ENTRY.auth}"\n\t\t}`
      )
    )
  })

  test('is as it was, to the byte, when the login is gone', () => {
    const held = setAt(before, ['auths', 'us.icr.io'], ENTRY)
    expect(removeAt(held, ['auths', 'us.icr.io'])).toBe(before)
  })

  test('is as it was when a login of the user’s was replaced and put back', () => {
    const held = setAt(before, ['auths', 'ghcr.io'], ENTRY)
    expect(held).not.toBe(before)
    expect(setAt(held, ['auths', 'ghcr.io'], { auth: 'bWU6cDwmPg==' })).toBe(before)
  })

  test('gets the auths that it lacks, and loses them again', () => {
    const bare = '{\n\t"credsStore": "pass"\n}'
    const held = setAt(bare, ['auths', 'us.icr.io'], {})
    expect(held).toBe('{\n\t"credsStore": "pass",\n\t"auths": {\n\t\t"us.icr.io": {}\n\t}\n}')
    const without = removeAt(held, ['auths', 'us.icr.io'])
    expect(without).toBe('{\n\t"credsStore": "pass",\n\t"auths": {}\n}')
    expect(removeAt(without, ['auths'])).toBe(bare)
  })

  test('is the same after a login and a logout, whatever else it holds', () => {
    fc.assert(
      fc.property(dockerConfig(), host(), entry(), (config, name, login) => {
        fc.pre(!Object.hasOwn(config['auths'] as Json, name))
        const text = asDocker(config)
        const held = setAt(text, ['auths', name], login)
        expect(JSON.parse(held)).toEqual(assigned(config, ['auths', name], login))
        expect(removeAt(held, ['auths', name])).toBe(text)
      }),
      { numRuns: 500 }
    )
  })

  test('a new login is written as docker would have written it', () => {
    fc.assert(
      fc.property(dockerConfig(), host(), (config, name) => {
        const login = { auth: 'YTpi', identitytoken: 'x' }
        const held = setAt(asDocker(config), ['auths', name], login)
        expect(held).toBe(asDocker(assigned(config, ['auths', name], login)))
      })
    )
  })
})

describe('any file', () => {
  test('holds what an assignment would have made of it', () => {
    fc.assert(
      fc.property(json(), formatting(), path(), anyJson(), (content, format, at, value) => {
        const text = format(content)
        expect(JSON.parse(setAt(text, at, value))).toEqual(assigned(content, at, value))
      }),
      { numRuns: 1000 }
    )
  })

  test('holds what a deletion would have left of it', () => {
    fc.assert(
      fc.property(json(), formatting(), path(), (content, format, at) => {
        const text = format(content)
        const left = removeAt(text, at)
        expect(JSON.parse(left)).toEqual(deleted(content, at))
        if (!holds(content, at)) expect(left).toBe(text)
      }),
      { numRuns: 1000 }
    )
  })

  test('holds the same again after a login and a logout', () => {
    fc.assert(
      fc.property(json(), formatting(), path(), entry(), (content, format, at, value) => {
        fc.pre(!holds(content, at))
        const text = format(content)
        const set = setAt(text, at, value)
        const back = JSON.parse(removeAt(set, at)) as Json
        // The objects on the way may have been made; they are empty now.
        expect(holds(back, at)).toBe(false)
        expect(JSON.parse(setAt(JSON.stringify(back), at, value))).toEqual(JSON.parse(set))
      }),
      { numRuns: 500 }
    )
  })

  test.each([
    ['on one line', '{"a":1,"auths":{"ghcr.io":{"auth":"x"}},"z":[1, 2]}'],
    ['on one line with blanks', '{ "a" : 1 , "auths" : { "ghcr.io" : { } } }'],
    ['with four blanks', '{\n    "auths": {\n        "ghcr.io": {}\n    },\n    "z": 1e400\n}\n'],
    ['with CR and LF', '{\r\n  "auths": {\r\n    "ghcr.io": {}\r\n  }\r\n}\r\n'],
    ['with lines and no indent', '{\n"auths": {\n"ghcr.io": {}\n}\n}'],
    ['with a blank first line', '\n\n{\n\t"auths": {\n\t\t"ghcr.io": {}\n\t}\n}'],
    ['with the auths at its end', '{"z":true,"auths":{"ghcr.io":{},"quay.io":{"auth":""}}}']
  ])('laid out %s is as it was, to the byte, after a login and a logout', (_, text) => {
    const held = setAt(text, ['auths', 'us.icr.io'], ENTRY)
    expect(JSON.parse(held)).toEqual(assigned(JSON.parse(text) as Json, ['auths', 'us.icr.io'], ENTRY))
    expect(removeAt(held, ['auths', 'us.icr.io'])).toBe(text)
  })

  test.each([
    ['in nothing', '{}', '{\n\t"auths": {\n\t\t"us.icr.io": {\n\t\t\t"a": 1\n\t\t}\n\t}\n}'],
    ['on one line', '{"auths":{"ghcr.io":{}},"z":1}', '{"auths":{"ghcr.io":{},"us.icr.io":{"a":1}},"z":1}'],
    [
      'on one line with blanks',
      '{ "auths" : { "ghcr.io" : 2 } }',
      '{ "auths" : { "ghcr.io" : 2,"us.icr.io":{"a":1} } }'
    ],
    ['with lines later on', '{"z":1,\n  "auths":{}}', '{"z":1,\n  "auths":{"us.icr.io":{"a":1}}}'],
    [
      'with two blanks, after an empty line',
      '\n{\n  "auths": {}\n}\n',
      '\n{\n  "auths": {\n    "us.icr.io": {\n      "a": 1\n    }\n  }\n}\n'
    ],
    [
      'with an empty line before the first key',
      '{\n\n  "z": 1\n}',
      '{\n\n  "z": 1,\n  "auths": {\n    "us.icr.io": {\n      "a": 1\n    }\n  }\n}'
    ],
    ['with lines and no indent', '{\n"auths": {}\n}', '{\n"auths": {\n"us.icr.io": {"a":1}\n}\n}'],
    [
      'with CR and LF',
      '{\r\n "auths": {}\r\n}\r\n',
      '{\r\n "auths": {\r\n  "us.icr.io": {\r\n   "a": 1\r\n  }\r\n }\r\n}\r\n'
    ]
  ])('laid out %s gets a login laid out alike', (_, text, held) => {
    expect(setAt(text, ['auths', 'us.icr.io'], { a: 1 })).toBe(held)
  })

  test.each([
    ['first', '{"a":1, "b":2, "c":3}', ['a'], '{"b":2, "c":3}'],
    ['second', '{"a":1, "b":2, "c":3}', ['b'], '{"a":1, "c":3}'],
    ['last', '{"a":1, "b":2, "c":3 }', ['c'], '{"a":1, "b":2 }'],
    ['only', '{ "a":1 }', ['a'], '{}'],
    ['first, deeper', '{"z":{"a":1,"b":2},"y":0}', ['z', 'a'], '{"z":{"b":2},"y":0}']
  ] as [string, string, Path, string][])('loses the %s of its keys, and no other', (_, text, path, left) => {
    expect(removeAt(text, path)).toBe(left)
  })

  test.each(['[1]', '"{}"', '7', 'null', 'true'])(
    'with %s for its auths loses nothing at a logout, and gets an object at a login',
    (auths) => {
      const text = `{"auths":${auths},"z":{}}`
      expect(removeAt(text, ['auths', 'us.icr.io'])).toBe(text)
      expect(setAt(text, ['auths', 'us.icr.io'], {})).toBe('{"auths":{"us.icr.io":{}},"z":{}}')
    }
  )

  test('with CR and LF gets no bare LF', () => {
    const held = setAt('{\r\n\t"auths": {}\r\n}\r\n', ['auths', 'us.icr.io'], ENTRY)
    expect(held).toContain('us.icr.io')
    expect(held.replaceAll('\r\n', '')).not.toContain('\n')
  })

  test.each([
    ['in a text', '{"note":"\\"auths\\":{\\"us.icr.io\\":{}}","auths":{}}'],
    ['in an escape', '{"x":"\\\\","auths":{},"y":"}{\\\\\\""}'],
    ['in a list', '{"list":[{"auths":{"us.icr.io":{}}}],"auths":{}}'],
    ['deeper', '{"deep":{"auths":{"us.icr.io":{}}},"auths":{}}'],
    ['as a text where an object is looked for', '{"us.icr.io":"auths","auths":{}}']
  ])('is not edited at what only looks like the login: %s', (_, text) => {
    const held = setAt(text, ['auths', 'us.icr.io'], ENTRY)
    expect(JSON.parse(held)).toEqual(assigned(JSON.parse(text) as Json, ['auths', 'us.icr.io'], ENTRY))
    expect(removeAt(held, ['auths', 'us.icr.io'])).toBe(text)
    expect(removeAt(text, ['auths', 'us.icr.io'])).toBe(text)
  })

  test('a key is found however it is escaped', () => {
    const text = '{"\\u0061uths":{"us\\u002eicr.io":{"auth":"old"}}}'
    expect(setAt(text, ['auths', 'us.icr.io'], {})).toBe('{"\\u0061uths":{"us\\u002eicr.io":{}}}')
    expect(removeAt(text, ['auths', 'us.icr.io'])).toBe('{"\\u0061uths":{}}')
  })

  test('of a key that stands twice, the one that counts is edited', () => {
    const text = '{"auths":{"a":1},"auths":{"us.icr.io":1,"us.icr.io":2}}'
    expect(setAt(text, ['auths', 'us.icr.io'], 3)).toBe(
      '{"auths":{"a":1},"auths":{"us.icr.io":1,"us.icr.io":3}}'
    )
  })

  test.each([
    [
      'many keys',
      (): string => asDocker({ auths: Object.fromEntries(numbers(20_000).map((n) => [`h${n}`, ENTRY])) })
    ],
    ['one long text', (): string => asDocker({ auths: {}, long: 'x'.repeat(2_000_000) })],
    ['a text of nothing but escapes', (): string => asDocker({ auths: {}, long: '\\"'.repeat(600_000) })],
    ['deep lists', (): string => `{"auths":{},"deep":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['a lot of blanks', (): string => `{"a":1,${' \n'.repeat(1_000_000)}"auths":{"ghcr.io":{}}}`]
  ])('of two megabytes (%s) is edited too', (_, make) => {
    const text = make()
    const held = setAt(text, ['auths', 'us.icr.io'], ENTRY)
    expect(held.length).toBeGreaterThan(text.length)
    expect(removeAt(held, ['auths', 'us.icr.io']) === text).toBe(true)
  })
})

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}

/** What `content[a][b]… = value` makes; what is no object on the way becomes one. */
function assigned(content: Json, [key, ...rest]: readonly string[], value: unknown): Json {
  const name = key ?? ''
  const inner = Object.hasOwn(content, name) ? content[name] : undefined
  const next = rest.length === 0 ? value : assigned(isPlain(inner) ? inner : {}, rest, value)
  return withOwn(content, name, next)
}

function deleted(content: Json, [key, ...rest]: readonly string[]): Json {
  const name = key ?? ''
  if (!Object.hasOwn(content, name)) return content
  if (rest.length === 0)
    return Object.fromEntries(Object.entries(content).filter(([other]) => other !== name))
  const inner = content[name]
  return isPlain(inner) ? withOwn(content, name, deleted(inner, rest)) : content
}

function holds(content: Json, [key, ...rest]: readonly string[]): boolean {
  const name = key ?? ''
  if (!Object.hasOwn(content, name)) return false
  const inner = content[name]
  return rest.length === 0 || (isPlain(inner) && holds(inner, rest))
}

/** An own property, `__proto__` too, as JSON.parse makes it; one that is there keeps its place. */
function withOwn(content: Json, key: string, value: unknown): Json {
  const entries = Object.entries(content)
  const found = entries.some(([other]) => other === key)
  return Object.fromEntries(
    found ? entries.map(([other, old]) => [other, other === key ? value : old]) : [...entries, [key, value]]
  )
}

function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function key(): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.constantFrom(
        'auths',
        'us.icr.io',
        'a',
        '',
        '__proto__',
        'constructor',
        '"a',
        '\\a',
        '{',
        '}',
        ',',
        ':'
      ),
      fc.string({ unit: character, maxLength: 5 })
    )
    .filter((name) => isReadWell({ [name]: 0 }))
}

/**
 * JSON.parse of Node 24.21 may take a key of one escaped character for another such key that it has read before:
 * `{"x":0,"\\\\":1}`, then `{"x":0,"\\"":1}`, gives a backslash for the quote. No oracle can rest on those.
 */
function isReadWell(value: unknown): boolean {
  return !/"\\(?:u[0-9a-f]{4}|.)":/.test(JSON.stringify(value))
}

function path(): fc.Arbitrary<Path> {
  return fc.tuple(key(), fc.array(key(), { maxLength: 2 })).map(([first, rest]): Path => [first, ...rest])
}

/** Objects whose keys meet those of the paths now and then. */
function json(): fc.Arbitrary<Json> {
  const { node } = fc.letrec((tie) => ({
    node: fc.dictionary(key(), fc.oneof({ depthSize: 'small' }, anyJson(), tie('node')), { maxKeys: 4 })
  }))
  return (node as fc.Arbitrary<Json>).map((value) => JSON.parse(JSON.stringify(value)) as Json)
}

/** Without -0, which JSON does not keep. */
function anyJson(): fc.Arbitrary<unknown> {
  return fc
    .jsonValue()
    .filter(isReadWell)
    .map((value): unknown => JSON.parse(JSON.stringify(value)))
}

function formatting(): fc.Arbitrary<(value: unknown) => string> {
  const blank = fc.constantFrom('', ' ', '\n', '\r\n', '\t', ' \n  ')
  const made = fc.constantFrom<(value: unknown) => string>(
    (value) => JSON.stringify(value),
    asDocker,
    (value) => JSON.stringify(value, undefined, 2),
    (value) => JSON.stringify(value, undefined, 4).replaceAll('\n', '\r\n'),
    (value) => JSON.stringify(value, undefined, 12)
  )
  return fc.tuple(made, blank, blank).map(
    ([format, before, after]) =>
      (value: unknown): string =>
        before + format(value) + after
  )
}

function host(): fc.Arbitrary<string> {
  return fc.constantFrom('us.icr.io', 'icr.io', '127.0.0.1:5000', 'private.de.icr.io')
}

function entry(): fc.Arbitrary<Json> {
  return fc.oneof(
    fc.constant({}),
    fc.base64String().map((auth) => ({ auth })),
    fc.string().map((identitytoken) => ({ auth: 'YTo=', identitytoken }))
  )
}

/** What docker may have written, with keys of other programs among it. */
function dockerConfig(): fc.Arbitrary<Json> {
  return fc
    .tuple(
      fc.dictionary(fc.domain(), entry(), { maxKeys: 4 }),
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }).filter(isReadWell)
    )
    .map(([auths, rest]) => JSON.parse(JSON.stringify({ auths, ...omit(rest, 'auths') })) as Json)
}

function omit(object: Json, name: string): Json {
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== name))
}
