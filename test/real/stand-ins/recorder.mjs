#!/usr/bin/env node
// Linked into a folder of the PATH under a program's name, it writes down how it was called. What the program does is
// left to the real one, NAME.real beside it; where there is none, and for `kubectl apply`, it stands in for a program
// that would need a cloud or a cluster.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const [, self, ...argv] = process.argv
const program = basename(self)
const real = argv[0] === 'apply' ? '' : `${self}.real`

const files = argv.filter((argument) => statSync(argument, { throwIfNoEntry: false })?.isFile())
const call = {
  program,
  argv,
  files: Object.fromEntries(files.map((file) => [file, readFileSync(file, 'utf8')])),
  env: process.env,
  input: argv.includes('--filename=-') ? readFileSync(0, 'utf8') : ''
}
appendFileSync(join(dirname(self), 'calls.jsonl'), `${JSON.stringify(call)}\n`, { mode: 0o600 })

if (existsSync(real)) process.exitCode = spawnSync(real, argv, { stdio: 'inherit' }).status ?? 1
