import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hasDuplicateKeys, isSame } from '../../src/json.ts'

const parsed = fc.json({ maxDepth: 3 }).map((text): unknown => JSON.parse(text))

/** The same value with the keys of each object in another order. */
function turnKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turnKeys)
  if (typeof value !== 'object' || value === null) return value
  const turned = Object.entries(value).map(([key, inner]) => [key, turnKeys(inner)] as const)
  return Object.fromEntries(turned.reverse())
}

test('A JSON value is the same as itself, whatever the order of its keys', () => {
  fc.assert(
    fc.property(parsed, (value) => {
      expect(isSame(value, turnKeys(value))).toBe(true)
    })
  )
})

test.each([
  ['a key that only one has', { a: 1 }, { b: 1 }],
  ['a key more', { a: 1 }, { a: 1, b: 1 }],
  ['a key that every object inherits', { toString: {} }, { a: {} }],
  ['an array and an object', ['a'], { 0: 'a' }],
  ['null and an object', null, {}],
  ['a number and its text', 1, '1'],
  ['a value deep inside', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }]
])('Two JSON values differ by %s', (_, a, b) => {
  expect([isSame(a, b), isSame(b, a)]).toEqual([false, false])
})

test.each([
  ['{"a":1,"a":2}', true],
  ['{"a":1,"\\u0061":2}', true],
  ['{"b":[{"a":1 , "a" : 2}]}', true],
  ['{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}', false],
  ['["a",":","b"]', false],
  ['{"a":"\\":","b":":","c":"\\"a\\":1,\\"a\\":2"}', false],
  ['{"__proto__":1,"__proto__":2}', true],
  ['{"1":1,"":2}', false],
  ['7', false],
  ['[]', false]
])('%s has a key twice: %s', (text, twice) => {
  expect(hasDuplicateKeys(text)).toBe(twice)
})

test('a text that is nested too deeply to tell is said to have one', () => {
  expect(hasDuplicateKeys('['.repeat(30_000) + ']'.repeat(30_000))).toBe(true)
})

test('no text of JSON.stringify has a key twice', () => {
  fc.assert(fc.property(fc.json(), (text) => !hasDuplicateKeys(JSON.stringify(JSON.parse(text)))))
})
