import * as core from '@actions/core'
import { parseSecret, SECRET_KINDS, type SecretKind } from '../credential/credential.ts'
import { hide, mask } from './log.ts'

/**
 * The secrets that were set, each masked as pasted and as it will be used.
 * @throws UserError for the first that can't be a secret of its kind
 */
export function readSecrets(): ReadonlyMap<SecretKind, string> {
  // All of them are masked before any of them can be the reason of an error.
  for (const kind of SECRET_KINDS) hideLines(readPasted(kind))
  return new Map(
    SECRET_KINDS.flatMap((kind) => {
      const secret = readSecret(kind)
      return secret === undefined ? [] : [[kind, secret] as const]
    })
  )
}

/** Masks the secrets for post, which gets the inputs again: no child process gets them, and no error shows them. */
export function maskSecrets(): void {
  for (const kind of SECRET_KINDS) {
    try {
      readSecret(kind)
    } catch {
      // One that another step has changed is masked as it is.
    }
  }
}

/**
 * One secret; undefined where it is not set. Post reads it again, evaluated again.
 * @throws UserError where it can't be a secret of that kind
 */
export function readSecret(kind: SecretKind): string | undefined {
  const pasted = readPasted(kind)
  if (pasted.trim() === '') return undefined
  hideLines(pasted)
  const secret = parseSecret(kind, pasted)
  mask(secret)
  hideLines(secret)
  return secret
}

function readPasted(kind: SecretKind): string {
  return core.getInput(kind, { trimWhitespace: false })
}

/** The lines of a key file hold the key, but a line that is a brace would hide every brace of the log. */
function hideLines(text: string): void {
  for (const line of text.split(/[\r\n]+/)) if (line.trim().length > 3) hide(line.trim())
}
