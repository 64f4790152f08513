// A program is run to its end, which always comes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { killChildren, run, type Finished } from '../../../src/docker/run.ts'
import { makeFolder } from '../support/home.ts'
import { userError } from '../support/throwing.ts'

const node = async (script: string, input = '', timeoutMs = 20_000): Promise<Finished> =>
  await run(process.execPath, ['-e', script], { input, env: { ONLY: 'this' }, timeoutMs })

/** A zombie has ended. */
const isRunning = (pid: string): boolean =>
  existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')

const shell = async (script: string, timeoutMs = 20_000): Promise<Finished> =>
  await run('/bin/sh', ['-c', script], { input: '', env: { PATH: '/usr/bin:/bin' }, timeoutMs })

test('it is given its input and its environment, and nothing else', async () => {
  const finished = await node(
    'process.stdin.on("data", (d) => process.stdout.write(d)); console.error(JSON.stringify(process.env))',
    'a secret\nÜ'
  )
  expect(finished).toEqual({ code: 0, signal: undefined, stdout: 'a secret\nÜ', stderr: '{"ONLY":"this"}\n' })
})

test.each([0, 1, 7, 255])('its exit code %i is told', async (code) => {
  expect(await node(`process.exit(${code})`)).toMatchObject({ code, signal: undefined })
})

test('a signal that ended it is told', async () => {
  expect(await node('process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 60000)')).toMatchObject({
    code: undefined,
    signal: 'SIGTERM'
  })
})

test('one that does not read its input is no error', async () => {
  const finished = await node('process.exit(3)', 'x'.repeat(5_000_000))
  expect(finished.code).toBe(3)
})

test('one that closes its input and goes on is no error', async () => {
  const script = 'process.stdin.destroy(); setTimeout(() => console.log("went on"), 100)'
  expect(await node(script, 'x'.repeat(5_000_000))).toMatchObject({ code: 0, stdout: 'went on\n' })
})

test('one that says very much is read to its end, and the start is kept', async () => {
  const { code, stdout } = await node('process.stdout.write("y".repeat(3000000), () => process.exit(5))')
  expect(code).toBe(5)
  expect(stdout.length).toBeGreaterThanOrEqual(64 * 1024)
  expect(stdout.length).toBeLessThan(256 * 1024)
})

test.each([
  ['is not there', (file: string) => file + '-not'],
  ['is not executable', (file: string) => file]
])('a program that %s is an error that says so', async (_, place) => {
  const file = join(makeFolder(), 'a "program" here')
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o600 })
  const message = await userError(run(place(file), [], { input: '', env: {}, timeoutMs: 1000 }))
  expect(message).toMatch(/^\S.*program.* can't be started: (?:Unable to locate executable file|spawn ).*\n/u)
})

test('a path with blanks and quotes is one program', async () => {
  const file = join(makeFolder(), 'a "program" here')
  writeFileSync(file, '#!/bin/sh\necho "$1"\n', { mode: 0o700 })
  const finished = await run(file, ['an "argument"'], { input: '', env: { PATH: '/bin' }, timeoutMs: 10_000 })
  expect(finished).toMatchObject({ code: 0, stdout: 'an "argument"\n' })
})

describe('the end of its time', () => {
  test('kills it', async () => {
    expect(await node('setInterval(() => {}, 1000)', '', 300)).toMatchObject({
      code: undefined,
      signal: 'SIGKILL'
    })
  })

  test('kills one that does not want to end', async () => {
    const script =
      'for (const s of ["SIGTERM","SIGINT","SIGHUP"]) process.on(s, () => {}); setInterval(() => {}, 1000)'
    expect(await node(script, '', 500)).toMatchObject({ signal: 'SIGKILL' })
  })

  test('comes too where a child of its own holds the output open', async () => {
    expect(await shell('sleep 25 & sleep 25', 300)).toMatchObject({ signal: 'SIGKILL' })
  })

  test('ends what it has started too, and what that has started', async () => {
    const file = join(makeFolder(), 'pids')
    const script = `(sleep 25 & echo $! >> ${file}; sleep 25) & echo $! >> ${file}; sleep 25`
    await shell(script, 700)
    await wait(100)
    const pids = readFileSync(file, 'utf8').trim().split('\n')
    expect(pids).toHaveLength(2)
    for (const pid of pids) expect(isRunning(pid)).toBe(false)
  })

  test('may be there from the start', async () => {
    expect(await node('setInterval(() => {}, 1000)', '', 0)).toMatchObject({ signal: 'SIGKILL' })
  })
})

test('one that leaves a child behind, with the output open, is not waited for longer than it lives', async () => {
  const finished = await shell('echo said; sleep 40 & exit 4', 600_000)
  expect(finished).toMatchObject({ code: 4, stdout: 'said\n' })
})

test('when the step is ended, all that still run are ended', async () => {
  const files = [join(makeFolder(), 'started'), join(makeFolder(), 'started')]
  const both = files.map((file) => shell(`touch ${file}; sleep 15`, 600_000))
  while (!files.every((file) => existsSync(file))) await wait(10)
  killChildren()
  for (const finished of await Promise.all(both)) expect(finished.signal).toBe('SIGKILL')
  killChildren()
})
