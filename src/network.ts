/**
 * All that talks to the network itself, and all that minting needs: one chunk of dist. The bundler gives each
 * `import()` a copy of all that it needs, so that many small ones would carry http.ts many times.
 */
export { fetchIdentityToken } from './iam/compute.ts'
export { exchangeApiKey } from './iam/client.ts'
export { resolveMint } from './mint/inputs.ts'
export { mintForJob } from './mint/mint.ts'
export { checkCredential } from './registry/client.ts'
