// What a real docker-registry 2.8 must be told to trust the stand-in's tokens.
import type { Registry } from './registry.ts'
import { ISSUER, SERVICE } from './registry-tokens.ts'

export interface RegistryConfigOptions {
  /** Where it keeps the images. */
  directory: string
  /** A loopback address with the port it is to listen on. */
  address: string
  /** The path of a file that holds `tokenCertificate(registry)`. */
  certificateFile: string
}

/** The PEM for `rootcertbundle`. */
export function tokenCertificate(registry: Registry): string {
  return registry.key.certificatePem
}

/** The text of config.yml. */
export function registryConfig(registry: Registry, options: RegistryConfigOptions): string {
  return `version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${JSON.stringify(options.directory)}
  delete:
    enabled: true
http:
  addr: ${options.address}
  relativeurls: true
  secret: none
auth:
  token:
    realm: http://${registry.host}/oauth/token
    service: ${SERVICE}
    issuer: ${ISSUER}
    rootcertbundle: ${JSON.stringify(options.certificateFile)}
`
}
