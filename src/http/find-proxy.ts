import { BlockList, isIP, isIPv6 } from 'node:net'
import { urlToHttpOptions } from 'node:url'
import { UserError } from '../errors/user-error.ts'

/**
 * The proxy for an https address, as docker chooses it: golang.org/x/net/http/httpproxy, which does not read ALL_PROXY.
 * An address that Go would ignore is an error.
 * @returns undefined for a direct connection
 * @throws UserError where the address of the proxy is not valid, or of a kind that is not supported
 */
export function findProxy(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const address = valueOf('HTTPS_PROXY', env)
  if (address === '' || isExcluded(url, valueOf('NO_PROXY', env))) return undefined
  const proxy = parseProxy(address)
  if (proxy === undefined) {
    throw new UserError(
      'The address of the proxy in HTTPS_PROXY is not valid.',
      'Write it as http://host:port or http://user:password@host:port.'
    )
  }
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw new UserError(
      `The proxy in HTTPS_PROXY is a ${proxy.protocol.slice(0, -1)} proxy, which is not supported.`,
      'Set HTTPS_PROXY to the address of an http:// or https:// proxy.'
    )
  }
  return proxy
}

function valueOf(name: string, env: NodeJS.ProcessEnv): string {
  return [env[name], env[name.toLowerCase()]].find(Boolean) ?? ''
}

function parseProxy(address: string): URL | undefined {
  const text = address.includes('://') ? address : `http://${address}`
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/\s]\S*$/i.test(text) || !URL.canParse(text)) return undefined
  const proxy = new URL(text)
  try {
    // Throws where the user or the password is not percent-encoded.
    urlToHttpOptions(proxy)
    return proxy
  } catch {
    return undefined
  }
}

function isExcluded(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port || '443'
  const entries = noProxy.split(',').map((entry) => entry.trim().toLowerCase())
  return (
    host === 'localhost' ||
    entries.includes('*') ||
    (isIP(host) === 0
      ? entries.some((entry) => matchesName(entry, host, port))
      : ['127.0.0.0/8', '::1', ...entries].some((entry) => matchesAddress(entry, host, port)))
  )
}

/** `icr.io` is the name and all below it; `.icr.io` and `*.icr.io` are what is below it. */
function matchesName(entry: string, host: string, wantedPort: string): boolean {
  const { name, port } = splitPort(entry)
  if (name === '' || (port !== '' && port !== wantedPort)) return false
  const suffix = name.replace(/^\*(?=\.)/, '')
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`)
}

function matchesAddress(entry: string, host: string, wantedPort: string): boolean {
  const [, network = '', prefix] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? []
  const { name, port } = prefix === undefined ? splitPort(entry) : { name: network, port: '' }
  const family = isIPv6(name) ? 'ipv6' : 'ipv4'
  const bits = isIPv6(name) ? 128 : 32
  if (isIP(name) === 0 || Number(prefix ?? bits) > bits || (port !== '' && port !== wantedPort)) return false
  const list = new BlockList()
  list.addSubnet(name, Number(prefix ?? bits), family)
  return list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4')
}

/** `name:port` and `[address]:port`; all else, IPv6 addresses without brackets too, has no port. */
function splitPort(entry: string): { name: string; port: string } {
  const [match, address, name = '', port = ''] = /^(?:\[([^[\]]+)\]|([^:[\]]*)):([^:[\]]*)$/.exec(entry) ?? []
  return match === undefined ? { name: entry, port: '' } : { name: address ?? name, port }
}
