export const id = 64;
export const ids = [64];
export const modules = {

/***/ 64:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  exchangeApiKey: () => (/* reexport */ client/* exchangeApiKey */.dF),
  fetchIdentityToken: () => (/* reexport */ fetchIdentityToken),
  resolveMint: () => (/* reexport */ resolveMint)
});

// UNUSED EXPORTS: checkCredential, mintForJob

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(1455);
// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/http/retry.ts + 1 modules
var retry = __webpack_require__(9792);
// EXTERNAL MODULE: ./src/iam/client.ts
var client = __webpack_require__(6238);
// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(8301);
// EXTERNAL MODULE: ./src/registry/hosts.ts
var registry_hosts = __webpack_require__(1604);
;// CONCATENATED MODULE: ./src/iam/compute.ts






/** Where IBM Cloud puts a compute resource's token, in the order in which IBM's SDKs look, facts section 6. */
const TOKEN_FILES = [
    '/var/run/secrets/tokens/vault-token',
    '/var/run/secrets/tokens/sa-token',
    '/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token'
];
/**
 * Keyless: an IAM access token for a trusted profile, from what IBM Cloud gives to its own compute resources: a token
 * in a file (Kubernetes, Code Engine) or the instance metadata service (VPC).
 * @throws UserError where this machine has no such identity, or may not use the profile
 */
async function fetchIdentityToken(profile, surroundings, context) {
    const computeToken = await readComputeToken(surroundings.tokenFiles ?? TOKEN_FILES);
    if (computeToken !== undefined) {
        context.mask(computeToken);
        return await (0,client/* exchangeComputeToken */.Im)(surroundings.iamUrl, computeToken, profile, context);
    }
    // There, 169.254.169.254 is another cloud's metadata service (facts/clients-and-runner.md, "The runner").
    if (surroundings.runner === 'github-hosted') {
        throw new user_error/* UserError */.yo('trusted-profile alone works on IBM Cloud only, and this is a GitHub-hosted runner.', 'Give an api-key as well, or run the job on a self-hosted runner inside IBM Cloud (IKS, VPC, Code Engine).');
    }
    return await askMetadataService(parseMetadataUrl(surroundings.metadataUrl), profile, context);
}
async function readComputeToken(files) {
    for (const file of files) {
        const text = await (0,promises_.readFile)(file, 'utf8').catch(() => '');
        if (text.trim() !== '')
            return text.trim();
    }
    return undefined;
}
const METADATA_HOSTS = [
    '169.254.169.254',
    'api.metadata.cloud.ibm.com',
    'api.metadata.power-iaas.cloud.ibm.com'
];
/**
 * The origin of the metadata service: IBM's address, or loopback.
 * @throws UserError where IBMCLOUD_CR_VPC_URL names another host: any step can set it
 */
function parseMetadataUrl(text) {
    if (text === undefined || text === '')
        return 'http://169.254.169.254';
    const [, origin, host = ''] = /^(https?:\/\/([^/]+))\/?$/.exec(text) ?? [];
    if (origin !== undefined && (METADATA_HOSTS.includes(host) || (0,registry_hosts/* isLoopback */.U9)(host)))
        return origin;
    throw new user_error/* UserError */.yo("IBMCLOUD_CR_VPC_URL is not the address of IBM Cloud's metadata service.", `Unset it, or set it to one of ${METADATA_HOSTS.map((name) => `http://${name}`).join(', ')}.`);
}
// facts/ibm-cloud.md section 6: ibm-cloud-sdk-core's vpc-instance-token-manager.
const VERSION = 'version=2022-03-01';
const INSTANCE_TOKEN_LIFE_S = 300;
async function askMetadataService(origin, profile, context) {
    const instanceToken = await (0,retry/* fetchReply */.dI)({
        method: 'PUT',
        url: new URL(`${origin}/instance_identity/v1/token?${VERSION}`),
        headers: { 'metadata-flavor': 'ibm', 'content-type': 'application/json' },
        body: JSON.stringify({ expires_in: INSTANCE_TOKEN_LIFE_S }),
        nearby: true
    }, (reply) => {
        if (reply.status !== 200)
            throw (0,client/* explainReply */.Sk)('The metadata service gave this machine no identity', reply, '');
        const token = (0,json/* stringAt */.bX)((0,retry/* parseBody */.OG)(reply), 'access_token');
        if (token === undefined)
            throw new retry/* Fault */.vC('it answered 200 without a token');
        context.mask(token);
        return token;
    }, context);
    return await (0,retry/* fetchReply */.dI)({
        method: 'POST',
        url: new URL(`${origin}/instance_identity/v1/iam_token?${VERSION}`),
        headers: { authorization: `Bearer ${instanceToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ trusted_profile: { [profile.by]: profile.value } }),
        nearby: true
    }, (reply) => {
        if (reply.status === 200)
            return (0,client/* readAccessToken */.o3)(reply, context);
        throw (0,client/* explainReply */.Sk)('The metadata service refused the trusted profile', reply, instanceToken);
    }, context);
}

// EXTERNAL MODULE: ./src/mint/methods.ts + 7 modules
var methods = __webpack_require__(6212);
;// CONCATENATED MODULE: ./src/mint/inputs.ts



/**
 * What is to be minted; undefined for `mint: none`.
 * @throws UserError for what a way needs and was not given, and for what makes no sense with it
 */
function resolveMint(texts, job) {
    const { mint: way, serviceId, lifetime, readOnly } = texts;
    if (way === 'none') {
        refuseWithoutMint(texts);
        return undefined;
    }
    if (!(0,methods/* isWayName */.xr)(way)) {
        throw new user_error/* UserError */.yo(`mint: "${(0,user_error/* quote */.hD)(way)}" is none.`, `Give one of none, ${Object.keys(methods/* WAYS */.dk).join(', ')}.`);
    }
    const rules = methods/* WAYS */.dk[way];
    checkMinter(way, rules, job);
    const repositories = resolveRepositories(texts.repositories, job);
    if (way === 'repository-token')
        checkEveryHost(job.hosts, repositories);
    if (lifetime !== undefined && lifetime.milliseconds > rules.longestMs) {
        throw new user_error/* UserError */.yo(`lifetime: ${lifetime.text} is longer than mint: ${way} can give, which is ${rules.longestMs / 3_600_000}h.`, 'Shorten it, or use mint: api-key, which lasts up to 24h.');
    }
    return {
        way,
        repositories,
        serviceId: resolveServiceId(way, serviceId),
        lifetimeMs: lifetime?.milliseconds,
        readOnly,
        profile: way === 'iam-token' && job.minter !== 'keyless' ? job.profile : undefined
    };
}
function refuseWithoutMint({ repositories, serviceId, lifetime, readOnly }) {
    const given = [
        ...(repositories.length > 0 ? ['repositories'] : []),
        ...(serviceId === '' ? [] : ['service-id']),
        ...(lifetime === undefined ? [] : ['lifetime']),
        ...(readOnly ? [] : ['read-only: false'])
    ];
    if (given.length === 0)
        return;
    throw new user_error/* UserError */.yo(`${(0,user_error/* formatList */.ki)(given)} means nothing without mint.`, `Take it out, or give mint: ${Object.keys(methods/* WAYS */.dk).join(', ')}.`);
}
function checkMinter(way, rules, { minter, profile }) {
    const why = rules.refuses[minter];
    if (why !== undefined) {
        throw new user_error/* UserError */.yo(`mint: ${way} does not go with ${minter}: ${why}.`, 'Give an api-key, or another mint.');
    }
    if (way === 'iam-token' && minter === 'access-token' && profile === undefined) {
        throw new user_error/* UserError */.yo('mint: iam-token makes no sense with access-token alone: it is one already.', 'Leave mint out, or give trusted-profile as well, which is assumed then.');
    }
    if (rules.revoker !== undefined && minter !== 'keyless' && profile !== undefined) {
        throw new user_error/* UserError */.yo(`trusted-profile does not go with mint: ${way} and ${minter}.`, 'Take trusted-profile out, or use mint: iam-token, which assumes it.');
    }
}
/** Every repository, under each host that it is on. */
function resolveRepositories(texts, { hosts, references }) {
    const found = new Map(hosts.map((host) => [host, []]));
    for (const text of texts) {
        const { host, repository } = (0,registry_hosts/* parseRepository */.SU)(text);
        if (host !== undefined && !hosts.includes(host)) {
            throw new user_error/* UserError */.yo(`repositories: "${(0,user_error/* quote */.hD)(text)}" is on a host that this step does not log in to.`, `The hosts are ${(0,user_error/* formatList */.ki)(hosts)}.`);
        }
        for (const at of host === undefined ? hosts : [host])
            found.get(at)?.push(repository);
    }
    for (const { host, repository } of references)
        if (repository !== undefined)
            found.get(host)?.push(repository);
    return new Map([...found].map(([host, all]) => [host, [...new Set(all)]]));
}
function checkEveryHost(hosts, repositories) {
    const without = hosts.filter((host) => repositories.get(host)?.length === 0);
    if (without.length === 0)
        return;
    throw new user_error/* UserError */.yo(`mint: repository-token needs to know the repositories on ${(0,user_error/* formatList */.ki)(without)}.`, 'Give repositories: namespace/repository, or an image reference in registry.');
}
function resolveServiceId(way, text) {
    if (way !== 'api-key') {
        if (text === '')
            return undefined;
        throw new user_error/* UserError */.yo(`service-id means nothing with mint: ${way}.`, 'Take it out, or use mint: api-key.');
    }
    const id = /^(?:iam-)?(ServiceId-[0-9A-Za-z-]{1,80})$/.exec(text)?.[1];
    if (id !== undefined)
        return `iam-${id}`;
    throw new user_error/* UserError */.yo(text === ''
        ? 'mint: api-key needs service-id.'
        : `service-id: "${(0,user_error/* quote */.hD)(text)}" is not the ID of a service ID.`, 'Give the ID of a service ID that may only pull: ServiceId-…, as ibmcloud iam service-ids --uuid shows it.');
}

// EXTERNAL MODULE: ./src/credential/credential.ts
var credential = __webpack_require__(8424);
// EXTERNAL MODULE: ./src/credential/identity.ts
var identity = __webpack_require__(8795);
// EXTERNAL MODULE: ./src/mint/journal.ts
var journal = __webpack_require__(3219);
// EXTERNAL MODULE: ./src/registry/client.ts + 1 modules
var registry_client = __webpack_require__(8963);
// EXTERNAL MODULE: ./src/registry/scope.ts
var scope = __webpack_require__(2671);
;// CONCATENATED MODULE: ./src/mint/verify.ts



/**
 * Shows all that was minted to the registry, and says what is not proven.
 * @throws UserError where it may not pull, or may push and should not
 */
async function verify_proveMinted({ way: name, repositories, readOnly }, way, minted, context) {
    const found = await Promise.all(minted.flatMap((one) => {
        const wanted = repositories.get(one.host) ?? [];
        return wanted.length === 0 ? [] : [proveOne(one, wanted, context)];
    }));
    const access = found.length < minted.length || found.includes(undefined) ? undefined : widest(found);
    const canPush = found.includes('pull,push');
    if (readOnly && canPush)
        throw mayPush(name, way, repositories);
    if (access === undefined) {
        context.warn(`mint: ${name}: that the credential can only pull is not proven${whyNot(found, minted)}.`);
    }
    else if (!readOnly && !canPush) {
        context.warn('read-only: false: push was asked for, and the registry does not grant it.');
    }
    return access;
}
async function proveOne({ host, username, secret }, wanted, context) {
    return username === undefined
        ? await proveToken(host, secret, wanted, context)
        : await proveCredential(host, { username, secret }, wanted, context);
}
function widest(found) {
    return found.includes('pull,push') ? 'pull,push' : 'pull';
}
function whyNot(found, minted) {
    return found.length < minted.length
        ? ': give repositories to have it shown to the registry'
        : ': the registry does not say what its token grants. It can pull';
}
function mayPush(name, way, repositories) {
    const names = formatList(verify_namesOf(repositories));
    return new UserError(`mint: ${name}: the registry would let the minted credential push to ${names}.`, `${way.policy} Or give read-only: false, if the job is to push.`);
}
/** Every repository once, whatever its hosts. */
function verify_namesOf(repositories) {
    return [...new Set([...repositories.values()].flat())];
}
/**
 * Shows a credential to the registry: may it pull each repository, and may it push? Nothing is written.
 * @throws UserError where it may not pull one of them
 */
async function proveCredential(host, credential, repositories, context) {
    const grants = await askGrants(host, credential, repositories, context);
    if (grants !== undefined)
        return readAccess(host, grants, repositories);
    const { token } = await exchange(host, credential, scopes(repositories, ['pull']), context);
    await readTags(host, token, credential.username, repositories, context);
    return undefined;
}
/**
 * The same for a token of the registry's own, which says itself what it is good for.
 * @throws as proveCredential
 */
async function proveToken(host, token, repositories, context) {
    const grants = parseGrants(token);
    if (grants !== undefined)
        return readAccess(host, grants, repositories);
    await readTags(host, token, 'the repository token', repositories, context);
    return undefined;
}
/** All repositories in one question; one by one where the registry refuses the whole of it. */
async function askGrants(host, credential, repositories, context) {
    const all = await tryExchange(host, credential, scopes(repositories, ['pull', 'push']), context);
    if (all !== undefined)
        return parseGrants(all);
    const grants = new Map();
    for (const repository of repositories) {
        const found = await askGrantsOfOne(host, credential, repository, context);
        if (found === undefined)
            return undefined;
        grants.set(repository, found);
    }
    return grants;
}
/** A refusal of push followed by a grant of pull says as much as a token that grants pull alone. */
async function askGrantsOfOne(host, credential, repository, context) {
    const larger = await tryExchange(host, credential, scopes([repository], ['pull', 'push']), context);
    const token = larger ?? (await exchange(host, credential, scopes([repository], ['pull']), context)).token;
    const grants = parseGrants(token);
    return grants === undefined ? undefined : (grants.get(repository) ?? new Set());
}
async function tryExchange(host, credential, wanted, context) {
    try {
        return (await exchange(host, credential, wanted, context)).token;
    }
    catch (error) {
        if (error instanceof RefusedError)
            return undefined;
        throw error;
    }
}
function scopes(repositories, actions) {
    return repositories.map((repository) => formatScope(repository, actions));
}
function readAccess(host, grants, repositories) {
    const granted = (repository) => grants.get(repository) ?? new Set();
    const refused = repositories.filter((repository) => !granted(repository).has('pull'));
    if (refused.length > 0) {
        throw new UserError(`${host} would not let the minted credential pull ${formatList(refused)}.`, 'Give its identity the role Reader on Container Registry for that region and namespace, or correct repositories.');
    }
    return repositories.some((repository) => canPush(granted(repository))) ? 'pull,push' : 'pull';
}
/** Anything beyond pull changes something: `push`, `delete`, or `*`, which is everything. */
function canPush(actions) {
    return [...actions].some((action) => action !== 'pull');
}
async function readTags(host, token, who, repositories, context) {
    for (const repository of repositories)
        await askWith(host, `/v2/${repository}/tags/list`, token, who, context);
}

;// CONCATENATED MODULE: ./src/mint/mint.ts





/**
 * Mints, and shows what was minted to the registry before the job goes on.
 * @param save writes to state what post has to revoke; called before each request that may make something
 * @throws UserError where it can't be minted, may not pull, or may push and should not
 */
async function mintForJob(job, save, context) {
    const way = WAYS[job.mint.way];
    const journal = openJournal(job, way, way.revoker === undefined ? () => undefined : save, context);
    const minted = await way.mint(orderOf(job, journal.state().name, context), journal.record, context);
    warnIfShort(job.mint, minted, context);
    const access = await proveMinted(job.mint, way, minted, context);
    return describe(job, minted, access, journal.state());
}
function describe({ mint }, minted, access, state) {
    const [first] = minted;
    const end = new Date(Math.min(...minted.map((one) => one.end.getTime())));
    return {
        logins: minted.map(({ host, username, secret }) => username === undefined ? { host, registryToken: secret } : { host, credential: { username, secret } }),
        state: { end: formatTime(end), mint: state },
        report: {
            username: first?.username ?? '',
            password: first?.secret,
            minted: { way: mint.way, id: first?.id ?? '', access, repositories: namesOf(mint.repositories) }
        }
    };
}
function orderOf({ hosts, identity, iamUrl, mint }, name, context) {
    return {
        ...mint,
        name,
        hosts,
        iamUrl,
        credential: async () => await resolveCredential(identity, iamUrl, context),
        accessToken: async () => await fetchAccessToken(identity, iamUrl, context)
    };
}
function warnIfShort({ way, lifetimeMs }, minted, context) {
    const shortest = minted.toSorted((a, b) => lastsMs(a) - lastsMs(b))[0];
    if (lifetimeMs === undefined || shortest === undefined || lastsMs(shortest) + SLACK_MS >= lifetimeMs)
        return;
    context.warn(`lifetime: the job needs ${formatMinutes(lifetimeMs)}, and mint: ${way} gave ${formatMinutes(lastsMs(shortest))} ` +
        `(until ${formatTime(shortest.end)}). mint: api-key lasts up to 24h.`);
}
function lastsMs({ start, end }) {
    return end.getTime() - start.getTime();
}
function formatMinutes(milliseconds) {
    return `${Math.floor(milliseconds / 6_000) / 10} min`;
}

;// CONCATENATED MODULE: ./src/network.ts
/**
 * All that talks to the network itself, and all that minting needs: one chunk of dist. The bundler gives each
 * `import()` a copy of all that it needs, so that many small ones would carry http.ts many times.
 */







/***/ })

};
