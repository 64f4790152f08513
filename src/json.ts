import { isDeepStrictEqual } from 'node:util'

/** Whether a parsed JSON value is an object, and not an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object in a JSON text; undefined where it is no JSON, or something else than an object. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The string under a key of an object; undefined where there is none, or it is empty. */
export function stringAt(object: Record<string, unknown> | undefined, key: string): string | undefined {
  const value = object?.[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Whether two parsed JSON values are the same, whatever the order of their keys. */
export function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b)
}

/**
 * Whether an object in a valid JSON text has a key twice: readers differ in which of the two counts. True also if it is
 * nested too deeply to tell.
 */
export function hasDuplicateKeys(text: string): boolean {
  const written = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined)
  // The reviver is called for the root too.
  let parsed = -1
  try {
    JSON.parse(text, function (this: unknown, _key, value: unknown) {
      if (!Array.isArray(this)) parsed += 1
      return value
    })
  } catch {
    return true
  }
  return written.length !== parsed
}
