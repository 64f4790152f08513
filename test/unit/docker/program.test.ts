import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { findProgram } from '../../../src/docker/program.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { makeFolder } from '../support/home.ts'

useOwnEnvironment()

// On Windows a program is known by its ending.
const NAME = process.platform === 'win32' ? 'tool.EXE' : 'tool'

let first: string
let second: string

function makeProgram(folder: string): string {
  const path = join(folder, NAME)
  writeFileSync(path, '', { mode: 0o755 })
  return path
}

describe('A program is found', () => {
  beforeEach(() => {
    first = makeFolder()
    second = makeFolder()
    setVariables({ PATH: [join(first, 'missing'), first, second].join(delimiter) })
  })

  test('in the first folder of the PATH that has it', async () => {
    const path = makeProgram(first)
    makeProgram(second)
    expect(await findProgram('tool')).toBe(path)
  })

  test('through a link', async () => {
    symlinkSync(makeProgram(second), join(first, NAME))
    expect(await findProgram('tool')).toBe(join(first, NAME))
  })

  test.each([
    [
      'a folder of its name',
      () => {
        mkdirSync(join(first, NAME))
      }
    ],
    [
      'a link to nowhere',
      () => {
        symlinkSync('/nonexistent', join(first, NAME))
      }
    ],
    [
      'a file that nobody may run',
      () => {
        chmodSync(makeProgram(first), 0o644)
      }
    ]
  ])('behind %s', async (_, put) => {
    put()
    const path = makeProgram(second)
    expect(await findProgram('tool')).toBe(path)
  })
})

describe('No program is found', () => {
  test.each([
    ['on an empty PATH', ''],
    ['without a PATH', undefined],
    ['in the working directory', '.'],
    ['in a folder of which none is sure where it lies', 'node_modules/.bin']
  ])('%s', async (_, path) => {
    setVariables({ PATH: path })
    expect(await findProgram('jest')).toBeUndefined()
  })
})
