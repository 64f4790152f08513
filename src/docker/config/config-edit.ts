import { type ConfigFile, unreadable } from './file.ts'
import { isObject, isSame } from '../../json.ts'
import { removeAt, setAt } from './json-edit.ts'
import type { AuthEntry } from './ledger.ts'

/**
 * The text with these entries in it (null takes an entry out), and every other byte as it was.
 * @throws UserError where the text can't be edited safely, say because a key stands in it twice
 */
export function editEntries(file: ConfigFile, entries: ReadonlyMap<string, AuthEntry | null>): string {
  let text = file.text === null || file.text.trim() === '' ? '{}' : file.text
  const auths = { ...(isObject(file.content['auths']) ? file.content['auths'] : undefined) }
  for (const [host, entry] of entries) {
    if (entry === null) {
      text = removeAt(text, ['auths', host])
      Reflect.deleteProperty(auths, host)
    } else {
      text = setAt(text, ['auths', host], entry)
      auths[host] = entry
    }
  }
  const edited = { auths: {}, ...(JSON.parse(text) as Record<string, unknown>) }
  if (isSame(edited, { ...file.content, auths })) return text
  throw unreadable(file.path, 'a key stands in it twice')
}

/** The text without an empty `auths`. */
export function removeEmptyAuths(text: string): string {
  const { auths } = JSON.parse(text) as Record<string, unknown>
  return isObject(auths) && Object.keys(auths).length === 0 ? removeAt(text, ['auths']) : text
}
