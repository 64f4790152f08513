import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { measured } from '../../support/measured.ts'
import { node24 } from '../../support/node24-path.mjs'
import { makeFolder } from '../support/home.ts'

const log = pathToFileURL(join(import.meta.dirname, '../../../src/runner/log.ts')).href
/** More than a pipe holds. */
const LENGTH = 1_000_000

/** A program that says something long, and then that it has come to its end. */
function startSaying(): { said: Readable; errors: Promise<string>; ended: Promise<unknown[]> } {
  const program = join(makeFolder(), 'say.mjs')
  writeFileSync(
    program,
    `import { info } from '${log}'
info('x'.repeat(${LENGTH}))
process._rawDebug('came to its end')
process.stdout.write('', () => process.exit())
`
  )
  const child = spawn(node24(), ['--no-warnings', program], {
    env: { ...process.env, ...measured() },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  return { said: child.stdout, errors: text(child.stderr), ended: once(child, 'exit') }
}

test('A long line goes out whole to a runner that reads slowly', async () => {
  const { said, errors, ended } = startSaying()
  await wait(500)
  expect(await text(said)).toBe(`${'x'.repeat(LENGTH)}\n`)
  expect([await errors, await ended]).toEqual(['came to its end\n', [0, null]])
})

test('A runner that reads no more keeps nobody from the end of the work', async () => {
  const { said, errors, ended } = startSaying()
  said.destroy()
  expect([await errors, await ended]).toEqual(['came to its end\n', [0, null]])
})
