// docs/troubleshooting.md and what the action says are one and the same.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { findKnownMessage, KNOWN_MESSAGES, explainRefusal } from '../../src/errors/known-messages.ts'
import { causeOf, fits, fixOf, ownSections, page, servicesSections } from '../support/troubleshooting.ts'

describe('what a service says', () => {
  test.each(
    servicesSections.flatMap((section) => section.messages.map((message) => [message, section] as const))
  )('%s has on the page the cause and the cure that the step shows', (message, section) => {
    const found = findKnownMessage(message)
    expect({ cause: causeOf(section), fix: fixOf(section) }).toEqual({
      cause: found?.cause,
      fix: found?.hint
    })
    const error = explainRefusal('us.icr.io refused the login', message, '').message
    expect(error.split('\n')[0]).toBe(`us.icr.io refused the login: ${causeOf(section) ?? ''}`)
    expect(error.split('\n')[2]).toBe(fixOf(section))
  })

  test.each(KNOWN_MESSAGES.map((row) => [row.cause, row] as const))('“%s” stands on the page', (_, row) => {
    const rows = servicesSections.map(({ messages }) => messages.map(findKnownMessage))
    expect(rows.filter((found) => found.includes(row))).toHaveLength(1)
  })

  test('nothing else stands in those chapters', () => {
    expect(servicesSections).toHaveLength(KNOWN_MESSAGES.length)
    for (const section of servicesSections) {
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

  test.each(ownSections.flatMap(({ messages }) => messages))('%s is what it does say', (message) => {
    expect(message.replaceAll(/…\s*/g, '').length).toBeGreaterThanOrEqual(10)
    expect(code.filter((text) => fits(message, text))).not.toEqual([])
  })

  test('each section of the page has a message to search for, and tells what to do', () => {
    expect(ownSections.length).toBeGreaterThan(30)
    for (const { messages, text } of ownSections) {
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
