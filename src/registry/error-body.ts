import { isObject, parseObject, stringAt } from '../json.ts'

/**
 * The messages in a registry's error body: `{"errors":[{"code","message"}]}`, or `{"code","message"}` (the management
 * API; docs/references.md, "Registry tokens"). Empty if it is something else.
 */
export function parseErrors(body: string): string {
  const object = parseObject(body)
  const errors = Array.isArray(object?.['errors']) ? object['errors'].filter(isObject) : [object ?? {}]
  return errors
    .map((error) => [stringAt(error, 'code'), stringAt(error, 'message')].filter(Boolean).join(': '))
    .join('; ')
}
