import * as fs from 'node:fs'
import type * as promises from 'node:fs/promises'

/**
 * The calls of node:fs/promises that each login makes, but done at once, and not in a thread: its files are few and
 * small, and to load node:fs/promises and start its threads takes longer than all of them (docs/performance.md).
 */
export const access = atOnce('access')
export const copyFile = atOnce('copyFile')
export const link = atOnce('link')
export const lstat = atOnce('lstat')
export const mkdir = atOnce('mkdir')
export const readdir = atOnce('readdir')
export const readFile = atOnce('readFile')
export const readlink = atOnce('readlink')
export const realpath = atOnce('realpath')
export const rename = atOnce('rename')
export const rm = atOnce('rm')
export const rmdir = atOnce('rmdir')
export const stat = atOnce('stat')
export const writeFile = atOnce('writeFile')

/** What lies at a path itself, be it a link; undefined for nothing: to throw that and catch it takes longer. */
// Async, so that what it throws rejects.
// eslint-disable-next-line @typescript-eslint/require-await
export async function lookAt(path: string): Promise<fs.Stats | undefined> {
  return fs.lstatSync(path, { throwIfNoEntry: false })
}

type Name = Extract<keyof typeof promises, keyof typeof fs>

function atOnce<N extends Name>(name: N): (typeof promises)[N] {
  const calls = fs as unknown as Record<string, (...args: never[]) => unknown>
  // Async, so that what it throws rejects.
  // eslint-disable-next-line @typescript-eslint/require-await
  const promised = async (...args: never[]): Promise<unknown> => calls[`${name}Sync`]?.(...args)
  return promised as (typeof promises)[N]
}
