import { constants, existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { access, stat } from '../files.ts'

/**
 * The path of a program on the PATH; undefined where there is none. What lies in the working directory is not looked at.
 * Written here because @actions/io loads node:assert and node:fs/promises to look (docs/performance.md).
 */
export async function findProgram(name: string): Promise<string | undefined> {
  const endings = process.platform === 'win32' ? (process.env['PATHEXT'] ?? '.EXE').split(delimiter) : ['']
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(directory)) continue
    for (const file of endings.map((ending) => join(directory, name + ending)))
      if (await isProgram(file)) return file
  }
  return undefined
}

async function isProgram(file: string): Promise<boolean> {
  try {
    if (!existsSync(file) || !(await stat(file)).isFile()) return false
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
