/** What a registry asks for: `WWW-Authenticate: Bearer realm="…",service="…",scope="…"` (RFC 9110, 11.6.1). */
export interface Challenge extends Readonly<Record<'realm' | 'service' | 'scope', string | undefined>> {
  /** In lower case. */
  readonly scheme: string
}

const PARAMETER = /\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)\s*(?:,|$)/y

/**
 * Parses one challenge. IBM's has a blank after each comma; a parser that keeps it sends `%20service=` and gets a
 * 400 (ceph/ceph#69900).
 * @returns undefined where the header is no challenge, or more than one
 */
export function parseChallenge(header: string): Challenge | undefined {
  const scheme = /^\s*([\w-]+)\s+(?=\S)/.exec(header)
  if (scheme?.[1] === undefined) return undefined
  const parameters = new Map<string, string>()
  for (let at = scheme[0].length; at < header.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at
    const [, name = '', value = ''] = PARAMETER.exec(header) ?? []
    if (name === '' || parameters.has(name.toLowerCase())) return undefined
    parameters.set(name.toLowerCase(), unquote(value))
  }
  const [realm, service, scope] = ['realm', 'service', 'scope'].map((name) => parameters.get(name))
  return { scheme: scheme[1].toLowerCase(), realm, service, scope }
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
