export const id = 552;
export const ids = [552];
export const modules = {

/***/ 552:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  revokeMinted: () => (/* reexport */ revokeMinted)
});

// UNUSED EXPORTS: installDocker, mintForJob, resolveCredential, resolveMint, verifyCredential

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(3024);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(1455);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(8161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(6760);
// EXTERNAL MODULE: ./node_modules/@actions/tool-cache/lib/tool-cache.js + 2 modules
var tool_cache = __webpack_require__(9805);
// EXTERNAL MODULE: ./src/docker/child-env.ts
var child_env = __webpack_require__(2356);
// EXTERNAL MODULE: external "node:http"
var external_node_http_ = __webpack_require__(7067);
// EXTERNAL MODULE: external "node:https"
var external_node_https_ = __webpack_require__(4708);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(7075);
// EXTERNAL MODULE: external "node:stream/promises"
var external_node_stream_promises_ = __webpack_require__(6466);
// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/context.ts
var src_context = __webpack_require__(788);
// EXTERNAL MODULE: ./src/errors/quote.ts
var errors_quote = __webpack_require__(4891);
// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(8301);
// EXTERNAL MODULE: ./src/http/loopback.ts
var loopback = __webpack_require__(507);
;// CONCATENATED MODULE: ./src/http/client.ts





const ATTEMPT_MS = 10_000;
const LINK_LOCAL_ATTEMPT_MS = 3_000;
const MAX_BODY_BYTES = 64 * 1024;
/** Lists of an account's keys and tokens grow with it: a hundred keys alone are over 64 KiB. */
const MAX_LIST_BYTES = 8 * 1024 * 1024;
/** An answer, or the lack of one, that another try may mend. */
class RetryableError extends Error {
    /** The wait that the service asked for, in milliseconds. */
    retryAfter;
    rateLimited;
    /** What to say where no try mended it, if that is known better than "could not be reached". */
    finalError;
    constructor(message, retryAfter, rateLimited = false, finalError) {
        super(message);
        this.retryAfter = retryAfter;
        this.rateLimited = rateLimited;
        this.finalError = finalError;
    }
}
// Made where they are needed: node:https takes twice as long to load as node:http.
let httpAgent;
let httpsAgent;
const proxyAgents = new Map();
/** Proxies as the runner knows them; like docker, none for this machine. Loaded only where one is set. */
async function client_agentFor({ url, linkLocal }) {
    const direct = url.protocol === 'https:'
        ? (httpsAgent ??= new external_node_https_.Agent({ keepAlive: true }))
        : (httpAgent ??= new external_node_http_.Agent({ keepAlive: true }));
    const proxied = Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name));
    if (linkLocal === true || (0,loopback/* isLoopback */.U)(url.host) || !proxied)
        return direct;
    const { getProxyForUrl } = await __webpack_require__.e(/* import() */ 182).then(__webpack_require__.bind(__webpack_require__, 8182));
    const proxy = getProxyForUrl(url.href);
    if (proxy === '')
        return direct;
    if (!URL.canParse(proxy)) {
        throw new user_error/* UserError */.yo('The address of the proxy in HTTPS_PROXY is not one.', 'Write it as http://host:port or http://user:password@host:port.');
    }
    const agent = proxyAgents.get(proxy) ?? (await connectThrough(proxy));
    proxyAgents.set(proxy, agent);
    return agent;
}
async function connectThrough(proxy) {
    const { HttpsProxyAgent } = await __webpack_require__.e(/* import() */ 659).then(__webpack_require__.bind(__webpack_require__, 7659));
    return new HttpsProxyAgent(proxy, { keepAlive: true });
}
const MIN_ATTEMPT_MS = 1_000;
/** Half of the time that is left, so that a try that hangs leaves room for another; all of it where that is little. */
function shareOf(left) {
    return Math.min(left, Math.max(left / 2, MIN_ATTEMPT_MS));
}
/**
 * Sends once, and reads the whole answer. Settles in every case: an event loop that ends with the promise open would
 * end the step green.
 * @throws Fault, or the system's error, where no whole answer came
 */
async function send(request, context) {
    const { method, url, headers, body } = request;
    const limit = request.linkLocal === true ? LINK_LOCAL_ATTEMPT_MS : ATTEMPT_MS;
    const agent = await client_agentFor(request);
    return await new Promise((resolve, reject) => {
        const client = url.protocol === 'https:' ? external_node_https_ : external_node_http_;
        const call = client.request(url, {
            method,
            agent,
            headers: {
                'user-agent': 'icr-login',
                accept: 'application/json',
                'accept-encoding': 'identity',
                ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
                ...headers
            },
            // NODE_TLS_REJECT_UNAUTHORIZED=0 would be honoured otherwise (facts/clients-and-runner.md, "HTTP from Node").
            rejectUnauthorized: true
        }, (incoming) => {
            receive(incoming, request.maxBytes ?? MAX_BODY_BYTES).then(resolve, reject);
        });
        const fail = (error) => {
            reject(error);
            call.destroy();
        };
        const timer = setTimeout(() => {
            fail(new RetryableError('it did not answer in time'));
        }, Math.min(limit, shareOf((0,src_context/* timeLeft */.f)(context))));
        call.on('proxyConnect', ({ statusCode }) => {
            if (statusCode !== 200)
                fail(new RetryableError(`the proxy answered ${statusCode}`));
        });
        call.on('error', reject);
        let answered = false;
        call.on('response', () => {
            answered = true;
        });
        call.on('close', () => {
            clearTimeout(timer);
            // After an answer `receive` settles: reading a body ends, or throws where it was cut short.
            if (!answered)
                reject(new RetryableError('it closed the connection before it had answered'));
        });
        call.end(body);
    });
}
async function receive(incoming, largest) {
    const chunks = [];
    let size = 0;
    try {
        for await (const chunk of incoming) {
            size += chunk.length;
            if (size > largest)
                throw new RetryableError(`its answer is over ${largest / 1024} KiB`);
            chunks.push(chunk);
        }
    }
    catch (error) {
        throw (0,user_error/* codeOf */.$N)(error) === 'ECONNRESET' ? new RetryableError('its answer was cut short') : error;
    }
    return {
        status: Number(incoming.statusCode),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString()
    };
}

;// CONCATENATED MODULE: ./src/http/retry.ts






const ATTEMPTS = 4;
const LINK_LOCAL_ATTEMPTS = 2;
const AFTER_FAULT = { least: 0, spread: 1_000 };
// IAM's limit is not known (facts/ibm-cloud.md section 3.3). Of all that `npm run bench:fleet` compares, these need the
// fewest requests where a thousand jobs start together (docs/performance.md).
const AFTER_429 = { least: 5_000, spread: 5_000 };
/**
 * The one door to the network: no redirects, TLS always checked, bodies of at most 64 KiB, 4 tries of at most 10 s
 * with full jitter between them, all within the context's deadline. Never tries again what was refused.
 * @param read turns a reply into what the caller wants; it throws a Fault for an answer that is no answer (a captive
 *   portal's page, a body cut short), which is tried again, or a UserError, which is not
 * @throws UserError where no try succeeded, or where `read` threw one
 */
async function retry_fetchReply(request, read, context) {
    const tries = request.linkLocal === true ? LINK_LOCAL_ATTEMPTS : ATTEMPTS;
    let last;
    for (let attempt = 1; attempt <= tries && (0,src_context/* timeLeft */.f)(context) > 0; attempt++) {
        try {
            return read(refuseTransient(await sendWatched(request, context), request));
        }
        catch (error) {
            last = asFault(error, request);
        }
        if (attempt === tries || !(await waitForNextTry(request, last, attempt, context)))
            break;
    }
    throw last?.finalError ?? gaveUp(request, last);
}
async function sendWatched(request, context) {
    const told = request.watch?.();
    try {
        const reply = await (context.send ?? send)(request, context);
        told?.(reply.status);
        return reply;
    }
    catch (error) {
        told?.(undefined);
        throw error;
    }
}
/** Waits before the next try; false where the budget has no room for it. */
async function waitForNextTry(request, fault, attempt, context) {
    const wait = chooseWait(fault, attempt, (0,src_context/* timeLeft */.f)(context));
    if (wait === undefined)
        return false;
    context.info(`${formatTarget(request)}: ${fault.message}. Trying again in ${(wait / 1000).toFixed(1)} s.`);
    await context.sleep(wait);
    return true;
}
/**
 * Full jitter, whose bound doubles from try to try, on top of what the service asked for: those that were told the
 * same do not come back together. It leaves at least half of the time after that to the tries.
 * @param left milliseconds of the budget
 * @returns milliseconds; undefined where the service asked for all that is left, or more
 */
function chooseWait({ rateLimited, retryAfter = 0 }, attempt, left) {
    const { least, spread } = rateLimited ? AFTER_429 : AFTER_FAULT;
    const room = (left - retryAfter) / 4;
    if (room <= 0)
        return undefined;
    return Math.max(retryAfter, Math.min(least, room)) + (0,src_context/* jitter */.p)(Math.min(spread * 2 ** (attempt - 1), room));
}
function gaveUp(request, last) {
    const target = formatTarget(request);
    if (last === undefined) {
        return new user_error/* UserError */.yo(`${target} was not asked: the time is up.`, 'Run the job again, or give a longer timeout.');
    }
    const hint = request.linkLocal === true
        ? 'Is this machine inside IBM Cloud, with its metadata service switched on? If not, give an api-key.'
        : 'Run the job again. If it stays: can this runner reach that host, and does it need a proxy (HTTPS_PROXY)?';
    return new user_error/* UserError */.yo(`${target} could not be reached: ${last.message}.`, hint);
}
/** What was asked, without anything that may be secret: the method, the host and the path. */
function formatTarget({ method, url }) {
    return `${method} ${url.host}${url.pathname}`;
}
const TRANSIENT = new Set([408, 425, 429]);
function refuseTransient(reply, request) {
    const { status } = reply;
    if (status >= 300 && status < 400) {
        throw new user_error/* UserError */.yo(`${formatTarget(request)} answered ${status}, a redirect, which is not followed: a secret would go along.`, 'Is there a proxy or a captive portal in between?');
    }
    // 501 says "never": IBM's own SDK does not try it again either (facts/ibm-cloud.md section 3.3).
    if (TRANSIENT.has(status) || (status >= 500 && status !== 501)) {
        throw new RetryableError(`it answered ${status}`, parseRetryAfter(reply.headers['retry-after']), status === 429);
    }
    return reply;
}
/** `Retry-After` in milliseconds: seconds, or a date. Undefined where there is none that makes sense. */
function parseRetryAfter(header) {
    if (header === undefined)
        return undefined;
    const wait = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
    return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
function asFault(error, request) {
    if (error instanceof RetryableError)
        return error;
    const code = (0,user_error/* codeOf */.$N)(error);
    // Whatever the network throws has a code; the rest is for the user, or a mistake of ours.
    if (code === '')
        throw error;
    if (/CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED/.test(code)) {
        throw new user_error/* UserError */.yo(`The certificate of ${request.url.host} is not trusted (${code}).`, "If a proxy of yours opens TLS, name its CA's file in NODE_EXTRA_CA_CERTS, and in SSL_CERT_FILE for docker.");
    }
    return new RetryableError(FAULTS[code] ?? (0,errors_quote/* quote */.hD)(code));
}
const FAULTS = {
    ECONNREFUSED: 'it refused the connection',
    ECONNRESET: 'it closed the connection before it had answered',
    EPIPE: 'it closed the connection before it had answered',
    ENOTFOUND: 'its name was not found',
    EAI_AGAIN: 'the look-up of its name failed',
    ETIMEDOUT: 'the connection timed out',
    EPROTO: 'it did not speak TLS'
};
/**
 * The JSON object in a reply.
 * @throws Fault where the body is something else: whoever answered was not the service
 */
function parseBody(reply) {
    const body = (0,json/* parseObject */.lj)(reply.body);
    if (body !== undefined)
        return body;
    throw new RetryableError(`it answered ${reply.status} without JSON`);
}

;// CONCATENATED MODULE: ./src/docker/download.ts











const MAX_REDIRECTS = 5;
/** A server that says nothing for so long has gone away. */
const IDLE_MS = 10_000;
const MAX_FILE_BYTES = (/* unused pure expression or super */ null && (512 * 1024 * 1024));
const PROGRESS_MS = 5_000;
/**
 * Downloads a public file: no credential goes along, so redirects are followed, to https (or this machine) alone.
 * Faults are tried again from the start; each try, and how far one has come, is a line in the log.
 * @param file is written, and holds the whole body where the status is 200
 * @param largest the most bytes that the file may have; 512 MiB if not given
 * @returns the status of the last answer
 * @throws UserError where there is no whole answer until the context's deadline
 */
async function download_download(url, file, context, largest = MAX_FILE_BYTES) {
    const request = { method: 'GET', url, headers: { accept: '*/*' } };
    const send = async () => await save(request, { file, largest }, context, MAX_REDIRECTS);
    const { status } = await fetchReply(request, (reply) => reply, { ...context, send });
    return status;
}
async function save(request, target, context, redirects) {
    const timeUp = AbortSignal.timeout(Math.ceil(timeLeft(context)));
    const incoming = await download_open(request, timeUp);
    const status = Number(incoming.statusCode);
    const { location } = incoming.headers;
    if (status === 200)
        await write(incoming, target, context, timeUp);
    else
        incoming.destroy();
    if (status < 300 || status >= 400 || location === undefined)
        return { status, headers: incoming.headers, body: '' };
    const url = resolveRedirect(request.url, location);
    if (redirects === 0)
        throw new Fault('it answered with one redirect after the other');
    return await save({ ...request, url }, target, context, redirects - 1);
}
/** @throws UserError where the way leads out of TLS */
function resolveRedirect(from, location) {
    const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    if (url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.host))))
        return url;
    throw new UserError(`${from.host} redirects to "${quote(location)}", which is not https.`, 'Is there a proxy or a captive portal in between? If it is a mirror, give its https address in docker-url.');
}
async function download_open({ url, headers }, timeUp) {
    const agent = await agentFor({ method: 'GET', url });
    const client = url.protocol === 'https:' ? https : http;
    return await new Promise((resolve, reject) => {
        const call = client.request(url, {
            agent,
            headers: { 'user-agent': 'icr-login', ...headers },
            rejectUnauthorized: true,
            signal: timeUp
        });
        call.setTimeout(IDLE_MS, () => call.destroy(new Fault(`it said nothing for ${IDLE_MS / 1000} s`)));
        call.on('response', resolve);
        call.on('error', (error) => {
            reject(explain(error, timeUp));
        });
        call.on('close', () => {
            // Too late where there was an answer; a switch to another protocol is none, and no error either.
            reject(new Fault('it closed the connection before it had answered'));
        });
        call.end();
    });
}
async function write(incoming, { file, largest }, context, timeUp) {
    try {
        const counter = countBytes(incoming, largest, context);
        await pipeline(incoming, counter, createWriteStream(file, { mode: 0o600 }));
    }
    catch (error) {
        throw explain(error, timeUp);
    }
}
function explain(error, timeUp) {
    // The time may run out in the middle of a body, which looks as if the other side had cut it short.
    if (timeUp.aborted)
        return new Fault('the time for it is up');
    const code = codeOf(error);
    // Node's name for a body that ends too early.
    return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
        ? new Fault('its answer was cut short')
        : error;
}
/** Lets the bytes through, says now and then how many, and stops where they are too many. */
function countBytes(incoming, largest, context) {
    const total = Number(incoming.headers['content-length'] ?? 0);
    let count = 0;
    let reportedAt = context.now();
    return new Transform({
        transform: (chunk, _, done) => {
            count += chunk.length;
            if (context.now() - reportedAt >= PROGRESS_MS) {
                reportedAt = context.now();
                context.info(`${formatMegabytes(count)}${total === 0 ? '' : ` of ${formatMegabytes(total)}`} are here.`);
            }
            done(count > largest ? new Fault(`it is over ${formatMegabytes(largest)}`) : null, chunk);
        }
    });
}
function formatMegabytes(bytes) {
    return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}

// EXTERNAL MODULE: ./src/errors/redact.ts
var redact = __webpack_require__(562);
// EXTERNAL MODULE: ./src/docker/run.ts + 4 modules
var docker_run = __webpack_require__(5577);
;// CONCATENATED MODULE: ./src/docker/install.ts











/** What the tool cache calls it: the CLI alone, not all of Docker. */
const TOOL = 'docker-cli';
// The layout of Docker's download site (docker/actions-toolkit 011f224, src/docker/install.ts).
const BUILDS = {
    linux: {
        folder: 'linux',
        archive: 'tgz',
        program: 'docker',
        arches: { x64: 'x86_64', arm64: 'aarch64', arm: 'armhf', ppc64: 'ppc64le', s390x: 's390x' }
    },
    darwin: {
        folder: 'mac',
        archive: 'tgz',
        program: 'docker',
        arches: { x64: 'x86_64', arm64: 'aarch64' }
    },
    win32: { folder: 'win', archive: 'zip', program: 'docker.exe', arches: { x64: 'x86_64' } }
};
/**
 * Finds a docker CLI in the tool cache, or downloads it and puts it there, for the next job too.
 * @returns the folder that it lies in, for the PATH
 * @throws UserError where there is none for this machine, or what came does not work
 */
async function installDocker(wanted, machine, context) {
    const place = resolveDownload(wanted, machine);
    return await withShortEnvironment(async (temp) => {
        // "19.03.15" is no version for the tool cache.
        const version = wanted.version.replace(/\b0+(?=\d)/g, '');
        const cached = find(TOOL, version);
        if (cached !== '' && existsSync(join(cached, place.program)))
            return cached;
        const directory = await mkdtemp(join(temp, 'icr-login-download-'));
        try {
            const program = await fetchProgram(place, directory, context);
            await checkProgram(program, wanted.version, place, context);
            return await cacheDir(dirname(program), TOOL, version);
        }
        finally {
            await rm(directory, { recursive: true, force: true });
        }
    });
}
/**
 * Where the CLI of that version lies, for this kind of machine.
 * @throws UserError where Docker builds none for it
 */
function resolveDownload({ version, url }, { platform, arch }) {
    const build = BUILDS[platform];
    const machine = build?.arches[arch];
    if (build === undefined || machine === undefined) {
        throw new UserError(`docker-version: Docker has no CLI for ${platform} on ${arch}.`, 'Leave docker-version out: the login works without docker too. Or put a docker CLI on the PATH.');
    }
    const { folder: directory, archive, program } = build;
    const path = `${directory}/static/stable/${machine}/docker-${version}.${archive}`;
    return { url: new URL(path, url.href.endsWith('/') ? url : `${url.href}/`), archive, program };
}
/** @returns the program, alone in a folder */
async function fetchProgram({ url, archive, program }, directory, context) {
    const file = join(directory, `docker.${archive}`);
    context.info(`No docker on the PATH: getting ${url.href}.`);
    const status = await download(url, file, context);
    if (status !== 200)
        throw notFound(url, status);
    const extracted = await extract(file, archive, join(directory, 'extracted')).catch(() => '');
    const found = join(extracted, 'docker', program);
    if (!existsSync(found))
        throw invalidArchive(url, `holds no docker/${program}`);
    const alone = join(directory, 'alone', program);
    await mkdir(dirname(alone));
    await rename(found, alone);
    return alone;
}
async function extract(file, archive, directory) {
    return archive === 'zip' ? await extractZip(file, directory) : await extractTar(file, directory);
}
function notFound(url, status) {
    return new UserError(`${url.href} answered ${status}: this docker CLI is not to be had there.`, `Is docker-version one that exists? ${new URL('.', url).href} lists them. Is docker-url right?`);
}
function invalidArchive(url, why) {
    return new UserError(`What came from ${url.href} ${why}.`, 'Is docker-url a mirror of Docker’s download site, and did a proxy answer in its place?');
}
/** What was downloaded is to be handed the secret: it must at least be a docker that runs here. */
async function checkProgram(program, version, { url }, context) {
    const { code, stdout } = await run(program, ['--version'], {
        input: '',
        env: childEnvironment(''),
        timeoutMs: 10_000
    }).catch(() => ({ code: undefined, stdout: '' }));
    const reported = /^Docker version ([^\s,]+)/.exec(stdout)?.[1];
    if (code !== 0 || reported === undefined)
        throw invalidArchive(url, 'is no docker that runs on this machine');
    if (reported !== version)
        context.warning(`docker-version: ${version} was asked for, but what came is ${quote(reported)}.`);
}
/** The tool cache hands all of the environment to tar, the inputs with the secret too, unless there is less of it. */
async function withShortEnvironment(work) {
    const all = process.env;
    const temp = all['RUNNER_TEMP'] ?? tmpdir();
    const cache = all['RUNNER_TOOL_CACHE'] ?? join(temp, 'tools');
    const short = { ...childEnvironment(''), RUNNER_TEMP: temp, RUNNER_TOOL_CACHE: cache };
    process.env = Object.fromEntries(Object.entries(short).filter(([, value]) => ![...knownSecrets].some((secret) => value.includes(secret))));
    try {
        return await work(temp);
    }
    finally {
        process.env = all;
    }
}

// EXTERNAL MODULE: ./src/credential/credential.ts
var credential_credential = __webpack_require__(8424);
;// CONCATENATED MODULE: ./src/credential/identity.ts



/**
 * A secret with a trusted profile beside it, which is the user name to log in as.
 * @throws UserError where they don't go together
 */
function withProfile(given, profile) {
    if (given.kind === 'keyless')
        return given;
    checkProfileId(given.kind, profile);
    return { ...given, profile };
}
/** A trusted profile's ID is a user name, with an API key as its password (facts/ibm-cloud.md section 4). */
function checkProfileId(kind, profile) {
    if (kind !== 'api-key') {
        throw new UserError(`trusted-profile does not go with ${kind}${kind === 'access-token' ? ', unless mint: iam-token assumes it' : ''}.`, "Give it with the api-key of a service ID that the profile trusts, or alone on IBM Cloud's own machines.");
    }
    if (profile.by === 'id')
        return;
    throw new UserError(`trusted-profile holds a ${profile.by === 'crn' ? 'CRN' : 'name'}, and the login needs the ID.`, 'Write trusted-profile: Profile-…, as ibmcloud iam trusted-profile NAME shows it, or use mint: iam-token.');
}
/** The credential in a secret. A trusted profile's ID is a username, with an API key as its password. */
function identity_credentialOf({ kind, secret, profile }) {
    const expiresAt = kind === 'access-token' || kind === 'registry-token' ? parseExpiry(secret) : undefined;
    return { username: profile?.value ?? USERNAMES[kind], secret, expiresAt, shortLived: false };
}

// EXTERNAL MODULE: ./src/credential/jwt.ts
var jwt = __webpack_require__(2548);
;// CONCATENATED MODULE: ./src/errors/known-messages.ts


const POLICY = 'Give the identity a policy for Container Registry: Reader to pull, Writer to push, for that region and namespace.';
const NEW_LOGIN = 'Log in to IBM Cloud again for a new one, or give an api-key, which does not end.';
/**
 * Every message of facts/ibm-cloud.md, section 4 (the registry) and section 3.3 (IAM). The first that matches counts,
 * so what is more special stands first.
 */
const KNOWN_MESSAGES = [
    {
        pattern: /BXNIM0415E|API key could not be found/i,
        cause: 'IAM does not know this API key: it was deleted, is cut short, or is of another environment.',
        hint: 'Create a new API key (ibmcloud iam service-api-key-create) and store it again, whole.'
    },
    {
        pattern: /BXNIM0462E|API key is disabled/i,
        cause: 'The API key is disabled.',
        hint: 'Enable it: ibmcloud iam service-api-key-enable (or api-key-enable), or give another key.'
    },
    {
        pattern: /BXNIM0408E|refresh token is expired/i,
        cause: 'The refresh token has ended.',
        hint: NEW_LOGIN
    },
    {
        pattern: /BXNIM0407E/i,
        cause: 'IAM does not accept this token: it is not whole, or was made for another client.',
        hint: NEW_LOGIN
    },
    {
        pattern: /BXNIM0439E|invalidated due to inactivity/i,
        cause: 'The login session of this token has ended: nobody used it for too long.',
        hint: NEW_LOGIN
    },
    {
        pattern: /BXNIM0400E|external authentication/i,
        cause: 'The account wants a second factor (MFA) for this user.',
        hint: 'Give the API key of a service ID: no second factor is asked of those.'
    },
    {
        pattern: /BXNIM0602E/i,
        cause: 'IAM does not accept this user name and password.',
        hint: 'Give an api-key instead.'
    },
    {
        pattern: /BXNIM0308E|No authorization header/i,
        cause: 'The request reached IAM without its Authorization header.',
        hint: 'Is there a proxy in between that takes it away?'
    },
    {
        pattern: /CRG0009E|not authorized to access the specified account/i,
        cause: "The identity has no rights in the registry's account.",
        hint: 'Is the key of the account that owns the namespace? ' + POLICY
    },
    {
        pattern: /pull traffic quota/i,
        cause: 'The account has used up its pull traffic of this month.',
        hint: 'Raise the quota (ibmcloud cr quota-set) or change the plan (ibmcloud cr plan-upgrade).'
    },
    {
        pattern: /storage quota/i,
        cause: 'The account has used up its image storage.',
        hint: 'Delete images (ibmcloud cr image-prune-untagged), raise the quota, or change the plan.'
    },
    {
        pattern: /Private-only access is enabled|over the public network/i,
        cause: 'The account takes requests from the private network alone.',
        hint: 'Run the job on a self-hosted runner inside IBM Cloud, with endpoint: private.'
    },
    {
        pattern: /creation of registry tokens is discontinued/i,
        cause: 'IBM ended the making of registry tokens on 1 July 2019.',
        hint: 'Give an api-key instead.'
    },
    {
        pattern: /requested authentication method is not supported/i,
        cause: 'The registry does not know this kind of user name.',
        hint: 'Give an api-key, an access-token or a refresh-token. IBM has refused registry tokens since 19 August 2021.'
    },
    {
        pattern: /insufficient scope/i,
        cause: "The identity may not do that here: its IAM policy, or a context-based restriction or IP rule of the account's.",
        hint: POLICY + " If there is one, allow this runner's address."
    },
    {
        pattern: /not authorized to access the specified resource/i,
        cause: 'The identity may not use that namespace, or it belongs to another account or region.',
        hint: POLICY
    },
    {
        pattern: /login credentials are not valid|account is not active/i,
        cause: 'The secret is wrong for this registry, or the IBM Cloud account is not active.',
        hint: 'Check the secret, that it is given as what it is (api-key, access-token, …), and that the account is in use.'
    },
    {
        pattern: /Authorization required|troubleshoot-auth-req/i,
        cause: 'The registry wants another login: the key is not valid, a token has ended, or this is the wrong region.',
        hint: 'Check the secret, and that region is the one your namespace is in (ibmcloud cr region).'
    },
    {
        pattern: /CRG0014E|error occurred when authenticating your request/i,
        cause: "IAM refused the registry's question about this secret: the key may be disabled or locked, or an IP rule applies.",
        hint: "Check the key in the IBM Cloud console (Manage, Access), and the account's allowed IP addresses."
    },
    {
        pattern: /authentication required/i,
        cause: 'The registry saw no valid login.',
        hint: 'Check the secret. If it is a token, it may have ended: give an api-key.'
    },
    {
        pattern: /no token is sent|403 Forbidden/i,
        cause: 'The registry forbids this to the identity: a policy is missing, or a restriction of the account applies.',
        hint: POLICY
    },
    {
        pattern: /400 Bad Request/i,
        cause: 'The user name and the secret do not belong together.',
        hint: 'Give the secret as what it is: api-key, access-token, refresh-token or registry-token.'
    }
];
/** The row for what a service said; undefined where nobody has written one yet. */
function findKnownMessage(message) {
    return KNOWN_MESSAGES.find(({ pattern: says }) => says.test(message));
}
/**
 * The error for a refused credential. 400 and 401 both mean that (facts/ibm-cloud.md section 0, item 6).
 * @param what what was tried, for which host
 * @param said the service's own message; where it holds any piece of the secret, it is not shown
 */
function explainRefusal(what, said, secret) {
    const { cause, hint: cure } = findKnownMessage(said) ?? {
        cause: 'The credential was refused.',
        hint: 'Check the secret, that it is given as what it is, and that region is the one your namespace is in.'
    };
    return new user_error/* RefusedError */.fk(`${what}: ${cause}`, cure, said === '' ? undefined : (0,redact/* quoteRedacted */.t1)(said, secret));
}

;// CONCATENATED MODULE: ./src/iam/client.ts







const GRANT = 'urn:ibm:params:oauth:grant-type:';
/**
 * Exchanges an API key for an IAM access token (facts/ibm-cloud.md section 3.1).
 * @param iamUrl IAM's origin
 * @throws RefusedError where IAM refuses the key; UserError where it can't be reached
 */
async function exchangeApiKey(iamUrl, apiKey, context) {
    const form = { grant_type: `${GRANT}apikey`, apikey: apiKey, response_type: 'cloud_iam' };
    return await fetchToken(iamUrl, form, { what: 'the API key', secret: apiKey }, context);
}
/**
 * Exchanges a compute resource's token for an access token of a trusted profile (section 3.1).
 * @throws as exchangeApiKey
 */
async function exchangeComputeToken(iamUrl, computeToken, profile, context) {
    const form = {
        grant_type: `${GRANT}cr-token`,
        cr_token: computeToken,
        [`profile_${profile.by}`]: profile.value
    };
    return await fetchToken(iamUrl, form, { what: 'the trusted profile', secret: computeToken }, context);
}
/**
 * Assumes a trusted profile: an access token of an identity for one of the profile (section 3.1). A profile's name
 * is looked up in the account of the first token.
 * @throws as exchangeApiKey
 */
async function assumeProfile(iamUrl, accessToken, profile, context) {
    const account = profile.by === 'name' ? accountOf(accessToken) : undefined;
    const form = {
        grant_type: `${GRANT}assume`,
        access_token: accessToken,
        [`profile_${profile.by}`]: profile.value,
        ...(account === undefined ? {} : { account })
    };
    return await fetchToken(iamUrl, form, { what: 'the trusted profile', secret: accessToken }, context);
}
/** The account in an access token: `account.bss` (facts section 3.1, "JWT claims"). */
function accountOf(accessToken) {
    const account = (0,jwt/* parseClaims */.Df)(accessToken)?.['account'];
    return (0,json/* isObject */.Gv)(account) ? (0,json/* stringAt */.bX)(account, 'bss') : undefined;
}
async function fetchToken(iamUrl, form, about, context) {
    const url = new URL(`${iamUrl}/identity/token`);
    return await retry_fetchReply({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString()
    }, (reply) => {
        if (reply.status === 200)
            return readAccessToken(reply, context, about.secret);
        throw explainReply(`IAM (${url.host}) refused ${about.what}`, reply, about.secret);
    }, context);
}
/** The access token in a reply of IAM's, or of a metadata service; masked. */
function readAccessToken(reply, context, secret) {
    const body = parseBody(reply);
    const token = (0,json/* stringAt */.bX)(body, 'access_token');
    // The secret itself would be taken for a short-lived token, and handed on as one.
    if (token === undefined || token === secret)
        throw new RetryableError(`it answered ${reply.status} without an access token`);
    context.mask(token);
    return { token, expiresAt: (0,jwt/* parseExpiry */.rQ)(token) ?? expiryOf(body, context) };
}
function expiryOf(body, context) {
    const { expiration, expires_in: seconds } = body;
    const given = (0,jwt/* parseSeconds */.fL)(expiration);
    if (given !== undefined || typeof seconds !== 'number')
        return given;
    return (0,jwt/* parseSeconds */.fL)(context.now() / 1000 + seconds);
}
/**
 * The error for a reply that is a refusal, in IAM's terms: `errorCode` and `errorMessage` of the token endpoint, or
 * the `errors` of `/v1/*` (facts/ibm-cloud.md section 3.3).
 */
function explainReply(what, reply, secret) {
    const body = (0,json/* parseObject */.lj)(reply.body);
    const errors = Array.isArray(body?.['errors']) ? body['errors'].filter(json/* isObject */.Gv) : [];
    const message = [
        (0,json/* stringAt */.bX)(body, 'errorCode'),
        (0,json/* stringAt */.bX)(body, 'errorMessage'),
        ...errors.flatMap((error) => [
            (0,json/* stringAt */.bX)(error, 'message_code') ?? (0,json/* stringAt */.bX)(error, 'code'),
            (0,json/* stringAt */.bX)(error, 'message')
        ])
    ];
    return explainRefusal(`${what} (${reply.status})`, message.filter(Boolean).join(' '), secret);
}

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
async function fetchComputeToken(profile, surroundings, context) {
    const computeToken = await readComputeToken(surroundings.tokenFiles ?? TOKEN_FILES);
    if (computeToken !== undefined) {
        context.mask(computeToken);
        return await exchangeComputeToken(surroundings.iamUrl, computeToken, profile, context);
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
    if (origin !== undefined && (METADATA_HOSTS.includes(host) || (0,loopback/* isLoopback */.U)(host)))
        return origin;
    throw new user_error/* UserError */.yo("IBMCLOUD_CR_VPC_URL is not the address of IBM Cloud's metadata service.", `Unset it, or set it to one of ${METADATA_HOSTS.map((name) => `http://${name}`).join(', ')}.`);
}
// facts/ibm-cloud.md section 6: ibm-cloud-sdk-core's vpc-instance-token-manager.
const VERSION = 'version=2022-03-01';
const INSTANCE_TOKEN_LIFE_S = 300;
async function askMetadataService(origin, profile, context) {
    const instanceToken = await retry_fetchReply({
        method: 'PUT',
        url: new URL(`${origin}/instance_identity/v1/token?${VERSION}`),
        headers: { 'metadata-flavor': 'ibm', 'content-type': 'application/json' },
        body: JSON.stringify({ expires_in: INSTANCE_TOKEN_LIFE_S }),
        linkLocal: true
    }, (reply) => {
        if (reply.status !== 200)
            throw explainReply('The metadata service gave this machine no identity', reply, '');
        const token = (0,json/* stringAt */.bX)(parseBody(reply), 'access_token');
        if (token === undefined)
            throw new RetryableError('it answered 200 without a token');
        context.mask(token);
        return token;
    }, context);
    return await retry_fetchReply({
        method: 'POST',
        url: new URL(`${origin}/instance_identity/v1/iam_token?${VERSION}`),
        headers: { authorization: `Bearer ${instanceToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ trusted_profile: { [profile.by]: profile.value } }),
        linkLocal: true
    }, (reply) => {
        if (reply.status === 200)
            return readAccessToken(reply, context);
        throw explainReply('The metadata service refused the trusted profile', reply, instanceToken);
    }, context);
}

;// CONCATENATED MODULE: ./src/iam/access-token.ts





/**
 * The job's own IAM access token, before any profile is assumed with it.
 * @throws UserError where IAM, or the compute resource, issues none
 */
async function access_token_fetchAccessToken(identity, iamUrl, context) {
    if (identity.kind === 'keyless') {
        const environment = {
            iamUrl,
            runner: process.env['RUNNER_ENVIRONMENT'],
            metadataUrl: process.env['IBMCLOUD_CR_VPC_URL']
        };
        return await fetchComputeToken(identity.profile, environment, context);
    }
    if (identity.kind === 'access-token')
        return { token: identity.secret, expiresAt: (0,jwt/* parseExpiry */.rQ)(identity.secret) };
    return await exchangeApiKey(iamUrl, identity.secret, context);
}
/**
 * The job's own credential for a registry.
 * @throws UserError where a keyless identity can't be had
 */
async function access_token_resolveCredential(identity, iamUrl, context) {
    if (identity.kind !== 'keyless')
        return credentialOf(identity);
    const { token, expiresAt } = await access_token_fetchAccessToken(identity, iamUrl, context);
    return { username: USERNAMES['access-token'], secret: token, expiresAt, shortLived: true };
}

;// CONCATENATED MODULE: ./src/iam/api-keys.ts






/**
 * Makes an API key (facts/ibm-cloud.md section 3.5). Its value is masked; IAM does not keep it.
 * @param watch told around each try: a try that gets no answer may make a key all the same
 * @throws RefusedError where the identity may not make one; UserError where IAM can't be reached
 */
async function createApiKey(iamUrl, accessToken, order, watch, context) {
    const body = {
        name: order.name,
        iam_id: order.serviceId,
        account_id: order.account,
        description: 'Temporary key of a CI job, made by icr-login',
        store_value: false,
        expires_at: order.expiresAt,
        action_when_leaked: 'delete'
    };
    const url = new URL(`${iamUrl}/v1/apikeys`);
    const headers = { ...bearer(accessToken), 'content-type': 'application/json' };
    return await retry_fetchReply({ method: 'POST', url, headers, body: JSON.stringify(body), watch }, (reply) => {
        if (reply.status !== 200 && reply.status !== 201)
            throw refused('to make an API key', order, reply, accessToken);
        return readApiKey(reply, context);
    }, context);
}
function readApiKey(reply, context) {
    const body = parseBody(reply);
    const secret = (0,json/* stringAt */.bX)(body, 'apikey');
    if (secret !== undefined)
        context.mask(secret);
    const id = parseId(body);
    if (secret === undefined || id === undefined || !(0,redact/* isPlainId */.SR)(id))
        throw new RetryableError(`it answered ${reply.status} without an API key`);
    return { id, secret };
}
/** An ID goes into addresses, so it must look like one. */
function parseId(key) {
    const id = (0,json/* stringAt */.bX)(key, 'id');
    return id !== undefined && /^ApiKey-[\w-]{1,60}$/.test(id) ? id : undefined;
}
const PAGE_SIZE = 100;
/** 10,000 keys: a list that goes on beyond that goes in a circle. */
const MAX_PAGES = 100;
/**
 * Finds the API keys of a service ID that carry a name, on all pages of its list.
 * @returns their IDs
 * @throws as createApiKey
 */
async function findApiKeys(iamUrl, accessToken, of, context) {
    const ids = [];
    let page;
    for (let count = 0; count < MAX_PAGES; count++) {
        const url = new URL(`${iamUrl}/v1/apikeys`);
        url.search = new URLSearchParams({
            account_id: of.account,
            iam_id: of.serviceId,
            pagesize: String(PAGE_SIZE),
            ...(page === undefined ? {} : { pagetoken: page })
        }).toString();
        const { found, next } = await retry_fetchReply({ method: 'GET', url, headers: bearer(accessToken), maxBytes: MAX_LIST_BYTES }, (reply) => {
            if (reply.status !== 200)
                throw refused('to list the API keys', of, reply, accessToken);
            const body = parseBody(reply);
            // An answer that is no list would be taken for an empty one: nothing left to revoke.
            if (!Array.isArray(body['apikeys']))
                throw new RetryableError('it answered 200 without a list of API keys');
            return { found: parseKeys(body['apikeys'], of.name), next: parseNextPage(body) };
        }, context);
        ids.push(...found);
        page = next;
        if (page === undefined)
            return ids;
    }
    throw new user_error/* UserError */.yo('The list of API keys does not end.', 'Is iam-url the address of IBM Cloud IAM?');
}
function parseKeys(keys, name) {
    const named = keys.filter(json/* isObject */.Gv).filter((key) => key['name'] === name);
    return named.map((key) => {
        const id = parseId(key);
        // Passed over, it would stay, and nobody would know.
        if (id === undefined)
            throw new RetryableError('it answered 200 with a key of this job that has no ID');
        return id;
    });
}
/** Of the address of the next page only the page counts: no answer chooses where a token is sent. */
function parseNextPage(body) {
    const next = (0,json/* stringAt */.bX)(body, 'next');
    return next === undefined || !URL.canParse(next, 'https://iam.cloud.ibm.com')
        ? undefined
        : (new URL(next, 'https://iam.cloud.ibm.com').searchParams.get('pagetoken') ?? undefined);
}
/**
 * Deletes an API key; one that is gone already is no error.
 * @throws as createApiKey
 */
async function deleteApiKey(iamUrl, accessToken, id, context) {
    await retry_fetchReply({
        method: 'DELETE',
        url: new URL(`${iamUrl}/v1/apikeys/${encodeURIComponent(id)}`),
        headers: bearer(accessToken)
    }, (reply) => {
        if (reply.status === 404 || (reply.status >= 200 && reply.status < 300))
            return;
        throw explainReply(`IAM refused to delete the API key ${(0,redact/* quoteId */.g0)(id)}`, reply, accessToken);
    }, context);
}
function bearer(accessToken) {
    return { authorization: `Bearer ${accessToken}` };
}
function refused(what, { serviceId }, reply, secret) {
    if (reply.status !== 403)
        return explainReply(`IAM refused ${what} of ${serviceId}`, reply, secret);
    return new user_error/* UserError */.yo(`The identity may not manage the API keys of ${serviceId} (403).`, 'Give it the role Operator on that service ID (IAM Identity Service), and check that service-id is right.');
}

;// CONCATENATED MODULE: ./src/registry/challenge.ts
const PARAMETER = /\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)\s*(?:,|$)/y;
/**
 * Parses one challenge. IBM's has a blank after each comma; a parser that keeps it sends `%20service=` and gets a
 * 400 (ceph/ceph#69900).
 * @returns undefined where the header is no challenge, or more than one
 */
function parseChallenge(header) {
    const scheme = /^\s*([\w-]+)\s+(?=\S)/.exec(header);
    if (scheme?.[1] === undefined)
        return undefined;
    const parameters = new Map();
    for (let at = scheme[0].length; at < header.length; at = PARAMETER.lastIndex) {
        PARAMETER.lastIndex = at;
        const [, name = '', value = ''] = PARAMETER.exec(header) ?? [];
        if (name === '' || parameters.has(name.toLowerCase()))
            return undefined;
        parameters.set(name.toLowerCase(), unquote(value));
    }
    return { scheme: scheme[1].toLowerCase(), ...pick(parameters, 'realm', 'service', 'scope') };
}
function unquote(value) {
    return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
function pick(from, ...names) {
    const found = {};
    for (const name of names) {
        const value = from.get(name);
        if (value !== undefined)
            found[name] = value;
    }
    return found;
}

;// CONCATENATED MODULE: ./src/registry/error-body.ts

/**
 * The messages in a registry's error body: `{"errors":[{"code","message"}]}`, or `{"code","message"}` (the management
 * API, facts/ibm-cloud.md section 2.2). Empty where it is something else.
 */
function parseErrors(body) {
    const object = (0,json/* parseObject */.lj)(body);
    const errors = Array.isArray(object?.['errors']) ? object['errors'].filter(json/* isObject */.Gv) : [object ?? {}];
    return errors
        .map((error) => [(0,json/* stringAt */.bX)(error, 'code'), (0,json/* stringAt */.bX)(error, 'message')].filter(Boolean).join(': '))
        .join('; ');
}

// EXTERNAL MODULE: ./src/registry/hosts.ts
var hosts = __webpack_require__(1604);
;// CONCATENATED MODULE: ./src/registry/client.ts










/**
 * The handshake that `docker login` does, for machines without docker: ping → challenge → token → ping with it
 * (facts/ibm-cloud.md section 4). Returns where the registry took the credential.
 * @throws RefusedError where the registry refuses the credential
 * @throws UserError where it can't be reached, or is not one of IBM's
 */
async function verifyCredential(host, credential, context) {
    const { token } = await client_exchange(host, credential, [], context);
    await client_getWithToken(host, '/v2/', token, credential.username, context, credential.secret);
}
/**
 * Ping → challenge → token: exchanges a credential for the registry's own token.
 * @param scopes what it is asked for; the registry may grant less
 * @throws as checkCredential
 */
async function client_exchange(host, credential, scopes, context) {
    const challenge = await fetchChallenge(host, context);
    return await client_fetchToken(host, { challenge, credential, scopes }, context);
}
/**
 * Asks the registry for something with a token of its own.
 * @param path such as `/v2/namespace/repository/tags/list`
 * @param who the user name, for the error
 * @param secret what the error must not repeat
 * @throws as checkCredential
 */
async function client_getWithToken(host, path, token, who, context, secret = token) {
    await fetchReply({ method: 'GET', url: new URL(formatOrigin(host) + path), headers: { authorization: `Bearer ${token}` } }, (reply) => {
        if (reply.status !== 200)
            throw client_refused(host, reply, who, secret);
    }, context);
}
async function fetchChallenge(host, context) {
    return await retry_fetchReply({ method: 'GET', url: new URL(`${(0,hosts/* formatOrigin */.cp)(host)}/v2/`) }, ({ status, headers }) => {
        const challenge = parseChallenge(headers['www-authenticate'] ?? '');
        if (status === 401 && challenge?.scheme === 'bearer')
            return challenge;
        const strange = new user_error/* UserError */.yo(`${host} does not answer like a registry of IBM Cloud: ${status} instead of 401 and a Bearer challenge.`, 'Nothing was logged in. Is registry right, and is there a proxy or a captive portal in between?');
        // Not the registry's: of somebody in between, who may be gone the next time.
        throw status === 200 ? new RetryableError('it answered 200 instead of 401', undefined, false, strange) : strange;
    }, context);
}
/** The realm, where it is the registry's own: docker sends the secret to any realm, this does not. */
function parseRealm(host, realm, secret) {
    const origin = (0,hosts/* formatOrigin */.cp)(host);
    const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined;
    if (url?.origin === new URL(origin).origin && url.username === '' && url.password === '')
        return url;
    throw new user_error/* UserError */.yo(`${host} asks for the secret to be sent elsewhere: ${realm === undefined ? 'no realm' : (0,redact/* quoteRedacted */.t1)(realm, secret)}.`, `It was not sent. A registry of IBM Cloud gives out its tokens itself, at ${origin}/oauth/token.`);
}
/** GET with Basic, as docker does (facts/ibm-cloud.md section 4). */
async function client_fetchToken(host, { challenge, credential, scopes }, context) {
    const url = parseRealm(host, challenge.realm, credential.secret);
    url.searchParams.set('account', credential.username);
    url.searchParams.set('client_id', 'icr-login');
    if (challenge.service !== undefined)
        url.searchParams.set('service', challenge.service);
    for (const scope of scopes)
        url.searchParams.append('scope', scope);
    const headers = { authorization: `Basic ${(0,credential_credential/* formatBasic */.CY)(credential)}` };
    return await retry_fetchReply({ method: 'GET', url, headers }, (reply) => {
        if (reply.status !== 200)
            throw client_refused(host, reply, credential.username, credential.secret);
        return readToken(reply, credential.secret, context);
    }, context);
}
// The distribution's token specification: "If omitted, this defaults to 60 seconds."
const MIN_LIFETIME_S = 60;
function readToken(reply, secret, context) {
    const body = parseBody(reply);
    const token = (0,json/* stringAt */.bX)(body, 'token') ?? (0,json/* stringAt */.bX)(body, 'access_token');
    // The secret itself would be taken for a short-lived token, and handed on as one.
    if (token === undefined || token === secret)
        throw new RetryableError('it answered 200 without a token');
    context.mask(token);
    const seconds = typeof body['expires_in'] === 'number' ? body['expires_in'] : MIN_LIFETIME_S;
    const issuedAt = context.now();
    const expiresAt = (0,jwt/* parseSeconds */.fL)(issuedAt / 1000 + seconds) ?? new Date(issuedAt + MIN_LIFETIME_S * 1000);
    return { token, issuedAt: new Date(issuedAt), expiresAt };
}
// What docker makes of a refusal without a message (facts/ibm-cloud.md section 4).
const WORDLESS = { 400: '400 Bad Request', 403: '403 Forbidden' };
function client_refused(host, reply, who, secret) {
    const message = parseErrors(reply.body);
    const what = `${host} refused the login as ${who} (${reply.status})`;
    return explainRefusal(what, message === '' ? (WORDLESS[reply.status] ?? '') : message, secret);
}

;// CONCATENATED MODULE: ./src/mint/method.ts
const HOUR_MS = 3_600_000;
// Why a secret does not go with a way; more than one way says so.
const ONLY_ITS_CLIENT = 'only the client that got it can use it';
const REGISTRY_ONLY = 'it is a credential of the registry alone, and IAM does not know it';
const NOT_REVOCABLE_LATER = 'what it mints could not be revoked once it has ended';

;// CONCATENATED MODULE: ./src/mint/methods/api-key.ts








const MINUTE_MS = 60_000;
/** A temporary API key of a service ID, which post deletes. One for all hosts. */
const apiKey = {
    unsupported: {
        'access-token': NOT_REVOCABLE_LATER,
        'refresh-token': ONLY_ITS_CLIENT,
        'registry-token': REGISTRY_ONLY
    },
    maxLifetimeMs: 24 * HOUR_MS,
    defaultLifetimeMs: HOUR_MS,
    policy: 'Look at the access policies of the service ID in service-id: Reader on Container Registry, ' +
        'and no Writer or Manager.',
    mint,
    revoker: {
        list: async (order, context) => {
            const token = await order.accessToken();
            const of = { name: order.name, ...scopeOf(order, token) };
            return (await findApiKeys(order.iamUrl, token, of, context)).map((id) => ({ id }));
        },
        remove: async (order, { id }, context) => {
            await deleteApiKey(order.iamUrl, await order.accessToken(), id, context);
        }
    }
};
async function mint(order, record, context) {
    const { token } = await order.accessToken();
    // IAM's own clock: this machine's may be wrong.
    const issuedAt = (0,jwt/* parseIssuedAt */.aM)(token) ?? new Date(context.now());
    const expiresAt = roundUpToMinute(issuedAt.getTime() + (order.lifetimeMs ?? HOUR_MS));
    const { serviceId, account } = scopeOf(order, token);
    const { id, secret } = await createApiKey(order.iamUrl, token, { name: order.name, serviceId, account, expiresAt: formatMinute(expiresAt) }, record.watch, context);
    record.made({ id }, expiresAt);
    context.info(`Minted the API key ${id} of ${serviceId}, which ends ${(0,errors_quote/* formatTime */.fU)(expiresAt)}.`);
    const credential = { username: credential_credential/* USERNAMES */.Im['api-key'], secret };
    await Promise.all(order.hosts.map(async (host) => waitUntilAccepted(host, credential, context)));
    return order.hosts.map((host) => ({ host, ...credential, issuedAt, expiresAt, id }));
}
const PROPAGATION_MS = 10_000;
const POLL_MS = 1_000;
/** A key that is seconds old may not be known everywhere yet (facts/ibm-cloud.md section 3.5, "propagation"). */
async function waitUntilAccepted(host, credential, context) {
    const until = context.now() + PROPAGATION_MS;
    for (;;) {
        try {
            await client_exchange(host, credential, [], context);
            return;
        }
        catch (error) {
            if (!(error instanceof user_error/* RefusedError */.fk) || context.now() + POLL_MS > until)
                throw error;
        }
        context.info(`${host} does not know the new API key yet. Asking again in ${POLL_MS / 1000} s.`);
        await context.sleep(POLL_MS);
    }
}
function scopeOf({ serviceId }, accessToken) {
    const account = accountOf(accessToken);
    if (serviceId !== undefined && account !== undefined)
        return { serviceId, account };
    throw new user_error/* UserError */.yo("IAM's access token does not say which account it is of.", 'Is iam-url the address of IBM Cloud IAM?');
}
/** `expires_at` has minutes and no more (facts/ibm-cloud.md section 3.5). */
function roundUpToMinute(milliseconds) {
    return new Date(Math.ceil(milliseconds / MINUTE_MS) * MINUTE_MS);
}
/** yyyy-MM-ddTHH:mm+0000 */
function formatMinute(time) {
    return `${time.toISOString().slice(0, 16)}+0000`;
}

;// CONCATENATED MODULE: ./src/mint/methods/iam-token.ts




/** An IAM access token: of the job's identity, or of a trusted profile that it may assume. One for all hosts. */
const iamToken = {
    unsupported: { 'refresh-token': ONLY_ITS_CLIENT, 'registry-token': REGISTRY_ONLY },
    // facts/ibm-cloud.md section 3.1: 60 minutes at most; IAM says how long in every reply.
    maxLifetimeMs: HOUR_MS,
    policy: "Look at the access policies of the key's identity, or of the trusted profile: Reader on Container Registry, " +
        'and no Writer or Manager.',
    mint: async (order, _record, context) => {
        const { token, expiresAt } = await iam_token_fetchToken(order, context);
        const issuedAt = (0,jwt/* parseIssuedAt */.aM)(token) ?? new Date(context.now());
        const minted = {
            username: credential_credential/* USERNAMES */.Im['access-token'],
            secret: token,
            issuedAt,
            expiresAt: expiresAt ?? new Date(issuedAt.getTime() + HOUR_MS)
        };
        return order.hosts.map((host) => ({ host, ...minted }));
    }
};
async function iam_token_fetchToken(order, context) {
    const own = await order.accessToken();
    return order.profile === undefined
        ? own
        : await assumeProfile(order.iamUrl, own.token, order.profile, context);
}

;// CONCATENATED MODULE: ./src/registry/tokens.ts









/**
 * Issues a registry token that is never permanent. It is masked.
 * @param wanted.write read-write, where IBM's default is read-only
 * @param wanted.watch told around each try: a try that gets no answer may issue one all the same
 * @returns the token, and its ID, which is the JWT's `jti`
 * @throws UserError where the registry does not issue any: IBM's has not since 1 July 2019
 */
async function issueRegistryToken(host, caller, wanted, context) {
    // Query parameters, no body. `write` has a value of its own: bluemix-go fills it from `permanent` (section 2.2).
    const query = { description: wanted.description, permanent: 'false', write: String(wanted.write) };
    return await retry_fetchReply({ ...request('POST', host, '', caller, query), watch: wanted.watch }, (reply) => {
        if (reply.status !== 200 && reply.status !== 201)
            throw explainIssue(host, reply, caller);
        const token = (0,json/* stringAt */.bX)(parseBody(reply), 'token');
        if (token !== undefined)
            context.mask(token);
        const id = (0,json/* stringAt */.bX)((0,jwt/* parseClaims */.Df)(token ?? ''), 'jti');
        if (token === undefined || id === undefined || !(0,redact/* isPlainId */.SR)(id)) {
            throw new RetryableError(`it answered ${reply.status} without a registry token`);
        }
        return { id, token };
    }, context);
}
function explainIssue(host, reply, { accessToken }) {
    const message = parseErrors(reply.body);
    const ended = /discontinued/i.test(message) || [404, 405, 410].includes(reply.status);
    if (!ended)
        return explainRefusal(`${host} issued no registry token (${reply.status})`, message, accessToken);
    return new user_error/* UserError */.yo(`${host} issues no registry tokens: IBM ended them on 1 July 2019.`, 'Use mint: repository-token, mint: iam-token or mint: api-key instead.');
}
/**
 * Finds those of the account's registry tokens that carry a description, and were not removed.
 * @returns their IDs
 * @throws UserError where the registry refuses it or can't be reached
 */
async function findRegistryTokens(host, caller, description, context) {
    return await retry_fetchReply({ ...request('GET', host, '', caller), maxBytes: MAX_LIST_BYTES }, (reply) => {
        if (reply.status !== 200)
            throw tokens_explain(host, 'list', reply, caller);
        const { tokens } = parseBody(reply);
        // An answer that is no list would be taken for an empty one: nothing left to revoke.
        if (!Array.isArray(tokens))
            throw new RetryableError('it answered 200 without a list of tokens');
        return parseTokens(tokens, description);
    }, context);
}
function parseTokens(tokens, description) {
    const ours = tokens.filter(json/* isObject */.Gv).filter((token) => token['secondary_owner'] === description);
    return ours
        .filter((token) => token['revoked'] !== true)
        .map((token) => {
        const id = (0,json/* stringAt */.bX)(token, '_id');
        // Passed over, it would stay, and nobody would know.
        if (id === undefined)
            throw new RetryableError('it answered 200 with a token of this job that has no ID');
        return id;
    });
}
/**
 * Removes a registry token by its ID, and all that carry its description; what is gone already is no error.
 * @throws as findRegistryTokens
 */
async function removeRegistryToken(host, caller, { id, description }, context) {
    const accept = (reply) => {
        if (reply.status !== 404 && (reply.status < 200 || reply.status >= 300)) {
            throw tokens_explain(host, `remove ${(0,redact/* quoteId */.g0)(id)}`, reply, caller);
        }
    };
    await retry_fetchReply(request('DELETE', host, `/${encodeURIComponent(id)}`, caller), accept, context);
    await retry_fetchReply(request('DELETE', host, '', caller, { secondaryOwner: description }), accept, context);
}
function tokens_explain(host, what, reply, { accessToken }) {
    return explainRefusal(`${host} refused to ${what} (registry tokens, ${reply.status})`, parseErrors(reply.body), accessToken);
}
function request(method, host, path, { accessToken, account }, query = {}) {
    const url = new URL(`${(0,hosts/* formatOrigin */.cp)(host)}/api/v1/tokens${path}`);
    url.search = new URLSearchParams(query).toString();
    return { method, url, headers: { authorization: `Bearer ${accessToken}`, account } };
}

;// CONCATENATED MODULE: ./src/mint/methods/registry-token.ts







/** A registry token, as `ibmcloud cr token-add` made it until 2019; post removes it. One for each host. */
const registryToken = {
    unsupported: {
        'access-token': NOT_REVOCABLE_LATER,
        'refresh-token': ONLY_ITS_CLIENT,
        'registry-token': REGISTRY_ONLY
    },
    maxLifetimeMs: 24 * HOUR_MS,
    policy: 'The registry made a read-write token of a read-only one; use another mint.',
    mint: async (order, record, context) => {
        const { token } = await order.accessToken();
        return await Promise.all(order.hosts.map(async (host) => await mintFor(host, token, { order, record }, context)));
    },
    revoker: {
        list: async (order, context) => {
            const token = await order.accessToken();
            const lists = await Promise.allSettled(order.hosts.map(async (host) => {
                const found = await findRegistryTokens(host, caller(token), order.name, context);
                return found.map((id) => ({ id, host }));
            }));
            const found = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
            // What was found is removed first; the next list says again what is wrong.
            const failed = lists.find((list) => list.status === 'rejected');
            if (failed !== undefined && found.length === 0)
                throw failed.reason;
            return found;
        },
        remove: async (order, { id, host }, context) => {
            const token = await order.accessToken();
            for (const at of host === undefined ? order.hosts : [host]) {
                await removeRegistryToken(at, caller(token), { id, description: order.name }, context);
            }
        }
    }
};
async function mintFor(host, accessToken, { order, record }, context) {
    const wanted = { description: order.name, write: !order.readOnly, watch: record.watch };
    const { id, token } = await issueRegistryToken(host, caller(accessToken), wanted, context);
    const issuedAt = new Date(context.now());
    // facts/ibm-cloud.md section 2.2: 24 h, unless the token says otherwise.
    const expiresAt = (0,jwt/* parseExpiry */.rQ)(token) ?? new Date(issuedAt.getTime() + 24 * HOUR_MS);
    record.made({ id, host }, expiresAt);
    context.info(`${host}: minted the registry token ${id}, which ends ${(0,errors_quote/* formatTime */.fU)(expiresAt)}.`);
    return { host, username: credential_credential/* USERNAMES */.Im['registry-token'], secret: token, issuedAt, expiresAt, id };
}
function caller(accessToken) {
    const account = accountOf(accessToken);
    if (account !== undefined)
        return { accessToken, account };
    throw new user_error/* UserError */.yo("IAM's access token does not say which account it is of.", 'Is iam-url the address of IBM Cloud IAM?');
}

;// CONCATENATED MODULE: ./src/registry/scope.ts


/** A token's scope for one repository (distribution, "Token Scope Documentation"): `repository:NAME:pull,push`. */
function scope_formatScope(repository, actions) {
    return `repository:${repository}:${actions.join(',')}`;
}
/**
 * What a registry's token grants, by repository, as its `access` claim says it.
 * @returns undefined where the token can't be read
 */
function scope_parseGrants(token) {
    const access = parseClaims(token)?.['access'];
    if (!Array.isArray(access))
        return undefined;
    const grants = new Map();
    for (const { type, name, actions } of access.filter(isObject)) {
        if (type !== 'repository' || typeof name !== 'string' || !Array.isArray(actions))
            continue;
        grants.set(name, new Set([...(grants.get(name) ?? []), ...actions.map(String)]));
    }
    return grants;
}

;// CONCATENATED MODULE: ./src/mint/methods/repository-token.ts



const PULL = ['pull'];
const PULL_AND_PUSH = ['pull', 'push'];
// facts/clients-and-runner.md, "Who honours `registrytoken`".
const CLIENTS = 'A repository token serves docker, buildx, crane, ko, cosign, kaniko and oras. ' +
    'podman, skopeo, buildah, nerdctl and Kubernetes do not read it: for those use mint: iam-token.';
/** The registry's own bearer token, one for each host, good for that host's repositories and nothing else. */
const repositoryToken = {
    unsupported: {},
    maxLifetimeMs: HOUR_MS,
    policy: 'The registry granted more than was asked for; use another mint.',
    mint: async (order, _record, context) => {
        context.info(CLIENTS);
        const actions = order.readOnly ? PULL : PULL_AND_PUSH;
        return await Promise.all([...order.repositories].map(async ([host, repositories]) => {
            const scopes = repositories.map((repository) => scope_formatScope(repository, actions));
            return await repository_token_mintFor(host, scopes, order, context);
        }));
    }
};
async function repository_token_mintFor(host, scopes, order, context) {
    const { token, issuedAt, expiresAt } = await client_exchange(host, await order.credential(), scopes, context);
    return { host, username: undefined, secret: token, issuedAt, expiresAt };
}

;// CONCATENATED MODULE: ./src/mint/methods.ts




/** Every way to mint, by the name that the input `mint` has for it. A new way is one file and one row. */
const methods_METHODS = {
    'repository-token': repositoryToken,
    'iam-token': iamToken,
    'api-key': apiKey,
    'registry-token': registryToken
};
/** The way of that name; undefined where there is none. */
function findMethod(name) {
    return methods_isMethodName(name) ? methods_METHODS[name] : undefined;
}
function methods_isMethodName(name) {
    return Object.hasOwn(methods_METHODS, name);
}

;// CONCATENATED MODULE: ./src/mint/inputs.ts





/**
 * What is to be minted; undefined for `mint: none`.
 * @throws UserError for what a way needs and was not given, and for what makes no sense with it
 */
function resolveMint(texts, job) {
    const { mint: method, serviceId, lifetime, readOnly } = texts;
    if (method === 'none') {
        refuseWithoutMint(texts);
        return undefined;
    }
    if (!isMethodName(method)) {
        throw new UserError(`mint: "${quote(method)}" is none.`, `Give one of none, ${Object.keys(METHODS).join(', ')}.`);
    }
    const rules = METHODS[method];
    checkMinter(method, rules, job);
    const repositories = resolveRepositories(texts.repositories, job);
    if (method === 'repository-token')
        checkEveryHost(job.hosts, repositories);
    if (lifetime !== undefined && lifetime.milliseconds > rules.maxLifetimeMs) {
        throw new UserError(`lifetime: ${lifetime.text} is longer than mint: ${method} can give, which is ${rules.maxLifetimeMs / 3_600_000}h.`, 'Shorten it, or use mint: api-key, which lasts up to 24h.');
    }
    return {
        method,
        repositories,
        serviceId: resolveServiceId(method, serviceId),
        lifetimeMs: lifetime?.milliseconds,
        readOnly,
        profile: method === 'iam-token' && job.authMethod !== 'keyless' ? job.profile : undefined
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
    throw new UserError(`${formatList(given)} means nothing without mint.`, `Take it out, or give mint: ${Object.keys(METHODS).join(', ')}.`);
}
function checkMinter(method, rules, { authMethod, profile }) {
    const why = rules.unsupported[authMethod];
    if (why !== undefined) {
        throw new UserError(`mint: ${method} does not go with ${authMethod}: ${why}.`, 'Give an api-key, or another mint.');
    }
    if (method === 'iam-token' && authMethod === 'access-token' && profile === undefined) {
        throw new UserError('mint: iam-token makes no sense with access-token alone: it is one already.', 'Leave mint out, or give trusted-profile as well, which is assumed then.');
    }
    if (rules.revoker !== undefined && authMethod !== 'keyless' && profile !== undefined) {
        throw new UserError(`trusted-profile does not go with mint: ${method} and ${authMethod}.`, 'Take trusted-profile out, or use mint: iam-token, which assumes it.');
    }
}
/** Every repository, under each host that it is on. */
function resolveRepositories(texts, { hosts, references }) {
    const found = new Map(hosts.map((host) => [host, []]));
    for (const text of texts) {
        const { host, repository } = parseRepository(text);
        if (host !== undefined && !hosts.includes(host)) {
            throw new UserError(`repositories: "${quote(text)}" is on a host that this step does not log in to.`, `The hosts are ${formatList(hosts)}.`);
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
    throw new UserError(`mint: repository-token needs to know the repositories on ${formatList(without)}.`, 'Give repositories: namespace/repository, or an image reference in registry.');
}
function resolveServiceId(method, text) {
    if (method !== 'api-key') {
        if (text === '')
            return undefined;
        throw new UserError(`service-id means nothing with mint: ${method}.`, 'Take it out, or use mint: api-key.');
    }
    const id = /^(?:iam-)?(ServiceId-[0-9A-Za-z-]{1,80})$/.exec(text)?.[1];
    if (id !== undefined)
        return `iam-${id}`;
    throw new UserError(text === ''
        ? 'mint: api-key needs service-id.'
        : `service-id: "${quote(text)}" is not the ID of a service ID.`, 'Give the ID of a service ID that may only pull: ServiceId-…, as ibmcloud iam service-ids --uuid shows it.');
}

// EXTERNAL MODULE: ./src/mint/journal.ts + 1 modules
var journal = __webpack_require__(646);
;// CONCATENATED MODULE: ./src/mint/verify.ts




/**
 * Shows all that was minted to the registry, and says what is not proven.
 * @throws UserError where it may not pull, or may push and should not
 */
async function verify_verifyMinted({ method: name, repositories, readOnly }, method, minted, context) {
    const found = await Promise.all(minted.flatMap((one) => {
        const wanted = repositories.get(one.host) ?? [];
        return wanted.length === 0 ? [] : [verifyOne(one, wanted, context)];
    }));
    const access = found.length < minted.length || found.includes(undefined) ? undefined : widest(found);
    const canPush = found.includes('pull,push');
    if (readOnly && canPush)
        throw canPushError(name, method, repositories);
    if (access === undefined) {
        context.warning(`mint: ${name}: that the credential can only pull is not proven${whyNot(found, minted)}.`);
    }
    else if (!readOnly && !canPush) {
        context.warning('read-only: false: push was asked for, and the registry does not grant it.');
    }
    return access;
}
async function verifyOne({ host, username, secret }, wanted, context) {
    return username === undefined
        ? await verifyTokenAccess(host, secret, wanted, context)
        : await verifyCredentialAccess(host, { username, secret }, wanted, context);
}
function widest(found) {
    return found.includes('pull,push') ? 'pull,push' : 'pull';
}
function whyNot(found, minted) {
    return found.length < minted.length
        ? ': give repositories to have it shown to the registry'
        : ': the registry does not say what its token grants. It can pull';
}
function canPushError(name, method, repositories) {
    const names = formatList(namesOf(repositories));
    return new UserError(`mint: ${name}: the registry would let the minted credential push to ${names}.`, `${method.policy} Or give read-only: false, if the job is to push.`);
}
/** Every repository once, whatever its hosts. */
function namesOf(repositories) {
    return [...new Set([...repositories.values()].flat())];
}
/**
 * Shows a credential to the registry: may it pull each repository, and may it push? Nothing is written.
 * @throws UserError where it may not pull one of them
 */
async function verifyCredentialAccess(host, credential, repositories, context) {
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
async function verifyTokenAccess(host, token, repositories, context) {
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
        await getWithToken(host, `/v2/${repository}/tags/list`, token, who, context);
}

;// CONCATENATED MODULE: ./src/mint/mint.ts





/**
 * Mints, and verifies what was minted with the registry before the job goes on.
 * @param save writes to state what post has to revoke; called before each request that may make something
 * @throws UserError where it can't be minted, may not pull, or may push and should not
 */
async function mintForJob(job, save, context) {
    const method = METHODS[job.mint.method];
    const journal = openJournal(job, method, method.revoker === undefined ? () => undefined : save, context);
    const minted = await method.mint(orderOf(job, journal.state().name, context), journal.record, context);
    warnIfShort(job.mint, minted, context);
    const access = await verifyMinted(job.mint, method, minted, context);
    return { minted, access, state: journal.state() };
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
function warnIfShort({ method, lifetimeMs }, minted, context) {
    const shortest = minted.toSorted((a, b) => lastsMs(a) - lastsMs(b))[0];
    if (lifetimeMs === undefined || shortest === undefined || lastsMs(shortest) + SLACK_MS >= lifetimeMs)
        return;
    context.warning(`lifetime: the job needs ${formatMinutes(lifetimeMs)}, and mint: ${method} gave ${formatMinutes(lastsMs(shortest))} ` +
        `(until ${formatTime(shortest.expiresAt)}). mint: api-key lasts up to 24h.`);
}
function lastsMs({ issuedAt, expiresAt }) {
    return expiresAt.getTime() - issuedAt.getTime();
}
function formatMinutes(milliseconds) {
    return `${Math.floor(milliseconds / 6_000) / 10} min`;
}

;// CONCATENATED MODULE: ./src/mint/revoke.ts









const revoke_POLL_MS = 1_000;
const RELIST_MS = 100;
/**
 * Revokes what was minted: by its ID, and by its unique name over all pages of the list, until no request of that
 * mint can still be on its way. Then it is read back.
 * @param readSecret reads an input again
 * @returns one line that says what was revoked; undefined where there was nothing
 * @throws UserError that names what is left, and until when
 */
async function revokeMinted(state, hosts, readSecret, context) {
    const revoker = findMethod(state.method)?.revoker;
    if (revoker === undefined)
        return undefined;
    const gone = new Set();
    try {
        const identity = readIdentity(state, readSecret);
        await removeAll(state, revoke_orderOf(state, hosts, identity, context), gone, revoker, context);
        return gone.size === 0 ? undefined : `Revoked the minted ${describeIds(state, [...gone])}.`;
    }
    catch (error) {
        const left = state.made.map(({ id }) => id).filter((id) => !gone.has(id));
        const what = describeIds(state, left);
        throw new user_error/* UserError */.yo(`The minted ${what} could not be revoked: ${(0,user_error/* messageOf */.bD)(error).split('\n').join(' ')}`, `If it was made, it ends ${state.expiresAt} at the latest. Delete it in the IBM Cloud console before.`);
    }
}
function describeIds({ method, name }, ids) {
    return `${method} ${ids.length === 0 ? `named ${name}` : (0,errors_quote/* formatList */.ki)(ids.map(redact/* quoteId */.g0))}`;
}
/** A secret that another step has put in the place of the job's own is not sent anywhere. */
function readIdentity({ authMethod, digest, profile }, readSecret) {
    if (authMethod === 'keyless')
        return { kind: 'keyless', profile: (0,credential_credential/* parseTrustedProfile */.yG)(profile) };
    const secret = readSecret(authMethod);
    if (secret !== undefined && (0,journal/* digestOf */.ol)(secret) === digest)
        return { kind: authMethod, secret };
    throw new user_error/* UserError */.yo(`${authMethod} is not what it was when it minted, so it was not used.`, 'Did a step change it?');
}
function revoke_orderOf(state, hosts, identity, context) {
    let token;
    return {
        ...state,
        hosts,
        accessToken: () => (token ??= access_token_fetchAccessToken(identity, state.iamUrl, context).then((fetched) => fetched.token))
    };
}
/** By ID first, as the list may not be readable; then by name, which also shows that all is gone. */
async function removeAll({ made, openUntil }, order, gone, revoker, context) {
    const first = await removeEach(made, order, gone, revoker, context);
    if (context.now() < openUntil) {
        const until = (0,errors_quote/* formatTime */.fU)(new Date(openUntil));
        context.info(`A request of the mint may still be on its way: looking for what it made until ${until}.`);
    }
    // Asked for again, it would be refused again.
    const refused = new Map([...first].filter(([, error]) => error instanceof user_error/* RefusedError */.fk));
    for (;;) {
        const settled = context.now() >= openUntil;
        const found = await revoker.list(order, context);
        const known = [...made.filter(({ id }) => !gone.has(id)), ...found];
        const left = new Map(known.map((one) => [`${one.host ?? ''} ${one.id}`, one]));
        const asked = [...left.values()].filter((one) => !refused.has(one.id));
        const failed = await removeEach(asked, order, gone, revoker, context);
        for (const error of [...refused.values(), ...failed.values()])
            throw error;
        if (found.length === 0 && settled)
            return;
        await context.sleep(settled ? RELIST_MS : Math.min(revoke_POLL_MS, Math.max(0, openUntil - context.now())));
    }
}
/** One that can't be removed keeps no other from it: what failed, by ID. */
async function removeEach(all, order, gone, revoker, context) {
    const failed = new Map();
    await Promise.all(all.map(async (one) => {
        try {
            await revoker.remove(order, one, context);
            gone.add(one.id);
        }
        catch (error) {
            failed.set(one.id, error);
        }
    }));
    return failed;
}

;// CONCATENATED MODULE: ./src/network.ts
/** What a plain login never loads: one chunk of dist. `login.ts` and `cleanup.ts` import it where they need it. */








/***/ })

};
