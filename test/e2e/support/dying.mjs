// Preloaded into a step with --import: ends the process, as an out-of-memory killer would, just before the n-th
// change that the step makes to the file system. DIE_AT says which; DIE_LOG gets a line for each.
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { watchCalls } from './watched-calls.ts'

let left = Number(process.env.DIE_AT)

/** Counts a change, or dies before it. */
function step(what) {
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  if (process.env.DIE_LOG) fs.appendFileSync(process.env.DIE_LOG, `${what}\n`)
}

const changes = ['mkdir', 'rename', 'rm', 'rmdir', 'writeFile', 'open', 'link', 'copyFile', 'symlink']
for (const [module, names] of [
  [fs, changes.map((name) => `${name}Sync`)],
  [promises, changes]
]) {
  watchCalls(module, names, (call, name, file) => {
    step(`${name} ${file}`)
    return call()
  })
}
syncBuiltinESMExports()
