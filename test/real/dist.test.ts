// Whoever builds dist gets the very bytes that are committed: no folder and no Node shows in it.
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { runWell } from '../support/child.ts'
import { node24 } from '../support/node24-path.mjs'
import { needProgram } from '../support/programs.ts'

const root = join(import.meta.dirname, '../..')
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A tree with what a build needs. The packages are copied: a link would lead the paths in the bundle out of the tree. */
function copyTree(...below: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-dist-'))
  folders.push(folder)
  const copy = join(folder, ...below)
  mkdirSync(copy, { recursive: true })
  for (const name of ['.ci', 'src', 'node_modules', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (source) => !source.includes(`${sep}node_modules${sep}.cache`)
    })
  }
  return copy
}

/** Every file of dist with its text, after a build on that Node. */
async function build(tree: string, node: string): Promise<Record<string, string>> {
  await runWell(node, [join('.ci', 'build.mjs')], { cwd: tree, env: { PATH: process.env['PATH'] ?? '' } })
  const dist = join(tree, 'dist')
  const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => statSync(join(dist, name)).isFile())
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(dist, name), 'latin1')]))
}

describe('dist', () => {
  test('is byte for byte the same, built in two folders, on Node 20 and on Node 24', async () => {
    const nodes = [needProgram('node20'), node24()]
    const versions = await Promise.all(nodes.map((node) => runWell(node, ['--version'])))
    expect(versions.map((version) => version.split('.')[0])).toEqual(['v20', 'v24'])
    const trees = [copyTree('a'), copyTree('another name', 'and deeper')]
    const [first = {}, second = {}] = await Promise.all(
      trees.map((tree, i) => build(tree, nodes[i] ?? 'none'))
    )
    expect(Object.keys(second)).toEqual(Object.keys(first))
    expect(Object.keys(first).filter((name) => first[name] !== second[name])).toEqual([])
    for (const phase of ['main', 'post']) {
      expect(first[join(phase, 'index.js')]).toMatch(/\S/)
      expect(first[join(phase, 'licenses.txt')]).toMatch(/^@actions\/core\nMIT\n/m)
    }
  })
})
