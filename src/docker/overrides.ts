import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { formatList } from '../errors/quote.ts'
import { isObject, parseObject } from '../json.ts'

/**
 * What in the job's environment would make a client look past the login in config.json, one line each
 * (docs/references.md, "Clients").
 * @param config the path of the config.json that holds the login
 */
export function findOverrides(
  hosts: readonly string[],
  config: string,
  env: NodeJS.ProcessEnv
): readonly string[] {
  const found = [
    overrideInDockerVariable(hosts, env),
    overrideInAuthFile(config, env),
    overrideOfPodman(hosts, env)
  ]
  return found.filter((line) => line !== undefined)
}

function overrideInDockerVariable(hosts: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const text = env['DOCKER_AUTH_CONFIG']
  if (text === undefined || text === '') return undefined
  const config = parseObject(text)
  const hidden = config === undefined ? hosts : hosts.filter((host) => hasEntry(config, host))
  if (hidden.length === 0) return undefined
  return `DOCKER_AUTH_CONFIG is set: docker 28.3 and later reads the login for ${formatList(hidden)} from there, not from this step. Unset it.`
}

function overrideInAuthFile(config: string, env: NodeJS.ProcessEnv): string | undefined {
  const file = env['REGISTRY_AUTH_FILE']
  if (file === undefined || file === '' || isSameFile(file, config)) return undefined
  return `REGISTRY_AUTH_FILE is set: podman, buildah and skopeo read that file, and not this login. Unset it, or set it to ${config}.`
}

/** With DOCKER_CONFIG set, podman reads config.json there; without, its own auth.json comes first. */
function overrideOfPodman(hosts: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  if (env['REGISTRY_AUTH_FILE'] || env['DOCKER_CONFIG']) return undefined
  const file = findPodmanAuthFile(env)
  if (file === undefined) return undefined
  const config = readJsonFile(file)
  const hidden = hosts.filter((host) => hasEntry(config, host))
  if (hidden.length === 0) return undefined
  return `${file} has a login for ${formatList(hidden)}: podman, buildah and skopeo use that one. Run podman logout first.`
}

/** Where podman, buildah and skopeo keep their logins; undefined where no variable says it. */
export function findPodmanAuthFile(env: NodeJS.ProcessEnv): string | undefined {
  const { REGISTRY_AUTH_FILE: file = '', XDG_RUNTIME_DIR: runtime = '' } = env
  if (file !== '') return file
  return runtime === '' ? undefined : join(runtime, 'containers', 'auth.json')
}

/** The object in a JSON file; undefined where it can't be read, or is no file: a pipe would block forever. */
export function readJsonFile(path: string): Record<string, unknown> | undefined {
  try {
    return statSync(path).isFile() ? parseObject(readFileSync(path, 'utf8')) : undefined
  } catch {
    return undefined
  }
}

/** An entry for the host, or for a namespace or repository of it, which podman prefers. */
function hasEntry(config: Record<string, unknown> | undefined, host: string): boolean {
  const auths = isObject(config?.['auths']) ? config['auths'] : {}
  return Object.keys(auths).some((key) => key === host || key.startsWith(`${host}/`))
}

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b)
  } catch {
    return a === b
  }
}
