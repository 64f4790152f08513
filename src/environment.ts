/** The passwords in the addresses of the job's proxies: as written, decoded, and with the user before them. */
export function findProxySecrets(env: NodeJS.ProcessEnv): string[] {
  const addresses = Object.entries(env).filter(([name]) => /^(?:https?|all)_proxy$/i.test(name))
  return addresses.flatMap(([, address = '']) => {
    const [, user = '', password = ''] = /^(?:[a-z0-9]+:\/\/)?([^/@:]*):([^/@]+)@/i.exec(address) ?? []
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
