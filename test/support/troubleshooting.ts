// docs/troubleshooting.md as the table that it is: which message has which cause, and how it is fixed.
import { readFileSync } from 'node:fs'

export const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
const chaptersOfServices = ['What IAM says', 'What the registry says']

export interface Section {
  readonly chapter: string
  /** What its heading has in code. An ellipsis stands for any text. */
  readonly messages: readonly string[]
  readonly text: string
}

const sections = page.split(/^## /m).flatMap((chapter) => {
  const [title = ''] = chapter.split('\n', 1)
  const parts = chapter.split(/^### /m).slice(1)
  return parts.map((section): Section => {
    const [heading = '', ...lines] = section.split('\n')
    const messages = [...heading.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message)
    return { chapter: title, messages, text: lines.join('\n') }
  })
})

/** Messages of IAM and of the registry, each with a cause and a fix. */
export const servicesSections = sections.filter(({ chapter }) => chaptersOfServices.includes(chapter))
/** The action's own messages. */
export const ownSections = sections.filter(({ chapter }) => !chaptersOfServices.includes(chapter))

const readPart = (name: 'Cause' | 'Cure', { text }: Section): string | undefined =>
  new RegExp(`^\\*\\*${name}\\.\\*\\* ([^]*?)(?:\\n\\n|\\n?$(?![^]))`, 'm')
    .exec(text)?.[1]
    ?.trim()
    .replace(/\s+/g, ' ')

export const causeOf = (section: Section): string | undefined => readPart('Cause', section)
export const fixOf = (section: Section): string | undefined => readPart('Cure', section)

/** Whether a text has all that a heading's message has beside its ellipses. */
export const fits = (message: string, text: string): boolean =>
  message.split('…').every((piece) => text.includes(piece.trim()))

/** The headings of the action's own messages under which a user who sees this error finds help. */
export const headingsFor = (error: string): string[] =>
  ownSections.flatMap(({ messages }) => messages).filter((message) => fits(message, error))
