// Preloaded into a step with --import: at the moment when the step says that it is logged in, config.json is copied to
// the file SAID.
import { copyFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const write = process.stdout.write.bind(process.stdout)
process.stdout.write = (data, ...rest) => {
  if (String(data).includes('Logged in to'))
    copyFileSync(join(homedir(), '.docker', 'config.json'), process.env.SAID)
  return write(data, ...rest)
}
