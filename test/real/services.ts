// What the tests with real programs need: IBM Cloud's stand-in with a real docker-registry behind its token
// service, a real docker daemon, and the clients.
import { afterAll, beforeAll } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCloud, type Cloud } from '../cloud/cloud.ts'
import { registryConfig, tokenCertificate } from '../cloud/registry-config.ts'
import type { Registry as StandIn, RegistryOptions } from '../cloud/registry.ts'
import { Clients } from './clients.ts'
import { startDockerd, startRegistry, type Registry } from './daemons.ts'

export interface Services {
  cloud: Cloud
  /** The first region's, which has the images. */
  registry: StandIn
  clients: Clients
  /** Another region's registry, with a docker-registry of its own. */
  addRegistry(options: Partial<RegistryOptions>): Promise<StandIn>
  close(): Promise<void>
}

/** The registry's address must be known to the stand-in, and the stand-in's to the registry: this one starts last. */
export async function storeImagesOf(standIn: StandIn): Promise<Registry> {
  const registry = await startRegistry(({ folder, address }) => {
    const [directory, certificateFile] = [join(folder, 'images'), join(folder, 'certificate.pem')]
    mkdirSync(directory)
    writeFileSync(certificateFile, tokenCertificate(standIn))
    return registryConfig(standIn, { directory, address, certificateFile })
  })
  standIn.upstream = `http://${registry.host}`
  return registry
}

async function startServices(first: Partial<RegistryOptions>): Promise<Services> {
  const closers: (() => Promise<void> | void)[] = []
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).reverse()) await end()
  }
  try {
    const cloud = await startCloud({ registry: first })
    closers.push(() => cloud.close())
    const addRegistry = async (options: Partial<RegistryOptions>): Promise<StandIn> => {
      const standIn = await cloud.addRegistry(options)
      const registry = await storeImagesOf(standIn)
      closers.push(() => registry.stop())
      return standIn
    }
    const [registry] = cloud.registries
    if (registry === undefined) throw new Error('no registry')
    const images = await storeImagesOf(registry)
    closers.push(() => images.stop())
    const dockerd = await startDockerd()
    closers.push(() => dockerd.stop())
    const clients = new Clients(dockerd.host)
    closers.push(() => {
      clients.close()
    })
    return { cloud, registry, clients, addRegistry, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** For a test file: call it once, at the top. The services is there in its tests. */
export function useServices(first: Partial<RegistryOptions> = {}): () => Services {
  let services: Services | undefined

  beforeAll(async () => {
    services = await startServices(first)
  })

  afterAll(async () => {
    await services?.close()
  })

  return () => {
    if (services === undefined) throw new Error('the services is not there yet')
    return services
  }
}
