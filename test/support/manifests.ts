// action.yml and action-types.yml, as a YAML reader reads them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')

export interface Declared {
  description: string
  default?: string
}

export interface Manifest {
  name: string
  description: string
  inputs: Record<string, Declared>
  outputs: Record<string, Declared>
}

/** A type of github-actions-typing. */
export interface Typing {
  type: string
  name?: string
  separator?: string
  'allowed-values'?: string[]
  'list-item'?: Typing
}

export interface Typings {
  inputs: Record<string, Typing>
  outputs: Record<string, Typing>
}

const read = (name: string): unknown => parse(readFileSync(join(root, name), 'utf8'))

export const readManifest = (): Manifest => read('action.yml') as Manifest

export const readTypings = (): Typings => read('action-types.yml') as Typings
