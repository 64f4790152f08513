import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Ends a process and all its descendants: a credential helper that docker started, a docker behind a wrapper script.
 * A process whose parent has ended (a key agent) is not a descendant.
 * @param pid of a child of this process
 */
export function killTree(pid: number): void {
  if (process.platform === 'win32') {
    const taskkill = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe')
    ignoreErrors(() => execFileSync(taskkill, ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' }))
    return
  }
  const tree = new Set([pid])
  for (const member of tree) {
    // A stopped process starts no further children while the tree is read.
    ignoreErrors(() => process.kill(member, 'SIGSTOP'))
    for (const [child, parent] of listProcesses()) if (parent === member) tree.add(child)
  }
  for (const member of tree) ignoreErrors(() => process.kill(member, 'SIGKILL'))
}

/** Each process of this machine with its parent, by ID. */
function listProcesses(): [pid: number, parent: number][] {
  if (process.platform !== 'linux') {
    const lines = execFileSync('/bin/ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    return lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
  }
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    return Number.isInteger(pid) ? [[pid, parentOf(pid)]] : []
  })
}

/** 0 for a process that has ended since. */
function parentOf(pid: number): number {
  try {
    // proc(5): the fourth field; the second, the name, is in parentheses and can hold both blanks and parentheses.
    return Number(/.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return 0
  }
}

/** A process that is gone already is no error. */
function ignoreErrors(work: () => unknown): void {
  try {
    work()
  } catch {
    // It ended by itself.
  }
}
