// How much of src the tests run, by line and by branch: the unit tests, and the e2e tests with src as it stands in
// place of dist. Needs Node 24. Ends badly where a test fails, or where they run less than FLOOR.
// `npm run coverage -- ledger hosts` runs only the files with these words in their names, and holds them to no floor.
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CoverageReport } from 'monocart-coverage-reports'

/** Per cent of the lines, and of the branches. */
const FLOOR = 97

const root = resolve(import.meta.dirname, '../..')
const words = process.argv.slice(2)
const folder = join(root, 'coverage', 'raw')

/** What Node makes of src, by its path: blanks stand for the types, so that all else is in its place. */
const sources = new Map(
  globSync('src/**/*.ts', { cwd: root }).map((name) => [
    join(root, name),
    stripTypeScriptTypes(readFileSync(join(root, name), 'utf8'))
  ])
)

/** An action that runs src. Its types are taken out once for all: that takes longer than most of the runs. */
function writeAction() {
  rmSync(folder, { recursive: true, force: true })
  for (const [path, source] of sources) {
    const copy = join(folder, relative(root, path).replace(/\.ts$/, '.js'))
    mkdirSync(dirname(copy), { recursive: true })
    writeFileSync(copy, source.replace(/((?:from|import\() ?'\.[^']*)\.ts'/g, "$1.js'"))
  }
  const action = readFileSync(join(root, 'action.yml'), 'utf8')
  writeFileSync(
    join(folder, 'action.yml'),
    action.replace(/dist\/(main|post)\/index\.js/g, '../../test/coverage/$1.mjs')
  )
}

function runTests(kind, env, ...options) {
  const jest = ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules/jest/bin/jest.js')]
  const files = words.length === 0 ? `test/${kind}/` : `test/${kind}/.*(?:${words.join('|')}).*\\.test`
  const { status } = spawnSync(
    process.execPath,
    [...jest, files, '--silent', '--passWithNoTests', ...options],
    { cwd: root, env: { ...process.env, ICR_LOGIN_COVERAGE: folder, ...env }, stdio: 'inherit' }
  )
  if (status === 0) return
  console.log(`Tests of test/${kind} failed, so the figures may be too low.`)
  process.exitCode = 1
}

/** What one process covered of src, or of its copy; jest names its modules by their paths, Node by their URLs. */
function readEntries(file) {
  const { result } = JSON.parse(readFileSync(file, 'utf8'))
  return result.flatMap((entry) => {
    const path = entry.url
      .replace(/^file:\/\//, '')
      .replace(join(folder, 'src'), join(root, 'src'))
      .replace(/\.js$/, '.ts')
    const source = sources.get(path)
    return source === undefined ? [] : [{ ...entry, url: pathToFileURL(path).href, source }]
  })
}

writeAction()
// In one process: jest ends those that it starts before they have written down what they covered.
runTests('unit', { NODE_V8_COVERAGE: folder }, '--config=test/coverage/jest.config.js', '--runInBand')
// package.test.ts is about dist.
runTests('e2e', {}, '--testPathIgnorePatterns=package.test')

const report = new CoverageReport({
  logging: 'error',
  baseDir: root,
  outputDir: join(root, 'coverage', 'report'),
  reports: [['console-details', { metrics: ['lines', 'branches'] }], 'lcovonly', 'v8'],
  sourcePath: (path) => path.replace(/^.*\bsrc\//, 'src/')
})
// A file that no test loads is not covered at all.
for (const [path, source] of sources) {
  await report.add([{ url: pathToFileURL(path).href, source, empty: true }])
}
for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
  const entries = readEntries(join(folder, name))
  if (entries.length > 0) await report.add(entries)
}
const { files, summary } = await report.generate()
// Two gigabytes.
rmSync(folder, { recursive: true })

console.log('Branches that were never taken (+), or always (-):')
for (const { sourcePath, source, data } of files) {
  for (const { start, end, none } of data.branches.filter(({ count }) => count === 0)) {
    const line = source.slice(0, start).split('\n').length
    console.log(
      `${none ? '-' : '+'} ${sourcePath}:${line} ${source.slice(start, end).split('\n')[0].slice(0, 80)}`
    )
  }
}

const low = ['lines', 'branches'].filter((metric) => summary[metric].pct < FLOOR)
if (words.length === 0 && low.length > 0) {
  console.log(`Less than ${FLOOR} % of the ${low.join(' and of the ')} of src is covered.`)
  process.exitCode = 1
}
