// Which real programs this machine has.
import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

// Debian puts dockerd in sbin, which is not on everyone's PATH; test/real/pinned/install.sh has a folder of its own.
const usualFolders = [
  ...['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'],
  join(homedir(), '.cache', 'icr-login', 'bin')
]

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** The path of a program, from the PATH and then the usual folders. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...usualFolders]
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram)
}

/** As `findProgram`, for those who can't go on without it. */
export function needProgram(name: string): string {
  const found = findProgram(name)
  if (found === undefined)
    throw new Error(`There is no ${name} on this machine (test/real/setup.sh installs it).`)
  return found
}

/** What `npm run test:real` needs; test/real/setup.sh installs all of it. */
export const realPrograms = [
  ...['docker', 'dockerd', 'docker-registry', 'podman', 'skopeo', 'buildah'],
  ...['docker-credential-pass', 'pass', 'gpg', 'strace', 'tinyproxy', 'faketime'],
  ...['buildx', 'crane', 'oras', 'helm', 'cosign', 'kubectl'],
  ...['shellcheck', 'jq', 'actionlint', 'zizmor', 'act', 'node20', 'go-proxy']
]

export function missingPrograms(names: readonly string[]): string[] {
  return names.filter((name) => findProgram(name) === undefined)
}
