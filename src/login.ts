import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import type { Context } from './context.ts'
import { type Credential, formatBasic, formatTime, parseEnd, USERNAMES } from './credential.ts'
import { configPath, dockerConfigDirectory, keep } from './docker-config.ts'
import { type Identity, type Inputs, readInputs } from './inputs.ts'
import { logInToRegistries } from './registry-login.ts'
import { createContext, reportLogin } from './report.ts'
import { findShadows } from './shadow.ts'
import { saveBegun, saveState, type State } from './state.ts'

/** The main phase: inputs → hosts → credential → log in → report. */
export async function login(): Promise<void> {
  saveBegun()
  const inputs = await readInputs(Date.now())
  const context = createContext(inputs.timeoutMs)
  const plan = planState(inputs)
  saveState(plan)
  warnOfDeadWays(inputs.identity)
  const credential = await resolveCredential(inputs, context)
  core.setSecret(formatBasic(credential))
  await logInToRegistries(plan, credential, context)
  const state = await settle(plan, credential, inputs.logout, context)
  await warnOfShadows(state)
  await reportLogin(state, credential)
}

function planState({ hosts }: Inputs): State {
  const nonce = randomBytes(8).toString('hex')
  const temp = process.env['RUNNER_TEMP'] ?? tmpdir()
  return {
    nonce,
    directory: dockerConfigDirectory(),
    scratch: join(temp, `icr-login-${nonce}`),
    hosts,
    stage: 'begun',
    end: ''
  }
}

// facts/ibm-cloud.md section 2.1.
function warnOfDeadWays(identity: Identity): void {
  if (identity.kind !== 'registry-token') return
  core.warning('IBM has refused registry tokens since 19 August 2021. It is tried; give an api-key instead.')
}

interface ResolvedCredential extends Credential {
  readonly end: Date | undefined
  /** Whether it was made for this job and ends soon, so that later steps may be handed it. */
  readonly shortLived: boolean
}

async function resolveCredential(
  { identity, iamUrl }: Inputs,
  context: Context
): Promise<ResolvedCredential> {
  if (identity.kind !== 'keyless') {
    const { kind, secret, profileId } = identity
    const end = kind === 'access-token' || kind === 'registry-token' ? parseEnd(secret) : undefined
    return { username: profileId ?? USERNAMES[kind], secret, end, shortLived: false }
  }
  const { fetchIdentityToken } = await import('./compute-identity.ts')
  const surroundings = {
    iamUrl,
    runner: process.env['RUNNER_ENVIRONMENT'],
    metadataUrl: process.env['IBMCLOUD_CR_VPC_URL']
  }
  const { token, end } = await fetchIdentityToken(identity.profile, surroundings, context)
  return { username: USERNAMES['access-token'], secret: token, end, shortLived: true }
}

/** From here on post undoes the login, or leaves it where the user wants it to stay. */
async function settle(
  plan: State,
  { end }: ResolvedCredential,
  logout: boolean,
  context: Context
): Promise<State> {
  if (!logout) await keep(plan.directory, plan.nonce, context)
  const state: State = {
    ...plan,
    stage: logout ? 'held' : 'kept',
    end: end === undefined ? '' : formatTime(end)
  }
  saveState(state)
  return state
}

async function warnOfShadows({ hosts, directory }: State): Promise<void> {
  for (const line of await findShadows(hosts, configPath(directory), process.env)) core.warning(line)
}
