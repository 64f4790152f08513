// The variables of this process as a test wants them; each is put back after the test.
import { afterEach, beforeEach } from '@jest/globals'

/** Sets variables for one test; undefined takes one away. */
export function setVariables(changes: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
}

/** Call once in a file: before each of its tests there is no proxy, whatever the machine has. */
export function useOwnEnvironment(): void {
  let before: NodeJS.ProcessEnv = {}
  beforeEach(() => {
    before = { ...process.env }
    const proxies = Object.keys(process.env).filter((name) => /_proxy$/i.test(name))
    setVariables(Object.fromEntries(proxies.map((name) => [name, undefined])))
  })
  afterEach(() => {
    const added = Object.keys(process.env).filter((name) => !(name in before))
    setVariables({ ...Object.fromEntries(added.map((name) => [name, undefined])), ...before })
  })
}
