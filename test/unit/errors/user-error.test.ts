// What of the world outside may stand in a log.
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import { codeOf, messageOf, UserError } from '../../../src/errors/user-error.ts'
import { formatList } from '../../../src/errors/quote.ts'
import { quote } from '../../../src/errors/quote.ts'
import { MAX_QUOTE } from '../../../src/errors/quote.ts'
import { isObject, parseObject, stringAt } from '../../../src/json.ts'
import { CommandReader } from '../../support/workflow-commands.ts'
import { character } from '../support/text.ts'

const COMMANDS = [
  '::error::x',
  '\n::error::x',
  'a\r\n::set-output name=x::y',
  'a\r::stop-commands::z',
  '##[add-mask]x',
  'a ##[error]x',
  '###[error]x',
  '####[[error]x',
  '##[##[error]x',
  '#\u200b#[error]x',
  '\u2028::error::x',
  '\u2029##[error]x',
  '\u0085::error::x',
  '\u000b::error::x',
  '\u001b[2K\u001b[1G::error::x',
  '\u009b31m##[error]x',
  '\0::error::x',
  '\ufeff::error::x'
]

describe('a quote', () => {
  test.each(COMMANDS)('of %j is no command of the runner’s', (text) => {
    expectHarmless(quote(text))
  })

  test('of whatever text is one line of plain characters, and no command', () => {
    const command = fc.constantFrom(...COMMANDS, '#', '##', '[', '::', '\n')
    const part = fc.oneof(command, fc.string({ unit: character, maxLength: 8 }))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        expectHarmless(quote(parts.join('')))
      }),
      { numRuns: 2000 }
    )
  })

  test.each([
    ['plain text', 'plain text'],
    ['  two\n lines\t', 'two lines'],
    ['Zürich', 'Z\\u{fc}rich'],
    ['\u{1f600}', '\\u{1f600}'],
    ['\ud800', '\\u{d800}'],
    ['\u202egnp.exe', '\\u{202e}gnp.exe'],
    ['', '']
  ])('of %j is %j', (text, quoted) => {
    expect(quote(text)).toBe(quoted)
  })

  test('is cut', () => {
    expect(quote('x'.repeat(MAX_QUOTE))).toBe('x'.repeat(MAX_QUOTE))
    expect(quote('x'.repeat(1_000_000))).toBe(`${'x'.repeat(MAX_QUOTE)}…`)
  })
})

function expectHarmless(quoted: string): void {
  expect(quoted).toMatch(/^[\x20-\x7e…]*$/u)
  // As the messages have it: with something before it, and as an error's own line.
  // As the messages have it: with something before it.
  for (const line of [`It said: ${quoted}`, `region: "${quoted}" is not a region.`]) {
    expect(new CommandReader().read(line)).toBeUndefined()
  }
}

describe('an error', () => {
  test('says what failed, what was said, and what to do, each in a line', () => {
    expect(new UserError('what', 'cure').message).toBe('what\ncure')
    expect(new UserError('what', 'cure', 'said').message).toBe('what\nIt said: said\ncure')
  })

  test('of the system is known by its code', async () => {
    const error: unknown = await readFile('/nonexistent/icr-login').catch((thrown: unknown) => thrown)
    expect(codeOf(error)).toBe('ENOENT')
    expect(messageOf(error)).toContain('no such file')
    expect([codeOf(new Error('x')), codeOf({ code: 'ENOENT' }), codeOf('ENOENT'), codeOf(undefined)]).toEqual(
      ['', '', '', '']
    )
    expect(codeOf(Object.assign(new Error('x'), { code: 7 }))).toBe('')
  })

  test('that is none is shown as it is', () => {
    expect([messageOf('text'), messageOf(undefined), messageOf(7)]).toEqual(['text', 'undefined', '7'])
  })
})

test('a list reads like one', () => {
  const lists = [[], ['a'], ['a', 'b'], ['a', 'b', 'c']]
  expect(lists.map((names) => formatList(names))).toEqual(['', 'a', 'a and b', 'a, b and c'])
  expect(lists.map((names) => formatList(names, 'or'))).toEqual(['', 'a', 'a or b', 'a, b or c'])
})

describe('JSON from outside', () => {
  test.each(['', 'x', '{', '[]', 'null', '7', '"x"', '{}x'])('%j is no object', (text) => {
    expect(parseObject(text)).toBeUndefined()
  })

  test('is looked at with care', () => {
    const object = parseObject('{"a":"x","b":"","c":7,"d":{"e":null},"__proto__":"y"}')
    expect(['a', 'b', 'c', 'd', 'nothing', 'toString'].map((key) => stringAt(object, key))).toEqual([
      'x',
      ...Array<undefined>(5)
    ])
    expect(stringAt(object, '__proto__')).toBe('y')
    expect(stringAt(undefined, 'a')).toBeUndefined()
    expect([{}, [], null, 'x', 7, undefined].map(isObject)).toEqual([true, false, false, false, false, false])
  })
})
