// action-types.yml has the type of all that action.yml declares, in the format of github-actions-typing, and each type
// is what the code takes.
import { describe, expect, test } from '@jest/globals'
import { DEFAULTS } from '../../src/runner/inputs.ts'
import { parseBoolean, parseEndpoint } from '../../src/runner/values.ts'
import { METHODS } from '../../src/mint/methods.ts'
import { readManifest, readTypings, type Typing } from '../support/manifests.ts'

const manifest = readManifest()
const typings = readTypings()
const inputs = Object.entries(typings.inputs)
const all = [...inputs, ...Object.entries(typings.outputs)]
const namesOf = (type: string): string[] =>
  inputs.filter(([, typing]) => typing.type === type).map(([name]) => name)

/** What may stand beside `type`: the first list must be there, the second may. */
const GRAMMAR: Record<string, [must: string[], may: string[]]> = {
  string: [[], []],
  boolean: [[], []],
  integer: [[], ['name', 'named-values']],
  float: [[], []],
  enum: [['allowed-values'], ['name']],
  list: [['separator', 'list-item'], []]
}

function expectGrammar({ type, ...rest }: Typing): void {
  const [must = [], may = []] = GRAMMAR[type] ?? [[`no such type: ${type}`]]
  expect(Object.keys(rest)).toEqual(expect.arrayContaining(must))
  expect([...must, ...may]).toEqual(expect.arrayContaining(Object.keys(rest)))
  const values = rest['allowed-values'] ?? ['one']
  expect([values.length > 0, new Set(values).size]).toEqual([true, values.length])
  for (const value of values) expect(value).toMatch(/^\S+$/)
  const item = rest['list-item']
  if (item === undefined) return
  expect(rest.separator).not.toBe('')
  expect(item.type).not.toBe('list')
  expectGrammar(item)
}

describe('action-types.yml', () => {
  test('has a type for each input and output of action.yml, in its order, and for nothing else', () => {
    expect(Object.keys(typings)).toEqual(['inputs', 'outputs'])
    expect(Object.keys(typings.inputs)).toEqual(Object.keys(manifest.inputs))
    expect(Object.keys(typings.outputs)).toEqual(Object.keys(manifest.outputs))
  })

  test.each(all)('is in the format for %s', (_, typing) => {
    expectGrammar(typing)
  })

  test('calls boolean what the code reads as one, and nothing else', () => {
    for (const name of namesOf('boolean'))
      expect(parseBoolean(name, manifest.inputs[name]?.default ?? 'none')).toEqual(expect.any(Boolean))
    const truths = Object.entries(manifest.inputs).filter(([, input]) =>
      /^(?:true|false)$/.test(input.default ?? '')
    )
    expect(namesOf('boolean')).toEqual(truths.map(([name]) => name))
  })

  test('allows for endpoint and mint what the code knows, and no more', () => {
    expect(namesOf('enum')).toEqual(['endpoint', 'mint'])
    const endpoints = typings.inputs['endpoint']?.['allowed-values'] ?? []
    expect(endpoints.map(parseEndpoint)).toEqual(endpoints)
    expect(() => parseEndpoint('?')).toThrow(`Give ${endpoints.join(', ')}, or leave it out.`)
    expect(typings.inputs['mint']?.['allowed-values']).toEqual([DEFAULTS.mint, ...Object.keys(METHODS)])
  })

  test('calls a list, split by commas, whatever action.yml says may be split by them', () => {
    const lists = Object.entries(manifest.inputs).filter(([, input]) =>
      input.description.includes('by commas')
    )
    expect(lists.length).toBeGreaterThan(0)
    for (const [name] of lists) expect(typings.inputs[name]).toMatchObject({ type: 'list', separator: ',' })
    // What its description does not say once more: it is as region is.
    expect(namesOf('list')).toEqual(expect.arrayContaining(lists.map(([name]) => name)))
    expect(namesOf('list')).toEqual(['region', 'registry', 'repositories'])
  })
})
