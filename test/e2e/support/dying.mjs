// Preloaded into a step with --import: ends the process, as an out-of-memory killer would, just before the n-th
// change that the step makes to the file system. DIE_AT says which; DIE_LOG gets a line for each.
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

let left = Number(process.env.DIE_AT)
let within = false

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
  for (const name of names) {
    const real = module[name]
    module[name] = (...given) => {
      // What such a call is made of counts as one with it, and to read is no change.
      if (within || (name.startsWith('open') && !/[wa]/.test(given[1]))) return real(...given)
      within = true
      try {
        step(`${name} ${given[0]}`)
        return real(...given)
      } finally {
        within = false
      }
    }
  }
}
syncBuiltinESMExports()
