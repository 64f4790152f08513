// Reads a config.json again and again, about once a millisecond, as clients do while jobs log in. Ended by SIGTERM, it
// says how often it read, how often there was no file, how many texts it saw, and those that no client could read.
import { readFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
const texts = new Set()
const seen = { reads: 0, absent: 0, invalid: [] }

function isConfig(text) {
  try {
    const content = JSON.parse(text)
    return typeof content === 'object' && content !== null && typeof (content.auths ?? {}) === 'object'
  } catch {
    return false
  }
}

function read() {
  seen.reads += 1
  try {
    const text = readFileSync(file, 'utf8')
    if (!isConfig(text)) seen.invalid.push(text)
    texts.add(text)
  } catch (error) {
    if (error.code === 'ENOENT') seen.absent += 1
    else seen.invalid.push(error.message)
  }
}

const timer = globalThis.setInterval(read, 1)
process.on('SIGTERM', () => {
  globalThis.clearInterval(timer)
  process.stdout.write(JSON.stringify({ ...seen, texts: texts.size }))
})
