// Preloaded into a step with --import: ends the process, as an out-of-memory killer would, just before the n-th
// change that the step makes to the file system. DIE_AT says which; DIE_LOG gets a line for each.
import { appendFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

let left = Number(process.env.DIE_AT)

/** Counts a change, or dies before it. */
function step(what) {
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  if (process.env.DIE_LOG) appendFileSync(process.env.DIE_LOG, `${what}\n`)
}

function watchHandle(handle, file) {
  const writeFile = handle.writeFile.bind(handle)
  handle.writeFile = (...given) => {
    step(`write ${file}`)
    return writeFile(...given)
  }
  return handle
}

for (const name of ['mkdir', 'rename', 'rm', 'rmdir', 'writeFile', 'chown']) {
  const real = promises[name]
  promises[name] = (file, ...rest) => {
    step(`${name} ${file}`)
    return real(file, ...rest)
  }
}
const { open } = promises
promises.open = async (file, ...rest) => {
  step(`open ${file}`)
  return watchHandle(await open(file, ...rest), file)
}
syncBuiltinESMExports()
