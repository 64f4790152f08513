// The linters of the field find nothing in the workflows, in the shell scripts, and in what the docs tell users to
// write.
import { afterAll, describe, expect, test } from '@jest/globals'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild, type ChildResult } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { pagesOfDocs, workflowsIn } from '../support/yaml-in-markdown.ts'

const root = join(import.meta.dirname, '../..')

function filesBelow(folder: string, ending: RegExp): string[] {
  if (!existsSync(join(root, folder))) return []
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => ending.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name))
    .sort()
}

const workflows = ['.github/workflows', 'test/workflows'].flatMap((place) =>
  filesBelow(place, /(?<!action)\.ya?ml$/)
)
const scripts = ['.ci/run', ...filesBelow('test', /\.sh$/)]
const pages = pagesOfDocs()
  .map(([page, text]) => [page, workflowsIn(text)] as const)
  .filter(([, found]) => found.length > 0)
const folder = mkdtempSync(join(tmpdir(), 'icr-login-workflows-'))

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function run(program: string, ...args: string[]): Promise<ChildResult> {
  const { PATH = '', HOME = '' } = process.env
  return runChild(needProgram(program), args, { cwd: root, env: { PATH, HOME, NO_COLOR: '1' } })
}

const actionlint = (...files: string[]): Promise<ChildResult> =>
  run('actionlint', '-no-color', '-shellcheck', needProgram('shellcheck'), ...files)

const zizmor = (...files: string[]): Promise<ChildResult> =>
  run('zizmor', '--offline', '--persona', 'pedantic', '--strict-collection', '--no-progress', ...files)

const noFinding = { exitCode: 0, stdout: '' }

/** A workflow with one of the faults that each linter is here for. */
const FAULTY = `
name: Faulty
on: [pull_request]
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: cat $UNQUOTED \${{ github.event.pull_request.title }} \${{ matrix.nothing }}
`

describe('workflows', () => {
  test('are there, and so are shell scripts', () => {
    expect(workflows).toContain(join('.github', 'workflows', 'ci.yml'))
    expect(scripts.length).toBeGreaterThanOrEqual(3)
  })

  test('actionlint finds nothing in any of them', async () => {
    expect(await actionlint(...workflows)).toMatchObject(noFinding)
  })

  test('zizmor finds nothing in them, in action.yml, in dependabot.yml, at its most pedantic', async () => {
    const result = await zizmor('action.yml', '.github/dependabot.yml', ...workflows)
    expect(result.stdout).toContain('No findings to report')
    expect(result.exitCode).toBe(0)
  })

  test('both would find something in a faulty one', async () => {
    const file = join(folder, 'faulty.yml')
    writeFileSync(file, FAULTY)
    const [syntax, safety] = await Promise.all([actionlint(file), zizmor(file)])
    expect(syntax.exitCode).toBe(1)
    expect(syntax.stdout).toMatch(/SC2086/)
    expect(syntax.stdout).toMatch(/untrusted/)
    expect(safety.exitCode).not.toBe(0)
    for (const audit of ['unpinned-uses', 'artipacked', 'excessive-permissions', 'template-injection'])
      expect(safety.stdout).toContain(audit)
  })
})

test.each(scripts)('shellcheck finds nothing in %s', async (script) => {
  expect(await run('shellcheck', script)).toMatchObject(noFinding)
})

test.each(pages)('actionlint finds nothing in the workflows that %s shows', async (page, shown) => {
  const place = join(folder, page.replaceAll('/', '-'))
  mkdirSync(place)
  const files = shown.map(({ line, workflow }) => {
    const file = join(place, `line-${line}.yml`)
    writeFileSync(file, workflow)
    return file
  })
  expect(await actionlint(...files)).toMatchObject(noFinding)
})
