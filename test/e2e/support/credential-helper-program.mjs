// What credential-helper.ts puts on the PATH as `docker-credential-NAME`: a store in a file, and a list of its calls.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [directory, verb] = process.argv.slice(2)
const store = join(directory, 'store.json')
const input = readFileSync(0, 'utf8').trim()
const held = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {}
const broken = join(directory, `broken-${verb}`)
const delay = join(directory, `delay-${verb}`)

appendFileSync(join(directory, 'calls.jsonl'), `${JSON.stringify({ verb, env: process.env })}\n`)

/** As every helper says it: on standard output, with the exit code 1. */
function fail(message) {
  process.stdout.write(`${message}\n`)
  process.exit(1)
}

if (existsSync(delay))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(readFileSync(delay, 'utf8')))
if (existsSync(broken)) fail(readFileSync(broken, 'utf8'))
if (verb === 'get') {
  if (!(input in held)) fail('credentials not found in native keychain')
  process.stdout.write(`${JSON.stringify({ ServerURL: input, ...held[input] })}\n`)
} else if (verb === 'store') {
  const { ServerURL, Username, Secret } = JSON.parse(input)
  writeFileSync(store, JSON.stringify({ ...held, [ServerURL]: { Username, Secret } }))
} else if (verb === 'erase') {
  delete held[input]
  writeFileSync(store, JSON.stringify(held))
} else if (verb === 'list') {
  const users = Object.entries(held).map(([address, { Username }]) => [address, Username])
  process.stdout.write(JSON.stringify(Object.fromEntries(users)))
} else fail(`Unknown command: ${verb}`)
