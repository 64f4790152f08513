// The project's own workflows, run by act as far as that goes without the internet: other people's actions, npm's
// registry, GitHub and the long scripts have stand-ins (test/real/stand-ins); each `run:` and what hangs on it is real.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { commitAll, linkPrograms, runAct, type ActOptions, type ActResult } from './act.ts'

const root = join(import.meta.dirname, '../..')
const standIns = join(import.meta.dirname, 'stand-ins')
const programs = ['basename', 'bash', 'cp', 'git', 'gzip', 'jq', 'sh', 'sha256sum', 'tar', 'xargs']
const files = ['.ci', '.gitattributes', '.github', '.gitignore', 'LICENSE', 'README.md', 'action.yml', 'dist']

let place: string
let repository: string
let path: string

beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'icr-login-act-ci-')))
  path = linkPrograms(join(place, 'bin'), programs)
  repository = join(place, 'repository')
  for (const name of [...files, 'package.json', 'src', 'tsconfig.json'])
    cpSync(join(root, name), join(repository, name), { recursive: true })
})

afterEach(() => {
  rmSync(place, { recursive: true, force: true })
})

function put(file: string, text: string): void {
  mkdirSync(dirname(join(repository, file)), { recursive: true })
  writeFileSync(join(repository, file), text)
}

/** Puts what is committed in the place of what lies in the work tree: src that is not built yet is no fault. */
async function takeCommitted(): Promise<void> {
  // All of the environment: under sudo, git asks it whose repository root may read.
  const env = { ...(process.env as Record<string, string>), GIT_INDEX_FILE: join(place, 'index') }
  for (const args of [
    ['read-tree', 'HEAD'],
    ['checkout-index', '--all', '--force', `--prefix=${repository}/`]
  ])
    await runWell(needProgram('git'), args, { cwd: root, env })
}

function standIn(program: string, name: string): void {
  symlinkSync(join(standIns, program), join(path, name))
}

interface Workflow {
  jobs: Record<
    string,
    { 'runs-on': string; strategy?: { matrix?: { os?: string[] } }; steps: { uses?: string }[] }
  >
}

const readWorkflow = (name: string): Workflow =>
  parse(readFileSync(join(root, '.github', 'workflows', name), 'utf8')) as Workflow

/** Every action that a workflow uses, as a stand-in; act replaces actions/checkout itself. */
function standInActions({ jobs }: Workflow): Record<string, string> {
  const uses = Object.values(jobs).flatMap(({ steps }) => steps.flatMap((step) => step.uses ?? []))
  return Object.fromEntries(uses.map((action) => [action, join(standIns, 'action')]))
}

/** All are needed: which one of a matrix act asks for is a matter of chance. */
const platformsOf = ({ jobs }: Workflow): string[] =>
  Object.values(jobs).flatMap((job) => [job['runs-on'], ...(job.strategy?.matrix?.os ?? [])])

async function run(name: string, options: Partial<ActOptions> = {}): Promise<ActResult> {
  if (!existsSync(join(repository, '.git'))) await commitAll(repository, place)
  const workflow = readWorkflow(name)
  return await runAct({
    workflow: name,
    repository,
    place,
    repositories: standInActions(workflow),
    platforms: platformsOf(workflow),
    ...options,
    env: {
      PATH: path,
      HOME: place,
      // Whoever asks for something from outside all the same finds nobody.
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
      ICR_LOGIN_ARTIFACTS: join(place, 'artifacts'),
      ICR_LOGIN_CALLS: join(place, 'calls'),
      ...options.env
    }
  })
}

/** How the stand-ins for programs were called. */
const calls = (): string[] => readFileSync(join(place, 'calls'), 'utf8').trimEnd().split('\n')

function expectEnd({ exitCode, log }: ActResult, wanted: number): void {
  if (exitCode !== wanted) throw new Error(`act ended with exit code ${exitCode ?? 'none'}\n${log}`)
}

describe('CI', () => {
  beforeEach(() => {
    put('test/real/setup.sh', 'exec setup')
  })

  const runCi = async (fails = ''): Promise<ActResult> => {
    for (const name of ['npm', 'setup']) standIn('program.sh', name)
    return await run('ci.yml', { env: { ICR_LOGIN_FAILS: fails } })
  }

  test('calls only what package.json has, and comes to its conclusion', async () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const result = await runCi()
    expectEnd(result, 0)
    expect(result.log).toMatch(/\[CI\/Conclusion.*Job succeeded/u)
    const called = calls().flatMap((call) => /^npm (?:run )?(?!ci$)([\w:]+)/u.exec(call)?.[1] ?? [])
    expect(called.length).toBeGreaterThan(10)
    for (const script of called) expect(Object.keys(scripts)).toContain(script)
  })

  test.each(['npm run lint', 'npm run test:all -- test/e2e'])(
    'is red as a whole where `%s` fails',
    async (call) => {
      const result = await runCi(call)
      expectEnd(result, 1)
      expect(result.log).toMatch(/\[CI\/Conclusion.*Job failed/u)
    }
  )

  test('builds dist, and is content with what is committed', async () => {
    await takeCommitted()
    standIn('npm.sh', 'npm')
    const env = { ICR_LOGIN_NPM: needProgram('npm'), ICR_LOGIN_PACKAGES: join(root, 'node_modules') }
    const result = await run('ci.yml', { job: 'dist', env })
    expectEnd(result, 0)
    expect(result.log).toMatch(/\| dist\/main\/index\.js +\d{5,6} bytes/u)
  })

  test('is red where the build comes to another dist', async () => {
    standIn('npm-that-builds-another.sh', 'npm')
    const result = await run('ci.yml', { job: 'dist' })
    expectEnd(result, 1)
    expect(result.log).toMatch(/\| +dist\/main\/more\.index\.js /u)
    expect(result.log).toMatch(/Failure - Main git add .* dist/u)
  })
})

describe('a release', () => {
  const event = { name: 'push', payload: { ref: 'refs/tags/v9.8.7' } }

  beforeEach(() => {
    for (const name of ['npm', 'gh', 'ci-run']) standIn('program.sh', name)
    put('.ci/run', 'exec ci-run')
    put('package.json', '{ "version": "9.8.7" }')
    put('CHANGELOG.md', '# Changelog\n\n## [9.8.7] - 2026-01-02\n\n- All of it.\n')
  })

  const github = (): string[] => calls().filter((call) => call.startsWith('gh '))

  test('is a draft with all its files before it is public; then the major tag moves', async () => {
    expectEnd(await run('release.yml', { event }), 0)
    const [create = '', edit, tag] = github()
    expect(create).toMatch(
      /^gh release create v9\.8\.7 .*--draft .* release\/SHA256SUMS release\/icr-login-v9\.8\.7\.tar\.gz$/u
    )
    expect(edit).toBe('gh release edit v9.8.7 --draft=false')
    expect(tag).toMatch(
      /^gh api --method PATCH repos\/my-org\/app\/git\/refs\/tags\/v9 -f sha=[0-9a-f]{40} /u
    )
  })

  test('holds what a runner runs, with sums that are right', async () => {
    expectEnd(await run('release.yml', { event }), 0)
    const folder = join(place, 'artifacts', 'release')
    await runWell(needProgram('tar'), ['-xf', 'icr-login-v9.8.7.tar.gz', '--strip-components=1'], {
      cwd: folder
    })
    const checked = await runWell(needProgram('sha256sum'), ['--check', '--strict', 'SHA256SUMS'], {
      cwd: folder
    })
    const names = ['action.yml', 'dist/main/index.js', 'dist/post/index.js', 'icr-login-v9.8.7.tar.gz']
    for (const name of names) expect(checked).toContain(`${name}: OK\n`)
    expect(existsSync(join(folder, 'LICENSE'))).toBe(true)
  })

  test('is not made where something does not hold', async () => {
    expectEnd(await run('release.yml', { event, env: { ICR_LOGIN_FAILS: 'ci-run ' } }), 1)
    expect(github()).toEqual([])
  })

  test('is not made of a commit that is not on main', async () => {
    await commitAll(repository, place)
    const git = (...args: string[]): Promise<string> =>
      runWell(needProgram('git'), ['-c', 'user.name=Test', '-c', 'user.email=test@example.test', ...args], {
        cwd: repository
      })
    const other = await git('commit-tree', 'HEAD^{tree}', '-m', 'Other')
    await git('update-ref', 'refs/remotes/origin/main', other.trim())
    const result = await run('release.yml', { event })
    expectEnd(result, 1)
    expect(result.log).toContain('Failure - Main The tag lies on main')
  })

  test('is not made of a version that the changelog does not have', async () => {
    put('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\n- All of it.\n')
    const result = await run('release.yml', { event })
    expectEnd(result, 1)
    expect(result.log).toContain('CHANGELOG.md has no section')
  })
})
