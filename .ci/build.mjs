// Builds dist/main and dist/post with ncc.
// The @actions packages are pure modules that do not say so: told "sideEffects": false, ncc leaves
// out what is not used, 1,046 kB of it (http-client and undici, for a helper of core's that we never call).
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { bracket, watchUsualJob } from './eager.mjs'

const require = createRequire(import.meta.url)
const ncc = require('@vercel/ncc')
const { minify } = require('@swc/core')
const root = join(import.meta.dirname, '..')
const PHASES = ['main', 'post']
// The ids of chunks come from paths below the working directory.
process.chdir(root)
const pure = ['@actions/core', '@actions/io', '@actions/exec', '@actions/http-client', '@actions/tool-cache']

/** Runs `work` while every package in `pure` says that it has no side effects, and puts them back. */
async function withoutSideEffects(work) {
  const files = pure.map((name) => join(root, 'node_modules', name, 'package.json'))
  const before = files.map((file) => readFileSync(file, 'utf8'))
  try {
    files.forEach((file, i) =>
      writeFileSync(file, JSON.stringify({ ...JSON.parse(before[i]), sideEffects: false }))
    )
    await work()
  } finally {
    files.forEach((file, i) => writeFileSync(file, before[i]))
  }
}

/**
 * Has Node's own modules loaded where a run first uses them, not where they are imported: node:crypto alone takes as long
 * as a fifth of a bare Node, and most runs of an imported module use only some of what it imports.
 */
function loadLate(source) {
  const [line, require] = /import\s*\{\s*createRequire as (\w+)\s*\}\s*from\s*"module";?/.exec(source) ?? []
  if (line === undefined) return source
  const calls = new RegExp(`\\b${require}\\(import\\.meta\\.url\\)\\(("[\\w:/]+")\\)`, 'g')
  const late =
    'const loadLate = (name, module) => new Proxy({}, { get: (_, key) => (module ??= process.getBuiltinModule(name))[key] });'
  return source.replace(line, late).replace(calls, 'loadLate($1)')
}

/** ncc minifies the entry alone, and leaves the chunks as they are. */
async function shrink(source) {
  const { code } = await minify(loadLate(source), {
    module: true,
    compress: { passes: 2 },
    mangle: true,
    format: { comments: false }
  })
  return code
}

/** The license of every package in a bundle; ncc's own list leaves out those that it has put into one scope. */
function formatLicenses(stats) {
  const packages = new Set()
  const collect = (modules = []) => {
    for (const { name, modules: inner } of modules) {
      const found = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1]
      if (found) packages.add(found)
      collect(inner)
    }
  }
  collect(
    stats.toJson({
      all: false,
      modules: true,
      nestedModules: true,
      modulesSpace: 1e6,
      nestedModulesSpace: 1e6
    }).modules
  )
  return [...packages].sort().map(formatLicense).join('\n')
}

function formatLicense(name) {
  const folder = join(root, 'node_modules', name)
  const { license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  return `${name}\n${license}\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}\n`
}

async function build(phase) {
  const out = join(root, 'dist', phase)
  const { code, assets, stats } = await ncc(join(root, 'src', `${phase}.ts`), {
    cache: false,
    esm: true,
    minify: true,
    target: 'es2023',
    quiet: true,
    transpileOnly: true
  })
  rmSync(out, { recursive: true, force: true })
  const files = { 'index.js': { source: code }, ...assets, 'licenses.txt': { source: formatLicenses(stats) } }
  for (const [name, { source }] of Object.entries(files)) {
    const text = name.endsWith('.js') ? await shrink(String(source)) : String(source)
    mkdirSync(dirname(join(out, name)), { recursive: true })
    writeFileSync(join(out, name), text)
  }
}

/** Has V8 compile at once what a plain login runs. */
function compileAtOnce() {
  const findRan = watchUsualJob()
  for (const phase of PHASES) {
    const entry = join(root, 'dist', phase, 'index.js')
    writeFileSync(entry, bracket(readFileSync(entry, 'utf8'), findRan(entry)))
  }
}

await withoutSideEffects(async () => {
  for (const phase of PHASES) await build(phase)
})
compileAtOnce()
for (const name of readdirSync(join(root, 'dist'), { recursive: true }).sort()) {
  const file = statSync(join(root, 'dist', name))
  if (file.isFile()) console.log(`${join('dist', name)}  ${file.size} bytes`)
}
