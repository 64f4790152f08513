import { join } from 'node:path'
import { formatList } from '../errors/quote.ts'
import { readFile, realpath } from '../files.ts'
import { isObject, parseObject } from '../json.ts'

/**
 * What in the job's environment would make a client look past the login in config.json, one line each
 * (facts/clients-and-runner.md, "Where each client reads the login").
 * @param config the path of the config.json that holds the login
 */
export async function findOverrides(
  hosts: readonly string[],
  config: string,
  env: NodeJS.ProcessEnv
): Promise<readonly string[]> {
  const found = [
    shadowInDockerVariable(hosts, env),
    await shadowInAuthFile(config, env),
    await podmanShadow(hosts, env)
  ]
  return found.filter((line) => line !== undefined)
}

function shadowInDockerVariable(hosts: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const text = env['DOCKER_AUTH_CONFIG']
  if (text === undefined || text === '') return undefined
  const config = parseObject(text)
  const shadowed = config === undefined ? hosts : hosts.filter((host) => hasEntry(config, host))
  if (shadowed.length === 0) return undefined
  return `DOCKER_AUTH_CONFIG is set: docker 28.3 and later reads the login for ${formatList(shadowed)} from there, not from this step. Unset it.`
}

async function shadowInAuthFile(config: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const file = env['REGISTRY_AUTH_FILE']
  if (file === undefined || file === '' || (await same(file, config))) return undefined
  return `REGISTRY_AUTH_FILE is set: podman, buildah and skopeo read that file, and not this login. Unset it, or set it to ${config}.`
}

/** With DOCKER_CONFIG set, podman reads config.json there; without, its own auth.json comes first. */
async function podmanShadow(hosts: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const runtime = env['XDG_RUNTIME_DIR']
  if (runtime === undefined || runtime === '' || env['REGISTRY_AUTH_FILE'] || env['DOCKER_CONFIG'])
    return undefined
  const file = join(runtime, 'containers', 'auth.json')
  const config = parseObject(await readFile(file, 'utf8').catch(() => ''))
  const shadowed = hosts.filter((host) => hasEntry(config, host))
  if (shadowed.length === 0) return undefined
  return `${file} has a login for ${formatList(shadowed)}: podman, buildah and skopeo use that one. Run podman logout first.`
}

/** An entry for the host, or for a namespace or repository of it, which podman prefers. */
function hasEntry(config: Record<string, unknown> | undefined, host: string): boolean {
  const auths = isObject(config?.['auths']) ? config['auths'] : {}
  return Object.keys(auths).some((key) => key === host || key.startsWith(`${host}/`))
}

async function same(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => realpath(path).catch(() => path)))
  return first === second
}
