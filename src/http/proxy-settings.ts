const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()])

/** A mask of fewer characters would hide ordinary words of the log. */
const MIN_MASK_LENGTH = 4

/** The passwords in the addresses of the job's proxies: as written, decoded, and with the user before them. */
export function findProxySecrets(env: NodeJS.ProcessEnv): string[] {
  return PROXIES.flatMap((name) => {
    const [, user = '', password = ''] = /^(?:[a-z0-9]+:\/\/)?([^/@:]*):([^/]+)@/i.exec(env[name] ?? '') ?? []
    if (password === '') return []
    const forms = [password, decode(password), `${user}:${password}`, `${decode(user)}:${decode(password)}`]
    return forms.filter((form) => form.length >= MIN_MASK_LENGTH)
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Variables of the job that ask for less safety than the action gives, one line each. */
export function findUnsafeSettings(env: NodeJS.ProcessEnv): string[] {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
    ? ['NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing here: certificates are always checked. Unset it.']
    : []
}
