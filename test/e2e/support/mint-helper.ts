// A docker-credential program that keeps what it is given in a file of its own.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface PasswordHelper {
  /** As config.json names it. */
  readonly name: string
  /** Goes on the PATH. */
  readonly directory: string
  /** What it holds for a host. */
  read(host: string): { Username: string; Secret: string } | undefined
}

const PROGRAM = `
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const file = __dirname + '/held.json'
const held = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
const input = readFileSync(0, 'utf8')
const verb = process.argv[2]
if (verb === 'store') {
  const { ServerURL, Username, Secret } = JSON.parse(input)
  held[ServerURL] = { Username, Secret }
}
if (verb === 'erase') delete held[input.trim()]
if (verb === 'get') {
  const found = held[input.trim()]
  if (found) console.log(JSON.stringify(found))
  else {
    console.log('credentials not found in native keychain')
    process.exitCode = 1
  }
}
if (verb !== 'get') writeFileSync(file, JSON.stringify(held))
`

/** Makes one in a folder that is the test's own. */
export function makePasswordHelper(directory: string): PasswordHelper {
  const program = join(directory, 'docker-credential-shelf')
  const file = join(directory, 'held.json')
  writeFileSync(program, `#!${process.execPath}\n${PROGRAM}`)
  chmodSync(program, 0o755)
  return {
    name: 'shelf',
    directory,
    read: (host) => {
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '{}'
      return (JSON.parse(text) as Record<string, { Username: string; Secret: string }>)[host]
    }
  }
}
