import { appendFileSync } from 'node:fs'

/**
 * Appends values to one of the runner's files, for its next steps or for post. @actions/core loads node:crypto for that,
 * a fifth of a bare Node (docs/performance.md), to guess an end that no value has; here the end is made to be none.
 * @param variable names the file
 * @throws Error where there is no such file
 */
export function appendValues(
  variable: 'GITHUB_OUTPUT' | 'GITHUB_STATE',
  values: Readonly<Record<string, string | undefined>>
): void {
  const path = process.env[variable]
  if (path === undefined) throw new Error(`${variable} is not set: a runner sets it.`)
  appendFileSync(path, Object.entries(values).map(formatValue).join(''))
}

function formatValue([name, value = '']: [string, string | undefined]): string {
  let end = 'END'
  while (value.includes(end)) end += '_'
  return `${name}<<${end}\n${value}\n${end}\n`
}
