import { readFileSync } from 'node:fs'
import type { Context } from '../context.ts'
import type { TrustedProfile } from '../credential/credential.ts'
import { explainReply } from '../errors/known-messages.ts'
import { UserError } from '../errors/user-error.ts'
import type { Reply, Request } from '../http/client.ts'
import { isLoopback } from '../http/loopback.ts'
import { fetchReply } from '../http/retry.ts'
import { type AccessToken, exchangeComputeToken, readAccessToken } from './client.ts'

/** The files that hold a compute resource's token, in the order of IBM's SDKs (docs/references.md, "Keyless"). */
const TOKEN_FILES = [
  '/var/run/secrets/tokens/vault-token',
  '/var/run/secrets/tokens/sa-token',
  '/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token'
]

interface ComputeEnvironment {
  readonly iamUrl: string
  /** `RUNNER_ENVIRONMENT`: `github-hosted`, `self-hosted`, or not set. */
  readonly runner: string | undefined
  /** `IBMCLOUD_CR_VPC_URL`, which IBM's CLI reads. */
  readonly metadataUrl: string | undefined
  readonly tokenFiles?: readonly string[]
}

/**
 * Keyless: an IAM access token for a trusted profile, with the identity of an IBM Cloud compute resource: a token in a
 * file (Kubernetes, Code Engine) or the instance metadata service (VPC).
 * @throws UserError if this machine has no such identity, or is not allowed to use the profile
 */
export async function fetchComputeToken(
  profile: TrustedProfile,
  { iamUrl, runner, metadataUrl, tokenFiles = TOKEN_FILES }: ComputeEnvironment,
  context: Context
): Promise<AccessToken> {
  const computeToken = tokenFiles.map(readIfExists).find((text) => text !== '')
  if (computeToken !== undefined) {
    context.mask(computeToken)
    return await exchangeComputeToken(iamUrl, computeToken, profile, context)
  }
  // There, 169.254.169.254 is another cloud's metadata service (docs/references.md, "Runner").
  if (runner === 'github-hosted') {
    throw new UserError(
      'trusted-profile alone works on IBM Cloud only, and this is a GitHub-hosted runner.',
      'Give an api-key as well, or run the job on a self-hosted runner inside IBM Cloud (IKS, VPC, Code Engine).'
    )
  }
  return await fetchProfileToken(parseMetadataUrl(metadataUrl), profile, context)
}

function readIfExists(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

const METADATA_HOSTS = [
  '169.254.169.254',
  'api.metadata.cloud.ibm.com',
  'api.metadata.power-iaas.cloud.ibm.com'
]

/**
 * The origin of the metadata service: IBM's address, or loopback.
 * @throws UserError if IBMCLOUD_CR_VPC_URL names another host: any step can set it
 */
export function parseMetadataUrl(text: string | undefined): string {
  if (text === undefined || text === '') return 'http://169.254.169.254'
  const [, origin, host = ''] = /^(https?:\/\/([^/]+))\/?$/.exec(text) ?? []
  if (origin !== undefined && (METADATA_HOSTS.includes(host) || isLoopback(host))) return origin
  throw new UserError(
    "IBMCLOUD_CR_VPC_URL is not the address of IBM Cloud's metadata service.",
    `Unset it, or set it to one of ${METADATA_HOSTS.map((name) => `http://${name}`).join(', ')}.`
  )
}

/** Link-local: it answers at once, or is not there at all. */
const METADATA_SERVICE = {
  direct: true,
  attempts: 2,
  timeoutMs: 3_000,
  unreachableHint:
    'Is this machine inside IBM Cloud, with its metadata service switched on? If not, give an api-key.'
} as const

const INSTANCE_TOKEN_LIFE_S = 300

/** Two steps (docs/references.md, "Keyless"): the machine's own token, then the profile's. */
async function fetchProfileToken(
  origin: string,
  profile: TrustedProfile,
  context: Context
): Promise<AccessToken> {
  const requestFor = (
    path: string,
    header: Record<string, string>,
    content: object
  ): Omit<Request, 'method'> => ({
    url: new URL(`${origin}/instance_identity/v1/${path}?version=2022-03-01`),
    headers: { ...header, 'content-type': 'application/json' },
    body: JSON.stringify(content),
    ...METADATA_SERVICE
  })
  const life = { expires_in: INSTANCE_TOKEN_LIFE_S }
  const { token } = await fetchReply(
    { method: 'PUT', ...requestFor('token', { 'metadata-flavor': 'ibm' }, life) },
    (reply) => readToken('The metadata service gave this machine no identity', reply, '', context),
    context
  )
  const assumed = { trusted_profile: { [profile.by]: profile.value } }
  return await fetchReply(
    { method: 'POST', ...requestFor('iam_token', { authorization: `Bearer ${token}` }, assumed) },
    (reply) => readToken('The metadata service refused the trusted profile', reply, token, context),
    context
  )
}

function readToken(what: string, reply: Reply, secret: string, context: Context): AccessToken {
  if (reply.status === 200) return readAccessToken(reply, context)
  throw explainReply(`${what} (${reply.status})`, reply, secret)
}
