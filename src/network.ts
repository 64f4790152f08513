/** What a plain login never loads: one chunk of dist. `login.ts` and `cleanup.ts` import it where they need it. */
export { installDocker } from './docker/install.ts'
export { resolveCredential } from './iam/access-token.ts'
export { resolveMint } from './mint/inputs.ts'
export { mintForJob } from './mint/mint.ts'
export { revokeMinted } from './mint/revoke.ts'
export { retryWhileUnknown, verifyCredential } from './registry/client.ts'
