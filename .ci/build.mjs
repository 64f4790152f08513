// Builds dist/main and dist/post with ncc.
// The @actions packages are pure modules that do not say so: told "sideEffects": false, ncc leaves
// out what is not used, 1,046 kB of it (http-client and undici, for a helper of core's that we never call).
import { Buffer } from 'node:buffer'
import { readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const ncc = require('@vercel/ncc')
const { minify } = require('@swc/core')
const root = join(import.meta.dirname, '..')
const pure = ['@actions/core', '@actions/io', '@actions/exec', '@actions/http-client']

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

/** ncc minifies the entry alone, and leaves the chunks as they are. */
async function shrink(source) {
  const { code } = await minify(source, {
    module: true,
    compress: { passes: 2 },
    mangle: true,
    format: { comments: false }
  })
  return code
}

async function build(phase) {
  const out = join(root, 'dist', phase)
  const { code, assets } = await ncc(join(root, 'src', `${phase}.ts`), {
    cache: false,
    esm: true,
    minify: true,
    target: 'es2023',
    license: 'licenses.txt',
    quiet: true,
    transpileOnly: true
  })
  rmSync(out, { recursive: true, force: true })
  for (const [name, { source }] of Object.entries({ 'index.js': { source: code }, ...assets })) {
    const text = name.endsWith('.js') ? await shrink(String(source)) : String(source)
    mkdirSync(dirname(join(out, name)), { recursive: true })
    writeFileSync(join(out, name), text)
    console.log(`${join('dist', phase, name)}  ${Buffer.byteLength(text)} bytes`)
  }
}

await withoutSideEffects(async () => {
  await build('main')
  await build('post')
})
