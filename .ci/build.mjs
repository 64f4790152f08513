// Builds dist/main and dist/post with ncc. "sideEffects": false in package.json lets it leave out what only one of them uses.
import { Buffer } from 'node:buffer'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { minifySync } from '@swc/core'

const ncc = createRequire(import.meta.url)('@vercel/ncc')
const root = join(import.meta.dirname, '..')
// The ids of chunks come from paths below the working directory.
process.chdir(root)

// @actions/core and @actions/tool-cache import this client, and undici with it (460 kB, 45 to 55 ms at each start), for
// calls that the action never makes: core.getIDToken and tool-cache's downloadTool. A module of Node's takes its place.
const externals = { '@actions/http-client': 'path', '@actions/http-client/lib/auth': 'path' }

/** ncc minifies the entry, and not the chunks that it loads. */
const minifyChunk = (source) =>
  minifySync(source.toString(), { module: true, compress: true, mangle: true, format: { comments: false } })
    .code

/** ncc's own `license` option leaves out the packages that it merges into the scope of the entry, such as @actions/core. */
function formatLicenses(stats) {
  const all = { all: false, modules: true, nestedModules: true, modulesSpace: 1e6, nestedModulesSpace: 1e6 }
  const paths = JSON.stringify(stats.toJson(all)).matchAll(/node_modules\/((?:@[^/"]+\/)?[^/"]+)/g)
  return [...new Set([...paths].map(([, name]) => name))].sort().map(formatLicense).join('\n')
}

function formatLicense(name) {
  const directory = join(root, 'node_modules', name)
  const { license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const texts = readdirSync(directory).filter((file) => /^licen[cs]e/i.test(file))
  return [name, license, ...texts.map((file) => readFileSync(join(directory, file), 'utf8').trim()), ''].join(
    '\n'
  )
}

for (const phase of ['main', 'post']) {
  const out = join(root, 'dist', phase)
  const options = {
    cache: false,
    esm: true,
    minify: true,
    quiet: true,
    target: 'es2023',
    transpileOnly: true
  }
  const { code, assets, stats } = await ncc(join(root, 'src', `${phase}.ts`), { ...options, externals })
  const files = { 'index.js': code, 'licenses.txt': formatLicenses(stats) }
  for (const [name, { source }] of Object.entries(assets))
    files[name] = name.endsWith('.js') ? minifyChunk(source) : source
  rmSync(out, { recursive: true, force: true })
  for (const [name, text] of Object.entries(files)) {
    if (/UND_ERR|Client has already been disposed/.test(text))
      throw new Error(`${phase}/${name} holds @actions/http-client`)
    mkdirSync(dirname(join(out, name)), { recursive: true })
    writeFileSync(join(out, name), text)
    console.log(`dist/${phase}/${name}  ${Buffer.byteLength(text)} bytes`)
  }
}
