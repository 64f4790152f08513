// Clients that push an image that they have, and pull one.
import { readFileSync } from 'node:fs'
import type { ChildResult } from '../support/child.ts'
import type { Client } from './clients.ts'
import type { Kind, Place, Workshop } from './workshop.ts'

export function imageClients(workshop: Workshop, dockerHost: string): Client[] {
  const noTls = ['--tls-verify=false']
  return [
    docker(workshop, { name: 'docker', options: ['--host', dockerHost], plainHttp: [] }),
    docker(workshop, { name: 'podman', options: podmanOptions(workshop), plainHttp: noTls }),
    buildah(workshop, { name: 'buildah', options: storage(workshop, 'buildah'), plainHttp: noTls }),
    skopeo(workshop, { name: 'skopeo', options: [], plainHttp: noTls }),
    crane(workshop)
  ]
}

function storage(workshop: Workshop, name: string): string[] {
  const [root, runroot] = [workshop.folder(name, 'root'), workshop.folder(name, 'run')]
  return ['--root', root, '--runroot', runroot, '--storage-driver', 'vfs']
}

function podmanOptions(workshop: Workshop): string[] {
  const tmpdir = ['--tmpdir', workshop.folder('podman', 'tmp')]
  return [...storage(workshop, 'podman'), ...tmpdir, '--cgroup-manager=cgroupfs', '--events-backend=none']
}

/** docker and podman are called in the same way. */
export function docker(workshop: Workshop, kind: Kind): Client {
  return {
    name: kind.name,
    image: true,
    login: workshop.login(kind),
    make: async (image, text) => {
      await workshop.runWell(kind, ['import', await workshop.tar(text), image])
    },
    push: (place, image) => workshop.run(kind, place, ['push', ...kind.plainHttp, image]),
    pull: (place, image) => workshop.run(kind, place, ['pull', ...kind.plainHttp, image]),
    read: async (image) => {
      const archive = workshop.archive()
      await workshop.runWell(kind, ['save', '--output', archive, image])
      return readFileSync(archive)
    },
    run: (place, args) => workshop.run(kind, place, args)
  }
}

function buildah(workshop: Workshop, kind: Kind): Client {
  return {
    ...docker(workshop, kind),
    make: async (image, text) => {
      const container = (await workshop.runWell(kind, ['from', 'scratch'])).trim()
      await workshop.runWell(kind, ['add', container, await workshop.tar(text), '/'])
      await workshop.runWell(kind, ['commit', '--rm', container, image])
    },
    // Else it is content with the image that it has, and asks nobody.
    pull: (place, image) =>
      workshop.run(kind, place, ['pull', '--policy', 'always', ...kind.plainHttp, image]),
    read: async (image) => {
      const archive = workshop.archive()
      await workshop.runWell(kind, ['push', image, `docker-archive:${archive}`])
      return readFileSync(archive)
    }
  }
}

/** skopeo keeps no images: a folder in its `dir` format stands for each. */
function skopeo(workshop: Workshop, kind: Kind): Client {
  const folderOf = (image: string): string => workshop.folder('skopeo', Buffer.from(image).toString('hex'))
  const copy = (place: Place, from: string, to: string, side: 'src' | 'dest'): Promise<ChildResult> =>
    workshop.run(kind, place, ['copy', `--${side}-tls-verify=false`, from, to])
  const maker = { name: 'buildah', options: storage(workshop, 'buildah-for-skopeo'), plainHttp: [] }
  return {
    ...docker(workshop, kind),
    make: async (image, text) => {
      await buildah(workshop, maker).make(image, text)
      await workshop.runWell(maker, ['push', image, `dir:${folderOf(image)}`])
    },
    push: (place, image) => copy(place, `dir:${folderOf(image)}`, `docker://${image}`, 'dest'),
    pull: (place, image) => copy(place, `docker://${image}`, `dir:${folderOf(image)}`, 'src'),
    read: async (image) => {
      const archive = workshop.archive()
      await workshop.runWell(kind, ['copy', `dir:${folderOf(image)}`, `docker-archive:${archive}`])
      return readFileSync(archive)
    }
  }
}

/** crane keeps no images either: a tar file stands for each. It takes http on loopback by itself. */
function crane(workshop: Workshop): Client {
  const kind = { name: 'crane', options: [], plainHttp: [] }
  const fileOf = (image: string, side: 'made' | 'pulled'): string =>
    `${workshop.folder('crane', side)}/${Buffer.from(image).toString('hex')}.tar`
  return {
    ...docker(workshop, kind),
    login: workshop.login(kind, 'auth'),
    make: async (image, text) => {
      const layer = ['--new_layer', await workshop.tar(text)]
      await workshop.runWell(kind, [
        'append',
        ...layer,
        '--new_tag',
        image,
        '--output',
        fileOf(image, 'made')
      ])
    },
    push: (place, image) => workshop.run(kind, place, ['push', fileOf(image, 'made'), image]),
    pull: (place, image) => workshop.run(kind, place, ['pull', image, fileOf(image, 'pulled')]),
    read: async (image) => {
      const files = workshop.archive()
      const input = readFileSync(fileOf(image, 'pulled'))
      await workshop.runWell(kind, ['export', '-', files], { input })
      return readFileSync(files)
    }
  }
}
