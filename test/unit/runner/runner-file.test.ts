import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { appendValues } from '../../../src/runner/runner-file.ts'
import { parseFile } from '../../support/workflow-commands.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { makeFolder } from '../support/home.ts'

useOwnEnvironment()

let file: string

beforeEach(() => {
  file = join(makeFolder(), 'output')
  setVariables({ GITHUB_OUTPUT: file })
})

const written = (): Record<string, string> => parseFile(readFileSync(file, 'utf8'))

test('The runner reads each value as it was given, whatever lines it has', () => {
  // The runner itself makes one line end of the other.
  const line = fc.oneof(fc.constantFrom('END', 'END_', '', 'name<<END', 'a=b'), fc.string())
  const text = fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n').replaceAll('\r', ''))
  fc.assert(
    fc.property(text, text, (first, second) => {
      writeFileSync(file, '')
      appendValues('GITHUB_OUTPUT', { first, second })
      expect(written()).toEqual({ first, second })
    })
  )
})

test('What is not known is an empty value', () => {
  appendValues('GITHUB_OUTPUT', { known: 'a', unknown: undefined })
  expect(written()).toEqual({ known: 'a', unknown: '' })
})

test('What another step wrote stays', () => {
  writeFileSync(file, 'theirs=1\n')
  appendValues('GITHUB_OUTPUT', { ours: '2' })
  expect(written()).toEqual({ theirs: '1', ours: '2' })
})

test('Without a runner, the error says which variable a runner sets', () => {
  setVariables({ GITHUB_OUTPUT: undefined })
  expect(() => {
    appendValues('GITHUB_OUTPUT', {})
  }).toThrow('GITHUB_OUTPUT is not set')
})
