// What a test of a mint gives each way, and what it finds afterwards: at IBM Cloud, at the registry, on the job's page.
import {
  OPERATOR_ID,
  OPERATOR_KEY,
  PROFILE_ID,
  READER_ID,
  REPOSITORY,
  WRITER_KEY
} from '../../cloud/default-world.ts'
import type { Cloud } from '../../cloud/cloud.ts'
import type { ApiKey, RegistryToken } from '../../cloud/data.ts'
import type { Inputs, Job } from '../../support/runner.ts'
import { authOf } from './stage.ts'

export interface WayCase {
  readonly inputs: Inputs
  /** The long-lived secret in the inputs. */
  readonly secret: string
  readonly username: string
}

/** Each way with a secret that goes with it, and that leads to a credential which may only pull. */
export const WAYS: Readonly<Record<string, WayCase>> = {
  // The key may push; its token may not.
  'repository-token': { inputs: { 'api-key': WRITER_KEY }, secret: WRITER_KEY, username: '' },
  'iam-token': {
    inputs: { 'api-key': WRITER_KEY, 'trusted-profile': PROFILE_ID },
    secret: WRITER_KEY,
    username: 'iambearer'
  },
  'api-key': {
    inputs: { 'api-key': OPERATOR_KEY, 'service-id': READER_ID },
    secret: OPERATOR_KEY,
    username: 'iamapikey'
  },
  'registry-token': { inputs: { 'api-key': OPERATOR_KEY }, secret: OPERATOR_KEY, username: 'token' }
}

/** A way's inputs, with a repository to prove it against. */
export function mintInputs(way: string, more: Inputs = {}): Inputs {
  return { ...WAYS[way]?.inputs, mint: way, repositories: REPOSITORY, ...more }
}

const OURS = 'icr-login/'

export function keysOf({ world }: Cloud): ApiKey[] {
  return world.apiKeys.filter(({ name }) => name.startsWith(OURS))
}

export function tokensOf({ world }: Cloud): RegistryToken[] {
  return world.registryTokens.filter(({ description }) => description.startsWith(OURS))
}

/** All that this action has made and that can be revoked. */
export function madeIn(cloud: Cloud): { id: string }[] {
  return [...keysOf(cloud), ...tokensOf(cloud)]
}

/** The rows of a job summary, without its HTML. */
export function rowsOf(summary: string): Record<string, string> {
  const rows = summary.matchAll(/<tr><th>(?<name>.*?)<\/th><td>(?<cell>.*?)<\/td><\/tr>/gu)
  return Object.fromEntries(
    [...rows].map(({ groups = {} }) => [
      groups['name'] ?? '',
      (groups['cell'] ?? '').replaceAll('<br>', ', ').replaceAll(/<[^>]*>/gu, '')
    ])
  )
}

/** The login that the job's config.json holds for a host, as a client would use it. */
export function entryOf(job: Job, host: string): Record<string, unknown> {
  return job.dockerConfig()?.auths?.[host] ?? {}
}

/** What the registry grants a credential on a repository, or the status with which it refuses to say. */
export async function grantsOf(
  host: string,
  username: string,
  password: string,
  repository = REPOSITORY
): Promise<string[] | number> {
  const query = new URLSearchParams({
    service: 'registry',
    scope: `repository:${repository}:pull,push`
  })
  const answer = await fetch(`http://${host}/oauth/token?${query.toString()}`, {
    headers: { authorization: `Basic ${authOf(username, password)}` }
  })
  if (answer.status !== 200) return answer.status
  const { token } = (await answer.json()) as { token: string }
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return (JSON.parse(claims) as { access: { actions: string[] }[] }).access.flatMap(({ actions }) => actions)
}

/** The status that a pull gets with a token of the registry's own. */
export async function statusWithToken(host: string, token: string, method = 'GET'): Promise<number> {
  const path = method === 'GET' ? 'tags/list' : 'blobs/uploads/'
  const answer = await fetch(`http://${host}/v2/${REPOSITORY}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` }
  })
  return answer.status
}

/** Gives the one who mints a right to push, which shows in what is minted for it. */
export function letPush({ world }: Cloud, id: string = OPERATOR_ID): void {
  world.addPolicy({ iamId: world.identity(id)?.iamId ?? '', role: 'Writer' })
}
