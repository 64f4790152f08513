// V8 looks through a function when it loads a file, and compiles it when it is first called: it reads it twice. One that
// stands in brackets it compiles at once. For a step of a few hundred functions, each called once, that is 3 to 5 % of
// its time (docs/performance.md). So the build runs dist once, and puts brackets around the functions that ran.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'acorn'
import { ancestor } from 'acorn-walk'
import MagicString from 'magic-string'
import { node24 } from '../test/support/node24-path.mjs'

/**
 * Runs a plain login and its cleanup with dist as it stands.
 * @returns {(file: string) => Set<string>} for a file of dist: where each function that ran begins and ends
 */
export function watchUsualJob() {
  const scripts = JSON.parse(execFileSync(node24(), [join(import.meta.dirname, 'usual-job.ts')]))
  return (file) => {
    const { functions } = scripts.find(({ url }) => url === pathToFileURL(file).href)
    const ran = functions.map(({ ranges }) => ranges[0]).filter(({ count }) => count > 0)
    return new Set(ran.map(({ startOffset, endOffset }) => formatRange(startOffset, endOffset)))
  }
}

const formatRange = (start, end) => `${start}-${end}`

/**
 * Puts brackets around functions, and changes nothing else of what a module does.
 * @param {string} source of a module
 * @param {ReadonlySet<string>} ran where each of the functions begins and ends
 */
export function bracket(source, ran) {
  const text = new MagicString(source)
  ancestor(parse(source, { ecmaVersion: 'latest', sourceType: 'module' }), {
    Function(node, _, ancestors) {
      if (!ran.has(formatRange(node.start, node.end))) return
      const [holder, block] = ancestors.slice(0, -1).reverse()
      if (node.type !== 'FunctionDeclaration') wrap(text, node, holder)
      else if (block === undefined || isFunction(block)) hoist(text, node, holder)
    }
  })
  return text.toString()
}

const isFunction = ({ type }) => /Function/.test(type)

const METHODS = new Set(['constructor', 'method', 'get', 'set'])

/** A method has no place for brackets. */
function wrap(text, { start, end }, { method, kind }) {
  if (!method && !METHODS.has(kind)) text.appendLeft(start, '(').prependRight(end, ')')
}

/** A declaration has no place for brackets either. A variable that is set before all else does the same. */
function hoist(text, { start, end, id }, { body }) {
  text.appendRight(start, `var ${id.name}=(`).prependLeft(end, ');')
  const first = body[0].start
  if (start !== first) text.move(start, end, first)
}
