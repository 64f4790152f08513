// `node .ci/release-notes.mjs v1.2.3`: prints what CHANGELOG.md says of that version, for its release. Fails where the
// version is not package.json's, or the changelog has no dated section for it.
import { readFileSync } from 'node:fs'

const [tag = ''] = process.argv.slice(2)
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m)
const section = sections.find((text) => text.startsWith(`[${version}] - `))

function fail(what) {
  console.error(what)
  process.exit(1)
}

if (tag !== `v${version}`) fail(`The tag is ${tag}, and package.json says ${version}.`)
if (section === undefined) fail(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD".`)

const [heading = '', ...lines] = section.split('\n')
if (!/ - \d{4}-\d\d-\d\d$/.test(heading)) fail(`CHANGELOG.md: "## ${heading}" has no date.`)
const notes = lines.filter((line) => !/^\[[^\]]+\]: /.test(line)).join('\n')
console.log(notes.trim())
