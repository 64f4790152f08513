// docker as a builder: an image from one that is in the registry, pushed there again. Pulling is a build from an image.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildOptions, ChildResult } from '../support/child.ts'
import type { Client } from './clients.ts'
import { docker } from './image-clients.ts'
import { withBuildx, type Kind, type Place, type Workspace } from './workspace.ts'

interface Builder {
  name: string
  build: string[]
  /** Pushes as it builds. */
  push?: string
  env: Record<string, string>
  /** The docker CLI has BuildKit in itself up to 20.10; later ones ask for the plug-in. */
  plugin: boolean
}

const builders: Builder[] = [
  { name: 'docker build', build: ['build'], env: { DOCKER_BUILDKIT: '0' }, plugin: false },
  { name: 'docker build with BuildKit', build: ['build'], env: { DOCKER_BUILDKIT: '1' }, plugin: true },
  { name: 'docker buildx', build: ['buildx', 'build'], push: '--push', env: {}, plugin: true }
]

export function dockerBuilds(workspace: Workspace, dockerHost: string): Client[] {
  const kind = { name: 'docker', options: ['--host', dockerHost], plainHttp: [] }
  return builders.map((builder) => dockerBuild(workspace, kind, builder))
}

function dockerBuild(workspace: Workspace, kind: Kind, builder: Builder): Client {
  const { build, env, plugin, push } = builder
  const sources = new Map<string, string>()
  const nameOf = (image: string): string => `from-${image.split(':').at(-1) ?? ''}`
  const run = (place: Place, args: string[], options: ChildOptions): Promise<ChildResult> => {
    const work = (): Promise<ChildResult> => workspace.run(kind, place, args, options)
    return plugin ? withBuildx(place, work) : work()
  }
  const client = docker(workspace, kind)
  return {
    ...client,
    name: builder.name,
    derives: true,
    make: (image, text, base = 'scratch') => {
      sources.set(image, makeSource(workspace, base, text))
      return Promise.resolve()
    },
    push: async (place, image) => {
      const args = [...build, ...(push === undefined ? [] : [push]), '--tag', image]
      const built = await run(place, [...args, sources.get(image) ?? ''], { env })
      return built.exitCode === 0 && push === undefined ? client.push(place, image) : built
    },
    pull: (place, image) =>
      run(place, [...build, '--pull', '--tag', nameOf(image), makeSource(workspace, image, 'more')], { env }),
    read: async (image) => {
      const archive = workspace.archive()
      await workspace.runWell(kind, ['save', '--output', archive, nameOf(image)])
      return readFileSync(archive)
    }
  }
}

/** A folder to build, which needs no network: one file on top of an image. */
function makeSource(workspace: Workspace, base: string, text: string): string {
  const folder = workspace.textFolder(text)
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${base}\nCOPY text /text-on-top\n`)
  return folder
}
