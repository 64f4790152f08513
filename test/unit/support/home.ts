// Folders that are gone after the test, and what lies in them.
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from '@jest/globals'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function makeFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'icr-login-unit-'))
  folders.push(folder)
  return folder
}

/** The permissions of a file or folder, such as `600`. */
export function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8)
}

/** Each file in a folder with its bytes, each link with where it leads; a folder is a `/`. */
export function listing(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name)
      const found = lstatSync(path)
      if (found.isDirectory()) return [name, '/']
      return [name, found.isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, 'latin1')]
    })
  )
}
