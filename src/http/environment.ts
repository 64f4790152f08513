const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()])

/** The passwords in the addresses of the job's proxies: as written, decoded, and with the user before them. */
export function findProxySecrets(env: NodeJS.ProcessEnv): string[] {
  return PROXIES.flatMap((name) => {
    const [, user = '', password = ''] =
      /^(?:[a-z0-9]+:\/\/)?([^/@:]*):([^/@]+)@/i.exec(env[name] ?? '') ?? []
    return password === ''
      ? []
      : [password, decode(password), `${user}:${password}`, `${decode(user)}:${decode(password)}`]
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What in the job's environment asks for less safety than there is, one line each. */
export function findUnsafeSettings(env: NodeJS.ProcessEnv): string[] {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
    ? ['NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing here: certificates are always checked. Unset it.']
    : []
}
