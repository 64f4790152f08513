import { readFile } from 'node:fs/promises'
import type { Context } from '../context.ts'
import type { TrustedProfile } from '../credential/credential.ts'
import { UserError } from '../errors/user-error.ts'
import { Fault, fetchReply, parseBody } from '../http/retry.ts'
import { type AccessToken, exchangeComputeToken, explainReply, readAccessToken } from './client.ts'
import { stringAt } from '../json.ts'
import { isLoopback } from '../http/loopback.ts'

/** Where IBM Cloud puts a compute resource's token, in the order in which IBM's SDKs look, facts section 6. */
const TOKEN_FILES = [
  '/var/run/secrets/tokens/vault-token',
  '/var/run/secrets/tokens/sa-token',
  '/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token'
]

export interface ComputeEnvironment {
  readonly iamUrl: string
  /** `RUNNER_ENVIRONMENT`: `github-hosted`, `self-hosted`, or nothing. */
  readonly runner: string | undefined
  /** `IBMCLOUD_CR_VPC_URL`, which IBM's CLI reads. */
  readonly metadataUrl: string | undefined
  readonly tokenFiles?: readonly string[]
}

/**
 * Keyless: an IAM access token for a trusted profile, from what IBM Cloud gives to its own compute resources: a token
 * in a file (Kubernetes, Code Engine) or the instance metadata service (VPC).
 * @throws UserError where this machine has no such identity, or may not use the profile
 */
export async function fetchComputeToken(
  profile: TrustedProfile,
  surroundings: ComputeEnvironment,
  context: Context
): Promise<AccessToken> {
  const computeToken = await readComputeToken(surroundings.tokenFiles ?? TOKEN_FILES)
  if (computeToken !== undefined) {
    context.mask(computeToken)
    return await exchangeComputeToken(surroundings.iamUrl, computeToken, profile, context)
  }
  // There, 169.254.169.254 is another cloud's metadata service (facts/clients-and-runner.md, "The runner").
  if (surroundings.runner === 'github-hosted') {
    throw new UserError(
      'trusted-profile alone works on IBM Cloud only, and this is a GitHub-hosted runner.',
      'Give an api-key as well, or run the job on a self-hosted runner inside IBM Cloud (IKS, VPC, Code Engine).'
    )
  }
  return await askMetadataService(parseMetadataUrl(surroundings.metadataUrl), profile, context)
}

async function readComputeToken(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.trim() !== '') return text.trim()
  }
  return undefined
}

const METADATA_HOSTS = [
  '169.254.169.254',
  'api.metadata.cloud.ibm.com',
  'api.metadata.power-iaas.cloud.ibm.com'
]

/**
 * The origin of the metadata service: IBM's address, or loopback.
 * @throws UserError where IBMCLOUD_CR_VPC_URL names another host: any step can set it
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

// facts/ibm-cloud.md section 6: ibm-cloud-sdk-core's vpc-instance-token-manager.
const VERSION = 'version=2022-03-01'
const INSTANCE_TOKEN_LIFE_S = 300

/** Link-local: it answers at once, or is not there at all. */
const METADATA_SERVICE = {
  direct: true,
  attempts: 2,
  timeoutMs: 3_000,
  unreachableHint:
    'Is this machine inside IBM Cloud, with its metadata service switched on? If not, give an api-key.'
} as const

async function askMetadataService(
  origin: string,
  profile: TrustedProfile,
  context: Context
): Promise<AccessToken> {
  const instanceToken = await fetchReply(
    {
      method: 'PUT',
      url: new URL(`${origin}/instance_identity/v1/token?${VERSION}`),
      headers: { 'metadata-flavor': 'ibm', 'content-type': 'application/json' },
      body: JSON.stringify({ expires_in: INSTANCE_TOKEN_LIFE_S }),
      ...METADATA_SERVICE
    },
    (reply) => {
      if (reply.status !== 200)
        throw explainReply('The metadata service gave this machine no identity', reply, '')
      const token = stringAt(parseBody(reply), 'access_token')
      if (token === undefined) throw new Fault('it answered 200 without a token')
      context.mask(token)
      return token
    },
    context
  )
  return await fetchReply(
    {
      method: 'POST',
      url: new URL(`${origin}/instance_identity/v1/iam_token?${VERSION}`),
      headers: { authorization: `Bearer ${instanceToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ trusted_profile: { [profile.by]: profile.value } }),
      ...METADATA_SERVICE
    },
    (reply) => {
      if (reply.status === 200) return readAccessToken(reply, context)
      throw explainReply('The metadata service refused the trusted profile', reply, instanceToken)
    },
    context
  )
}
