import { configPath } from './file.ts'
import { readLedger } from './transaction.ts'

/**
 * The logins of a step that could not be taken out, one line each: which, where, until when, and how to remove it.
 * @param expiresAt when the credential expires, in ISO 8601; empty where it is not known
 */
export function describeRemaining(
  directory: string,
  loginId: string,
  hosts: readonly string[],
  expiresAt: string
): string[] {
  const users = findUsers(directory, loginId, hosts)
  const until = expiresAt === '' ? '' : ` It expires ${expiresAt}.`
  return [...users].map(
    ([host, user]) =>
      `The login for ${host}${user === undefined ? '' : ` as ${user}`} may still be in ${configPath(directory)}.${until} ` +
      `To remove it, run: docker logout ${host}`
  )
}

/** The hosts where the login may still be, with its user where the ledger can be read. */
function findUsers(
  directory: string,
  loginId: string,
  hosts: readonly string[]
): Map<string, string | undefined> {
  try {
    const ledger = readLedger(directory)
    return new Map(
      hosts.flatMap((host) =>
        (ledger?.hosts[host]?.logins ?? [])
          .filter(({ id }) => id === loginId)
          .map(({ username }) => [host, username])
      )
    )
  } catch {
    return new Map(hosts.map((host) => [host, undefined]))
  }
}
