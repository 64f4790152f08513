// Preloaded into a step with --import: at the moment when the step says that it is logged in, config.json is copied to
// the file SAID.
import fs, { copyFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

const { writeSync } = fs
fs.writeSync = (file, data, ...rest) => {
  if (file === 1 && String(data).includes('Logged in to'))
    copyFileSync(join(homedir(), '.docker', 'config.json'), process.env.SAID)
  return writeSync(file, data, ...rest)
}
syncBuiltinESMExports()
