// Makes JavaScript of TypeScript as Node does, with blanks for the types: what jest runs then covers the same places
// as what Node runs.
import { stripTypeScriptTypes } from 'node:module'

export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) })
}
