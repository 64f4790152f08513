import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const modules = new URL('../node24/node_modules/', import.meta.url)

/**
 * The path of a Node 24 binary: the one that runs this, or the one that `npm ci` put under test/node24.
 * Throws where neither is there.
 * @returns {string}
 */
export function node24() {
  if (process.versions.node.startsWith('24.')) return process.execPath
  const packages = existsSync(modules) ? readdirSync(modules).filter((name) => name.startsWith('node-')) : []
  for (const name of packages) {
    const binary = new URL(join(name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'), modules)
    if (existsSync(binary)) return binary.pathname
  }
  throw new Error('No Node 24 for this platform under test/node24: run `npm ci`, or use Node 24 itself.')
}
