// The README, the docs and the forms say what is so: inputs, outputs, regions, links, and the YAML to copy.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { SECRET_KINDS } from '../../src/credential/credential.ts'
import { METHODS } from '../../src/mint/methods.ts'
import { REGIONS } from '../../src/registry/regions.ts'
import { runChild, type ChildResult } from '../support/child.ts'
import { readManifest, readTypings, type Declared, type Typing } from '../support/manifests.ts'
import { tableWithHead } from '../support/table-in-markdown.ts'
import { pagesOfDocs, workflowsIn } from '../support/yaml-in-markdown.ts'

const root = join(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
const manifest = readManifest()
const typings = readTypings()
const pages = pagesOfDocs()
const readme = read('README.md')

const tableUnder = (heading: string): string[][] => tableWithHead(readme, heading).slice(1)

describe('the README', () => {
  test('has a row for each input of action.yml, with its default, and no other', () => {
    const rows = tableUnder('Inputs').map(([name = '', preset]) => [name, preset] as const)
    const declared = Object.entries(manifest.inputs).map(
      ([name, input]) => [name, input.default ?? ''] as const
    )
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(declared))
    expect(rows).toHaveLength(declared.length)
  })

  test('has a row for each output of action.yml, and no other', () => {
    const names = tableUnder('Outputs').map(([name]) => name)
    expect(names).toEqual(Object.keys(manifest.outputs))
  })

  test('has a row for each region of the table in src', () => {
    expect(tableUnder('Regions')).toEqual(
      REGIONS.map(({ name, formerly = '', host, legacy = '' }) => [
        name,
        formerly,
        host,
        `private.${host}`,
        legacy
      ])
    )
  })

  test('has a row for each way to mint', () => {
    expect(tableUnder('A short-lived credential').map(([name]) => name)).toEqual(Object.keys(METHODS))
  })
})

test('docs/troubleshooting.md names the regions with a legacy host', () => {
  const names = REGIONS.filter(({ legacy }) => legacy !== undefined).map(({ name }) => `\`${name}\``)
  const listed = `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
  expect(read('docs/troubleshooting.md').replaceAll(/\s+/g, ' ')).toContain(`Only ${listed} have one.`)
})

test('docs/migrate.md has today’s host and region for each host of before 2019', () => {
  for (const { name, host, legacy } of REGIONS) {
    if (legacy === undefined) continue
    const row = new RegExp(`^\\| \`${legacy}\` +\\| \`${host}\` +\\| \`${name}\` +\\|$`, 'm')
    expect(read('docs/migrate.md')).toMatch(row)
  }
})

interface Step {
  id?: string
  uses?: string
  with?: Record<string, unknown>
}

interface Workflow {
  jobs: Record<string, { steps: Step[] }>
}

const steps = pages.flatMap(([page, text]) =>
  workflowsIn(text).flatMap(({ line, workflow }) =>
    Object.values((parse(workflow) as Workflow).jobs).flatMap((job) =>
      job.steps
        .filter(({ uses }) => uses?.startsWith('icr-login/'))
        .map((step) => [`${page}:${line}`, step] as const)
    )
  )
)

function expectValue(typing: Typing | undefined, value: unknown): void {
  const values = typing?.['allowed-values'] ?? (typing?.type === 'boolean' ? ['true', 'false'] : undefined)
  if (values !== undefined) expect(values).toContain(String(value))
}

describe('the YAML to copy', () => {
  test('is there', () => {
    expect(steps.length).toBeGreaterThanOrEqual(10)
  })

  test.each(steps)('of %s gives inputs that there are, with values that they take', (_, step) => {
    const given = Object.entries(step.with ?? {})
    expect(Object.keys(manifest.inputs)).toEqual(expect.arrayContaining(given.map(([name]) => name)))
    for (const [name, value] of given) expectValue(typings.inputs[name], value)
  })

  test('names outputs that there are', () => {
    const named = pages.flatMap(([, text]) => [...text.matchAll(/steps\.icr\.outputs\.([\w-]+)/g)])
    expect(named.length).toBeGreaterThan(0)
    for (const [, output] of named) expect(Object.keys(manifest.outputs)).toContain(output)
  })
})

/** As GitHub makes them of a heading's text. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-')
  )

test.each([...pages, ['CHANGELOG.md', read('CHANGELOG.md')] as const])(
  'every link of %s within the repository leads somewhere',
  (page, text) => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
    for (const [link, path = '', anchor] of links) {
      const target = path === '' ? page : join(dirname(page), path)
      expect([link, existsSync(join(root, target))]).toEqual([link, true])
      if (anchor !== undefined) expect(anchorsOf(read(target))).toContain(anchor)
    }
  }
)

test('docs/references.md has each heading that a comment in src or test cites', () => {
  const files = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => read(join(folder, name)))
  )
  const cited = files.flatMap((text) => [
    ...text.matchAll(/docs\/references\.md,\s+(?:\/\/ |\* )?"([^"]+)"/g)
  ])
  const headings = [...read('docs/references.md').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
  expect(headings).toEqual(expect.arrayContaining(cited.map(([, heading]) => heading)))
  expect(cited.length).toBeGreaterThan(0)
})

test.each(['docs/troubleshooting.md', 'docs/migrate.md'])('%s lists each of its chapters', (page) => {
  const text = read(page)
  const chapters = anchorsOf(text.replaceAll(/^(?:# |###).*$/gm, ''))
  const listed = [...text.matchAll(/^- \[.*\]\(#(.*)\)$/gm)].map(([, anchor]) => anchor)
  expect(listed).toEqual(chapters)
})

describe('action.yml is enough to use the action:', () => {
  test.each(Object.entries({ ...manifest.inputs, ...manifest.outputs }))(
    '%s is described, in sentences, without marks that its page shows as they are',
    (_, { description }: Declared) => {
      expect(description).toMatch(/^[A-Za-z].*\.$/s)
      expect(description).not.toMatch(/[`*]|\]\(/)
    }
  )

  test.each(Object.entries(typings.inputs).filter(([, { type }]) => type === 'enum'))(
    'all values of %s stand in its description',
    (name, typing) => {
      for (const value of typing['allowed-values'] ?? [])
        expect(manifest.inputs[name]?.description).toMatch(new RegExp(`\\b${value}\\b`))
    }
  )
})

interface Form {
  name: string
  description: string
  body: {
    type: string
    id?: string
    attributes: { options?: unknown[] }
    validations?: { required: boolean }
  }[]
}

describe('the form for what does not work', () => {
  const bug = parse(read('.github/ISSUE_TEMPLATE/bug.yml')) as Form
  const optionsOf = (id: string): unknown[] | undefined =>
    bug.body.find((item) => item.id === id)?.attributes.options

  test('asks for what it takes to help, and has to be filled in', () => {
    const asked = bug.body.filter(({ validations }) => validations?.required === true).map(({ id }) => id)
    for (const id of ['version', 'runner', 'system', 'docker', 'region', 'secret', 'mint', 'workflow', 'log'])
      expect(asked).toContain(id)
  })

  test('knows each way to mint, and each kind of secret', () => {
    expect(optionsOf('mint')).toEqual(['none', ...Object.keys(METHODS)])
    for (const kind of SECRET_KINDS)
      expect(optionsOf('secret')).toContainEqual(expect.stringMatching(new RegExp(`^${kind}\\b`)))
  })
})

test('Dependabot looks only where there is something to update', () => {
  interface Update {
    'package-ecosystem': string
    directory?: string
    directories?: string[]
  }
  const { updates } = parse(read('.github/dependabot.yml')) as { updates: Update[] }
  const files: Record<string, RegExp> = {
    npm: /^package-lock\.json$/,
    'github-actions': /^action\.yml$/,
    pip: /^zizmor\.txt$/,
    gomod: /^go\.mod$/
  }
  for (const { 'package-ecosystem': ecosystem, directory, directories = [directory ?? ''] } of updates)
    for (const folder of directories)
      expect(readdirSync(join(root, folder))).toContainEqual(
        expect.stringMatching(files[ecosystem] ?? /none/)
      )
})

describe('the notes of a release', () => {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-notes-'))
  const script = join(root, '.ci/release-notes.mjs')
  const changelog = [
    ...[
      '# Changelog',
      '',
      '## [Unreleased]',
      '',
      '- Not yet',
      '',
      '## [1.2.3] - 2026-01-02',
      '',
      '### Added',
      ''
    ],
    ...[
      '- A region',
      '',
      '## [1.2.2] - 2026-01-01',
      '',
      '- Older',
      '',
      '[1.2.3]: https://example.invalid/',
      ''
    ]
  ].join('\n')

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  function notesOf(tag: string, version: string, text = changelog): Promise<ChildResult> {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version }))
    writeFileSync(join(folder, 'CHANGELOG.md'), text)
    return runChild(process.execPath, [script, tag], { cwd: folder })
  }

  test('are what the changelog says of that version', async () => {
    expect(await notesOf('v1.2.3', '1.2.3')).toMatchObject({
      exitCode: 0,
      stdout: '### Added\n\n- A region\n'
    })
    expect(await notesOf('v1.2.2', '1.2.2')).toMatchObject({ exitCode: 0, stdout: '- Older\n' })
  })

  test.each([
    [
      'a tag that is not the version',
      'v1.2.3',
      '1.2.2',
      changelog,
      'The tag is v1.2.3, and package.json says 1.2.2.'
    ],
    [
      'a version that the changelog has not',
      'v1.3.0',
      '1.3.0',
      changelog,
      'has no section "## [1.3.0] - YYYY-MM-DD"'
    ],
    ['a version without a date', 'v1.2.3', '1.2.3', '## [1.2.3] - soon\n', 'has no date']
  ])('there are none for %s', async (_, tag, version, text, said) => {
    const result = await notesOf(tag, version, text)
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toContain(said)
  })

  test('will be found: the changelog has its headings in the form that they are looked for', () => {
    const headings = [...read('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    expect(headings[0]).toBe('[Unreleased]')
    for (const heading of headings.slice(1)) expect(heading).toMatch(/^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/)
  })
})
