// docs/troubleshooting.md and what the action says are one and the same.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { findKnownMessage, KNOWN_MESSAGES, explainRefusal } from '../../src/errors/known-messages.ts'

const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
const ofServices = ['What IAM says', 'What the registry says']

interface Section {
  chapter: string
  /** What stands in the heading, each in code. */
  messages: string[]
  text: string
}

const chapters = page.split(/^## /m).slice(1)
const sections = chapters.flatMap((chapter) => {
  const [title = ''] = chapter.split('\n', 1)
  return chapter
    .split(/^### /m)
    .slice(1)
    .map((section): Section => {
      const [heading = '', ...lines] = section.split('\n')
      const messages = [...heading.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message)
      return { chapter: title, messages, text: lines.join('\n') }
    })
})
const services = sections.filter(({ chapter }) => ofServices.includes(chapter))
const own = sections.filter(({ chapter }) => !ofServices.includes(chapter))

function part(name: 'Cause' | 'Cure', { text }: Section): string | undefined {
  const found = new RegExp(`^\\*\\*${name}\\.\\*\\* ([^]*?)(?:\\n\\n|\\n?$(?![^]))`, 'm').exec(text)?.[1]
  return found?.trim().replace(/\s+/g, ' ')
}

describe('what a service says', () => {
  test.each(services.flatMap((section) => section.messages.map((message) => [message, section] as const)))(
    '%s has on the page the cause and the cure that the step shows',
    (message, section) => {
      const found = findKnownMessage(message)
      expect({ cause: part('Cause', section), cure: part('Cure', section) }).toEqual({
        cause: found?.cause,
        cure: found?.hint
      })
      const error = explainRefusal('us.icr.io refused the login', message, '').message
      expect(error.split('\n')[0]).toBe(`us.icr.io refused the login: ${part('Cause', section) ?? ''}`)
      expect(error.split('\n')[2]).toBe(part('Cure', section))
    }
  )

  test.each(KNOWN_MESSAGES.map((row) => [row.cause, row] as const))('“%s” stands on the page', (_, row) => {
    const rows = services.map(({ messages }) => messages.map(findKnownMessage))
    expect(rows.filter((found) => found.includes(row))).toHaveLength(1)
  })

  test('nothing else stands in those chapters', () => {
    expect(services).toHaveLength(KNOWN_MESSAGES.length)
    for (const section of services) {
      expect(section.messages.length).toBeGreaterThan(0)
      expect(section.text.trim().split(/\n\n/)).toHaveLength(2)
    }
  })
})

describe('what the action says', () => {
  const sources = new URL('../../src/', import.meta.url)
  const names = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  const code = names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, sources), 'utf8'))

  test.each(own.flatMap(({ messages }) => messages))('%s is what it does say', (message) => {
    const words = message.split('…').map((piece) => piece.trim())
    const fits = (text: string): boolean => words.every((piece) => text.includes(piece))
    expect(words.join('').length).toBeGreaterThanOrEqual(10)
    expect(code.filter(fits)).not.toEqual([])
  })

  test('each section of the page has a message to search for, and tells what to do', () => {
    expect(own.length).toBeGreaterThan(30)
    for (const { messages, text } of own) {
      expect(messages).not.toEqual([])
      expect(text.trim()).not.toBe('')
    }
  })
})

test('every link within the page leads somewhere', () => {
  const anchors = [...page.matchAll(/^##+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
  )
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor)
  expect(links.length).toBeGreaterThan(10)
  for (const link of links) expect(anchors).toContain(link)
})
