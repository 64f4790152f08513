// What a runner downloads for `uses:`: the repository as `git archive` packs it, here with all that lies in the work
// tree, committed or not.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runWell } from './child.ts'
import { needProgram } from './programs.ts'

const root = join(import.meta.dirname, '../..')

/**
 * Packs the work tree, and unpacks it where it is asked for.
 * @param target a folder that is made, for what the runner would have of the action
 * @returns bytes of the packed download
 */
export async function download(target: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-download-'))
  try {
    const tar = join(folder, 'action.tar')
    await pack(folder, tar)
    mkdirSync(target, { recursive: true })
    await runWell(needProgram('tar'), ['-xf', tar, '-C', target])
    return gzipSync(readFileSync(tar)).length
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** With an index and a store of objects of its own: the repository is left as it is. */
async function pack(folder: string, tar: string): Promise<void> {
  const objects = (await git(['rev-parse', '--path-format=absolute', '--git-path', 'objects'])).trim()
  const own = {
    GIT_INDEX_FILE: join(folder, 'index'),
    GIT_OBJECT_DIRECTORY: join(folder, 'objects'),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: objects
  }
  mkdirSync(own.GIT_OBJECT_DIRECTORY)
  await git(['add', '--all'], own)
  const tree = (await git(['write-tree'], own)).trim()
  await git(['archive', '--format=tar', `--output=${tar}`, tree], own)
}

async function git(args: string[], env: Record<string, string> = {}): Promise<string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || name.startsWith('GIT_') ? [] : [[name, value] as const]
  )
  return await runWell(needProgram('git'), args, {
    cwd: root,
    env: { ...Object.fromEntries(inherited), ...env }
  })
}
