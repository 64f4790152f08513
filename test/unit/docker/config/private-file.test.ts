// A file is replaced whole, or left as it is. Windows replaces none that another program has open at that moment.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { writePrivate } from '../../../../src/docker/config/private-file.ts'
import { listing, makeFolder } from '../../support/home.ts'
import { userError } from '../../support/throwing.ts'

test('a file that a reader holds open for a moment is replaced all the same', async () => {
  const file = join(makeFolder(), 'config.json')
  writeFileSync(file, 'old')
  const reader = await open(file)
  const closed = new Promise((resolve) => setTimeout(resolve, 200)).then(() => reader.close())
  await writePrivate(file, 'new', '0123456789abcdef', () => Promise.resolve())
  await closed
  expect(readFileSync(file, 'utf8')).toBe('new')
})

test('a folder that has come in its place is left, and no draft lies beside it', async () => {
  const folder = makeFolder()
  const file = join(folder, 'config.json')
  const comes = (): Promise<void> => {
    mkdirSync(file)
    return Promise.resolve()
  }
  expect(await userError(writePrivate(file, 'new', '0123456789abcdef', comes))).toMatch(
    /config\.json can't be written \([A-Z]+\)\.\nIt was left as it is\./
  )
  expect(listing(folder)).toEqual({ 'config.json': '/' })
})
