// Preloaded into a step with --import: another program that writes config.json without a lock, at the worst moment. Each
// time the step has renamed its new config.json into place, the text of before is written over it, OVERWRITE times.
import fs, { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

let left = Number(process.env.OVERWRITE)

const { renameSync } = fs
fs.renameSync = (from, to) => {
  if (!String(to).endsWith('/config.json') || left-- <= 0) return renameSync(from, to)
  const before = existsSync(to) ? readFileSync(to) : undefined
  renameSync(from, to)
  if (before === undefined) rmSync(to)
  else writeFileSync(to, before)
}
syncBuiltinESMExports()
