// Draws which folder of src imports which into docs/architecture.md; with --check, fails where the page shows another.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import config from '../.dependency-cruiser.mjs'

const root = join(import.meta.dirname, '..')
process.chdir(root)
const page = join(root, 'docs', 'architecture.md')
const MARKERS = /(?<=<!-- graph: npm run architecture -->\n)[^]*(?=<!-- \/graph -->)/

/** The folder of a file, or the file itself where it lies in src. */
const partOf = (path) => path.replace(/^src\//, '').replace(/(\/.*|\.ts)$/, '')

/** Each part of src with the parts that its files import. */
async function readImports() {
  const { output } = await cruise(['src'], config.options)
  const imports = new Map()
  for (const { source, dependencies } of output.modules.filter(({ source }) => source.startsWith('src/'))) {
    const from = partOf(source)
    if (!imports.has(from)) imports.set(from, new Set())
    for (const { resolved } of dependencies) {
      const to = partOf(resolved)
      if (resolved.startsWith('src/') && to !== from) imports.get(from).add(to)
    }
  }
  return imports
}

/** An arrow is left out where other arrows lead to the same part. */
function drawGraph(imports) {
  const reaches = (from, to, seen = new Set([from])) =>
    [...imports.get(from)].some(
      (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next)))
    )
  const arrows = [...imports].flatMap(([from, all]) =>
    [...all]
      .filter((to) => ![...all].some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${from} --> ${to}`)
  )
  return ['', '```mermaid', 'graph TD', ...arrows.sort(), '```', '', ''].join('\n')
}

const before = readFileSync(page, 'utf8')
const after = before.replace(MARKERS, drawGraph(await readImports()))
if (!process.argv.includes('--check')) writeFileSync(page, after)
else if (after !== before) {
  console.error('docs/architecture.md shows other imports than src has. Run: npm run architecture')
  process.exitCode = 1
}
