// What only Windows does: it replaces no file that another program has open at that moment.
import { readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { writePrivate } from '../../src/private-file.ts'
import { makeFolder } from './support/home.ts'

test('a file that a reader holds open for a moment is replaced all the same', async () => {
  const file = join(makeFolder(), 'config.json')
  writeFileSync(file, 'old')
  const reader = await open(file)
  const closed = new Promise((resolve) => setTimeout(resolve, 200)).then(() => reader.close())
  await writePrivate(file, 'new', '0123456789abcdef', () => Promise.resolve())
  await closed
  expect(readFileSync(file, 'utf8')).toBe('new')
})
