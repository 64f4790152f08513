// Which scripts and functions the Nodes that a piece of work starts have run; Node itself tells.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As V8 tells it (the DevTools protocol's ScriptCoverage). */
export interface Script {
  readonly url: string
  /** The first range of each is the function itself; the others are blocks in it. */
  readonly functions: readonly { readonly ranges: readonly Range[] }[]
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

/** @param work is given the environment for what it starts */
export async function watchScripts(
  work: (env: { NODE_V8_COVERAGE: string }) => Promise<void>
): Promise<Script[]> {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-scripts-'))
  try {
    await work({ NODE_V8_COVERAGE: folder })
    return readdirSync(folder).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: Script[] }
      return result
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
