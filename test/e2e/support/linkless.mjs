// Preloaded into a step with --import: a file system that has no hard links, as some that are mounted from elsewhere.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

fs.linkSync = (from, to) => {
  throw Object.assign(new Error(`EPERM: operation not permitted, link '${from}' -> '${to}'`), {
    code: 'EPERM'
  })
}
syncBuiltinESMExports()
