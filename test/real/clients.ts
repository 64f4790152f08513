// The real clients that a login is for, behind one interface. Each keeps what it makes and pulls in a folder of its own,
// and reads the login where it always does: in the docker config of the home that it is given.
import { artifactClients } from './artifact-clients.ts'
import { dockerBuilds } from './docker-builds.ts'
import { imageClients } from './image-clients.ts'
import type { ChildResult } from '../support/child.ts'
import { Workspace, type Login, type Place } from './workspace.ts'

export type { Place } from './workspace.ts'

export interface Client {
  name: string
  /** Can pull what another client has pushed: an image. */
  image: boolean
  /** Starts from an image that is in the registry: `make` is given its name. */
  derives?: boolean
  login: Login
  /** Makes something that holds this text and nothing else. */
  make(image: string, text: string, base?: string): Promise<void>
  push(place: Place, image: string): Promise<ChildResult>
  pull(place: Place, image: string): Promise<ChildResult>
  /** What was pulled, in bytes that are not compressed. */
  read(image: string): Promise<Buffer>
  /** Anything else that it can do. */
  run(place: Place, args: string[]): Promise<ChildResult>
}

/** Throws with what the client said if it did not end well. */
export function mustSucceed({ exitCode, stdout, stderr }: ChildResult): void {
  if (exitCode !== 0) throw new Error(`exit code ${exitCode ?? 'none'}\n${stdout}${stderr}`)
}

export class Clients {
  readonly #workspace = new Workspace()
  readonly all: Client[]
  readonly dockerHost: string

  /** @param dockerHost the daemon that docker and its builds work with, for DOCKER_HOST */
  constructor(dockerHost: string) {
    this.dockerHost = dockerHost
    this.all = [
      ...imageClients(this.#workspace, dockerHost),
      ...dockerBuilds(this.#workspace, dockerHost),
      ...artifactClients(this.#workspace)
    ]
  }

  /** For whatever a test has to put there; it goes with the clients. */
  get folder(): string {
    return this.#workspace.root
  }

  close(): void {
    this.#workspace.close()
  }
}
