// The YAML that the docs show, made into whole workflows.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'

const root = join(import.meta.dirname, '../..')

export interface Snippet {
  /** Where its fence stands in the page, from 1. */
  line: number
  code: string
}

/** Each page that users read, with its text. */
export function pagesOfDocs(): [page: string, text: string][] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs.map((name) => `docs/${name}`)]
  return pages.map((page) => [page, readFileSync(join(root, page), 'utf8')])
}

/** The fenced blocks of a language, without their indentation. */
export function fencedCode(text: string, language: string): Snippet[] {
  const fences = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, 'gm'))
  return [...fences].map(({ index, 1: indent = '', 2: code = '' }) => ({
    line: text.slice(0, index).split('\n').length,
    code: code.replace(new RegExp(`^${indent}`, 'gm'), '')
  }))
}

interface Workflow {
  jobs: Record<string, object>
}

const isWorkflow = (part: unknown): part is Workflow =>
  typeof part === 'object' && part !== null && 'jobs' in part

function wholeWorkflow(part: unknown): Workflow | undefined {
  const head = { name: 'Snippet', on: 'push' }
  if (Array.isArray(part)) return { ...head, jobs: { job: wholeJob({ steps: part as unknown[] }) } }
  if (!isWorkflow(part)) return undefined
  const jobs = Object.entries(part.jobs).map(([name, job]) => [name, wholeJob(job)] as const)
  return { ...head, ...part, jobs: Object.fromEntries(jobs) }
}

const wholeJob = (part: object): object => ({ 'runs-on': 'ubuntu-latest', steps: [{ run: 'true' }], ...part })

/**
 * The workflows that a page shows: whole ones, jobs, or steps, with what they lack around them. Other YAML, such as a
 * lone `if:`, is left out.
 */
export function workflowsIn(text: string): { line: number; workflow: string }[] {
  return fencedCode(text, 'yaml').flatMap(({ line, code }) => {
    const workflow = wholeWorkflow(parse(code))
    return workflow === undefined ? [] : [{ line, workflow: stringify(workflow, { lineWidth: 0 }) }]
  })
}
