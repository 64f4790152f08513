// Clients that push and pull what is no image: files, charts, signatures.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from './clients.ts'
import type { Kind, Workspace } from './workspace.ts'

export function artifactClients(workspace: Workspace): Client[] {
  return [oras(workspace), helm(workspace), cosign(workspace)]
}

/** The folder that stands for an image, on each side. */
function folders(workspace: Workspace, name: string): (image: string, side: 'made' | 'pulled') => string {
  return (image, side) => workspace.folder(name, side, Buffer.from(image).toString('hex'))
}

function oras(workspace: Workspace): Client {
  const kind: Kind = { name: 'oras', options: [], plainHttp: ['--plain-http'] }
  const folderOf = folders(workspace, 'oras')
  return {
    name: kind.name,
    image: false,
    login: workspace.login(kind),
    make: (image, text) => {
      writeFileSync(join(folderOf(image, 'made'), 'text'), text)
      return Promise.resolve()
    },
    push: (place, image) =>
      workspace.run(kind, place, ['push', ...kind.plainHttp, image, 'text:text/plain'], {
        cwd: folderOf(image, 'made')
      }),
    pull: (place, image) =>
      workspace.run(kind, place, ['pull', ...kind.plainHttp, '--output', folderOf(image, 'pulled'), image]),
    read: (image) => Promise.resolve(readFileSync(join(folderOf(image, 'pulled'), 'text'))),
    run: (place, args) => workspace.run(kind, place, args)
  }
}

/** A chart's name is the repository's last part, its version the tag. */
function chartOf(image: string): { namespace: string; chart: string; version: string } {
  const [, namespace = '', chart = '', version = ''] = /^(.*)\/([^/:]+):([^/:]+)$/u.exec(image) ?? []
  return { namespace, chart, version }
}

function helm(workspace: Workspace): Client {
  const kind: Kind = { name: 'helm', options: [], plainHttp: ['--plain-http'] }
  const folderOf = folders(workspace, 'helm')
  const fileOf = (image: string, side: 'made' | 'pulled'): string => {
    const { chart, version } = chartOf(image)
    return join(folderOf(image, side), `${chart}-${version}.tgz`)
  }
  return {
    name: kind.name,
    image: false,
    login: workspace.login(kind, 'registry'),
    make: async (image, text) => {
      const { chart, version } = chartOf(image)
      const source = join(workspace.newFolder(), chart)
      mkdirSync(source)
      writeFileSync(
        join(source, 'Chart.yaml'),
        `apiVersion: v2\nname: ${chart}\nversion: ${version}\ndescription: ${text}\n`
      )
      await workspace.runWell(kind, ['package', '--destination', folderOf(image, 'made'), source])
    },
    push: (place, image) =>
      workspace.run(kind, place, [
        'push',
        ...kind.plainHttp,
        fileOf(image, 'made'),
        `oci://${chartOf(image).namespace}`
      ]),
    pull: (place, image) => {
      const { namespace, chart, version } = chartOf(image)
      const what = [`oci://${namespace}/${chart}`, '--version', version]
      const where = ['--destination', folderOf(image, 'pulled')]
      return workspace.run(kind, place, ['pull', ...kind.plainHttp, ...what, ...where])
    },
    read: async (image) =>
      Buffer.from(await workspace.runWell(kind, ['show', 'chart', fileOf(image, 'pulled')])),
    run: (place, args) => workspace.run(kind, place, args)
  }
}

/** Pushes a signature of an image that is there already, and pulls it to verify the image. No service is asked. */
function cosign(workspace: Workspace): Client {
  const kind: Kind = { name: 'cosign', options: [], plainHttp: ['--allow-http-registry'] }
  const signed = new Map<string, { base: string; text: string }>()
  const pulled = new Map<string, string>()
  const baseOf = (image: string): string => signed.get(image)?.base ?? image
  const [keys, env] = [workspace.folder('cosign'), { COSIGN_PASSWORD: '' }]
  return {
    name: kind.name,
    image: false,
    derives: true,
    login: workspace.login({ ...kind, plainHttp: [] }),
    make: async (image, text, base = image) => {
      signed.set(image, { base, text })
      if (!existsSync(join(keys, 'cosign.key')))
        await workspace.runWell(kind, ['generate-key-pair'], { cwd: keys, env })
    },
    push: (place, image) => {
      const options = ['--key', join(keys, 'cosign.key'), '--tlog-upload=false', '--yes']
      const note = ['--annotations', `text=${signed.get(image)?.text ?? ''}`]
      return workspace.run(kind, place, ['sign', ...kind.plainHttp, ...options, ...note, baseOf(image)], {
        env
      })
    },
    pull: async (place, image) => {
      const options = ['--key', join(keys, 'cosign.pub'), '--insecure-ignore-tlog']
      const result = await workspace.run(kind, place, [
        'verify',
        ...kind.plainHttp,
        ...options,
        baseOf(image)
      ])
      pulled.set(image, result.stdout)
      return result
    },
    read: (image) => Promise.resolve(Buffer.from(pulled.get(image) ?? '')),
    run: (place, args) => workspace.run(kind, place, args)
  }
}
