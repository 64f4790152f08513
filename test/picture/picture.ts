// `npm run picture`: docs/summary.png, the summaries of a job as GitHub's page of a run shows them. The job is a real
// one: main and post of dist against the stand-in for IBM Cloud, under IBM's own names. Needs Chromium
// (`apt-get install chromium` on Debian).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OPERATOR_KEY, READER_ID, REPOSITORY } from '../cloud/default-world.ts'
import { startCloud } from '../cloud/cloud.ts'
import { needProgram } from '../support/programs.ts'
import { startJob } from '../support/runner.ts'

const SIZE = { width: 860, height: 584 }

// What GitHub's page does with a heading and a table, in its light colours.
const STYLE = `
  body { margin: 0; background: #f6f8fa; font: 14px/1.5 'Liberation Sans', sans-serif; color: #1f2328 }
  section { margin: 16px; border: 1px solid #d1d9e0; border-radius: 6px; background: #fff }
  header { padding: 12px 16px; border-bottom: 1px solid #d1d9e0; font-weight: 600 }
  article { padding: 16px }
  h3 { margin: 0 0 16px; font-size: 17.5px }
  table { border-collapse: collapse; margin: 0 }
  th, td { border: 1px solid #d1d9e0; padding: 6px 13px; text-align: left }
  tr:nth-child(2n) { background: #f6f8fa }
  code { padding: 2.8px 5.6px; border-radius: 6px; background: #818b981f; font: 12px 'Liberation Mono', monospace }
`

/** The summaries that main and post of one job wrote, with a hosted runner's home for the temporary one. */
async function writeSummaries(folder: string): Promise<string[]> {
  const cloud = await startCloud()
  const { url, caPem } = await cloud.startProxy()
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, caPem)
  const job = await startJob({ env: { HTTPS_PROXY: url, NODE_EXTRA_CA_CERTS: ca } })
  try {
    const main = await job.main({
      'api-key': OPERATOR_KEY,
      region: 'us-south',
      mint: 'api-key',
      'service-id': READER_ID,
      lifetime: '15m',
      repositories: REPOSITORY
    })
    const post = await job.post()
    const problems = [...main.errors, ...main.warnings, ...post.warnings]
    if (problems.length > 0) throw new Error(problems.join('\n'))
    return [main.summary, post.summary].map((html) => html.replaceAll(job.home, '/home/runner'))
  } finally {
    job.close()
    await cloud.close()
  }
}

function formatPage(summaries: readonly string[]): string {
  const articles = summaries.map((html) => `<article>${html}</article>`).join('')
  return `<!DOCTYPE html><meta charset="utf-8"><style>${STYLE}</style>
    <section><header>pull-and-test summary</header>${articles}</section>`
}

/** Nothing is looked up: the page is a file, and Chromium's own errands are switched off. */
function takePicture(page: string, picture: string, profile: string): void {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const first = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars']
  execFileSync(
    needProgram('chromium'),
    [
      ...[...first, ...quiet, '--force-device-scale-factor=2', `--user-data-dir=${profile}`],
      ...[`--window-size=${SIZE.width},${SIZE.height}`, `--screenshot=${picture}`, pathToFileURL(page).href]
    ],
    { stdio: 'ignore', timeout: 60_000 }
  )
}

const folder = mkdtempSync(join(tmpdir(), 'icr-login-picture-'))
try {
  const page = join(folder, 'page.html')
  writeFileSync(page, formatPage(await writeSummaries(folder)))
  const picture = join(import.meta.dirname, '..', '..', 'docs', 'summary.png')
  takePicture(page, picture, join(folder, 'profile'))
  console.log(`Wrote ${picture}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
