// Keys and certificates, made in this process: for signing tokens, and for TLS under IBM's names.
import { generateKeyPair, randomBytes, sign } from 'node:crypto'
import type { KeyObject, KeyPairKeyObjectResult } from 'node:crypto'
import { promisify } from 'node:util'
import {
  bits,
  boolean,
  integer,
  nothing,
  objectId,
  octets,
  sequence,
  set,
  tagged,
  time,
  utf8
} from './der.ts'
import type { SigningKey } from './jwt.ts'

const DAY = 24 * 60 * 60 * 1000
const newKeys = promisify(generateKeyPair)

export interface Authority {
  name: string
  privateKey: KeyObject
  pem: string
}

export interface ServerCertificate {
  cert: string
  key: string
}

/** `good`, or what a client must not accept. */
export type CertificateKind = 'good' | 'self-signed' | 'expired' | 'wrong-name'

export async function makeSigningKey(name: string): Promise<SigningKey> {
  const keys: KeyPairKeyObjectResult = await newKeys('rsa', { modulusLength: 2048 })
  const der = certificate({
    ...validity(false),
    ...keys,
    subject: name,
    issuer: name,
    extensions: [isAuthority()]
  })
  return {
    id: randomBytes(8).toString('hex'),
    ...keys,
    certificatePem: pemOf(der),
    certificateDer: der.toString('base64')
  }
}

export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await newEcKeys()
  const der = certificate({
    ...validity(false),
    ...keys,
    subject: name,
    issuer: name,
    extensions: [isAuthority()]
  })
  return { name, privateKey: keys.privateKey, pem: pemOf(der) }
}

export async function makeServerCertificate(
  authority: Authority,
  host: string,
  kind: CertificateKind
): Promise<ServerCertificate> {
  const { publicKey, privateKey } = await newEcKeys()
  const name = kind === 'wrong-name' ? 'another.example.test' : host
  const signer = kind === 'self-signed' ? { name, privateKey } : authority
  const der = certificate({
    ...validity(kind === 'expired'),
    subject: name,
    issuer: signer.name,
    publicKey,
    privateKey: signer.privateKey,
    extensions: [isServer(), hasName(name)]
  })
  return { cert: pemOf(der), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function newEcKeys(): Promise<KeyPairKeyObjectResult> {
  return newKeys('ec', { namedCurve: 'P-256' })
}

/** From three days ago, so that a clock that is a little off does no harm. */
function validity(over: boolean): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - 3 * DAY), notAfter: new Date(now + (over ? -DAY : 30 * DAY)) }
}

interface Certificate {
  subject: string
  issuer: string
  notBefore: Date
  notAfter: Date
  publicKey: KeyObject
  /** The issuer's. */
  privateKey: KeyObject
  extensions: Buffer[]
}

/** RFC 5280, section 4.1. */
function certificate(wanted: Certificate): Buffer {
  const algorithm = signatureAlgorithm(wanted.privateKey)
  const signed = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    commonName(wanted.issuer),
    sequence(time(wanted.notBefore), time(wanted.notAfter)),
    commonName(wanted.subject),
    wanted.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...wanted.extensions))
  )
  return sequence(signed, algorithm, bits(sign('sha256', signed, wanted.privateKey)))
}

function signatureAlgorithm(key: KeyObject): Buffer {
  const sha256WithRsa = sequence(objectId('1.2.840.113549.1.1.11'), nothing())
  const sha256WithEcdsa = sequence(objectId('1.2.840.10045.4.3.2'))
  return key.asymmetricKeyType === 'rsa' ? sha256WithRsa : sha256WithEcdsa
}

function commonName(name: string): Buffer {
  return sequence(set(sequence(objectId('2.5.4.3'), utf8(name))))
}

function isAuthority(): Buffer {
  return sequence(objectId('2.5.29.19'), boolean(true), octets(sequence(boolean(true))))
}

function isServer(): Buffer {
  return sequence(objectId('2.5.29.37'), octets(sequence(objectId('1.3.6.1.5.5.7.3.1'))))
}

function hasName(host: string): Buffer {
  return sequence(objectId('2.5.29.17'), octets(sequence(tagged(2, Buffer.from(host), false))))
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
