// JSON web tokens: RS256, and HS256 for the registry tokens of old.
import { createHmac, createPublicKey, createSign, createVerify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isRecord } from './http.ts'

export interface SigningKey {
  id: string
  privateKey: KeyObject
  publicKey: KeyObject
  /** The certificate of that key: PEM for a registry's root bundle, DER in base64 for `x5c`. */
  certificatePem: string
  certificateDer: string
}

export type Claims = Record<string, unknown>

export function signJwt(key: SigningKey, claims: Claims, header: Claims = {}): string {
  const head = encodePart({ typ: 'JWT', alg: 'RS256', ...header })
  const signed = `${head}.${encodePart(claims)}`
  const signature = createSign('RSA-SHA256').update(signed).sign(key.privateKey, 'base64url')
  return `${signed}.${signature}`
}

/** With a secret of the signer's own (HS256), as registry tokens were. */
export function signHs256(claims: Claims, secret: string): string {
  const signed = `${encodePart({ alg: 'HS256', typ: 'JWT' })}.${encodePart(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** The claims of a token that this key signed; undefined for anything else. */
export function verifyJwt(key: SigningKey, token: string): Claims | undefined {
  const [head, payload, signature, ...rest] = token.split('.')
  if (head === undefined || payload === undefined || signature === undefined || rest.length > 0)
    return undefined
  const verifier = createVerify('RSA-SHA256').update(`${head}.${payload}`)
  return verifier.verify(key.publicKey, signature, 'base64url') ? decodePart(payload) : undefined
}

export function looksLikeJwt(text: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
}

/** The claims of any token, whoever signed it. */
export function readClaims(token: string): Claims {
  return decodePart(token.split('.')[1] ?? '') ?? {}
}

/** The public half, as an entry of a JSON web key set. */
export function publicJwk(key: SigningKey): Claims {
  const jwk = createPublicKey(key.certificatePem).export({ format: 'jwk' })
  return { ...jwk, kid: key.id, alg: 'RS256', use: 'sig' }
}

export function encodePart(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodePart(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
