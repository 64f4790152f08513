// Clients that push an image that they have, and pull one.
import { readFileSync } from 'node:fs'
import type { ChildResult } from '../support/child.ts'
import type { Client } from './clients.ts'
import type { Kind, Place, Workspace } from './workspace.ts'

export function imageClients(workspace: Workspace, dockerHost: string): Client[] {
  const noTls = ['--tls-verify=false']
  return [
    docker(workspace, { name: 'docker', options: ['--host', dockerHost], plainHttp: [] }),
    docker(workspace, { name: 'podman', options: podmanOptions(workspace), plainHttp: noTls }),
    buildah(workspace, { name: 'buildah', options: storage(workspace, 'buildah'), plainHttp: noTls }),
    skopeo(workspace, { name: 'skopeo', options: [], plainHttp: noTls }),
    crane(workspace)
  ]
}

function storage(workspace: Workspace, name: string): string[] {
  const [root, runroot] = [workspace.folder(name, 'root'), workspace.folder(name, 'run')]
  return ['--root', root, '--runroot', runroot, '--storage-driver', 'vfs']
}

function podmanOptions(workspace: Workspace): string[] {
  const tmpdir = ['--tmpdir', workspace.folder('podman', 'tmp')]
  return [...storage(workspace, 'podman'), ...tmpdir, '--cgroup-manager=cgroupfs', '--events-backend=none']
}

/** docker and podman are called in the same way. */
export function docker(workspace: Workspace, kind: Kind): Client {
  return {
    name: kind.name,
    image: true,
    login: workspace.login(kind),
    make: async (image, text) => {
      await workspace.runWell(kind, ['import', await workspace.tar(text), image])
    },
    push: (place, image) => workspace.run(kind, place, ['push', ...kind.plainHttp, image]),
    pull: (place, image) => workspace.run(kind, place, ['pull', ...kind.plainHttp, image]),
    read: async (image) => {
      const archive = workspace.archive()
      await workspace.runWell(kind, ['save', '--output', archive, image])
      return readFileSync(archive)
    },
    run: (place, args) => workspace.run(kind, place, args)
  }
}

function buildah(workspace: Workspace, kind: Kind): Client {
  return {
    ...docker(workspace, kind),
    make: async (image, text) => {
      const container = (await workspace.runWell(kind, ['from', 'scratch'])).trim()
      await workspace.runWell(kind, ['add', container, await workspace.tar(text), '/'])
      await workspace.runWell(kind, ['commit', '--rm', container, image])
    },
    // Else it is content with the image that it has, and asks nobody.
    pull: (place, image) =>
      workspace.run(kind, place, ['pull', '--policy', 'always', ...kind.plainHttp, image]),
    read: async (image) => {
      const archive = workspace.archive()
      await workspace.runWell(kind, ['push', image, `docker-archive:${archive}`])
      return readFileSync(archive)
    }
  }
}

/** skopeo keeps no images: a folder in its `dir` format stands for each. */
function skopeo(workspace: Workspace, kind: Kind): Client {
  const folderOf = (image: string): string => workspace.folder('skopeo', Buffer.from(image).toString('hex'))
  const copy = (place: Place, from: string, to: string, side: 'src' | 'dest'): Promise<ChildResult> =>
    workspace.run(kind, place, ['copy', `--${side}-tls-verify=false`, from, to])
  const maker = { name: 'buildah', options: storage(workspace, 'buildah-for-skopeo'), plainHttp: [] }
  return {
    ...docker(workspace, kind),
    make: async (image, text) => {
      await buildah(workspace, maker).make(image, text)
      await workspace.runWell(maker, ['push', image, `dir:${folderOf(image)}`])
    },
    push: (place, image) => copy(place, `dir:${folderOf(image)}`, `docker://${image}`, 'dest'),
    pull: (place, image) => copy(place, `docker://${image}`, `dir:${folderOf(image)}`, 'src'),
    read: async (image) => {
      const archive = workspace.archive()
      await workspace.runWell(kind, ['copy', `dir:${folderOf(image)}`, `docker-archive:${archive}`])
      return readFileSync(archive)
    }
  }
}

/** crane keeps no images either: a tar file stands for each. It takes http on loopback by itself. */
function crane(workspace: Workspace): Client {
  const kind = { name: 'crane', options: [], plainHttp: [] }
  const fileOf = (image: string, side: 'made' | 'pulled'): string =>
    `${workspace.folder('crane', side)}/${Buffer.from(image).toString('hex')}.tar`
  return {
    ...docker(workspace, kind),
    login: workspace.login(kind, 'auth'),
    make: async (image, text) => {
      const layer = ['--new_layer', await workspace.tar(text)]
      await workspace.runWell(kind, [
        'append',
        ...layer,
        '--new_tag',
        image,
        '--output',
        fileOf(image, 'made')
      ])
    },
    push: (place, image) => workspace.run(kind, place, ['push', fileOf(image, 'made'), image]),
    pull: (place, image) => workspace.run(kind, place, ['pull', image, fileOf(image, 'pulled')]),
    read: async (image) => {
      const files = workspace.archive()
      const input = readFileSync(fileOf(image, 'pulled'))
      await workspace.runWell(kind, ['export', '-', files], { input })
      return readFileSync(files)
    }
  }
}
