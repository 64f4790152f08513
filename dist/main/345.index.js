export const id = 345;
export const ids = [345];
export const modules = {

/***/ 345:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  installDocker: () => (/* binding */ installDocker)
});

// UNUSED EXPORTS: resolveDownload

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
// EXTERNAL MODULE: ./src/context.ts
var src_context = __webpack_require__(788);
// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/http/retry.ts
var retry = __webpack_require__(8902);
// EXTERNAL MODULE: ./src/registry/hosts.ts
var hosts = __webpack_require__(1604);
// EXTERNAL MODULE: ./src/http/client.ts
var http_client = __webpack_require__(3329);
;// CONCATENATED MODULE: ./src/docker/download.ts










const MOST_REDIRECTS = 5;
/** A server that says nothing for so long has gone away. */
const IDLE_MS = 10_000;
const LARGEST_FILE = 512 * 1024 * 1024;
const PROGRESS_MS = 5_000;
/**
 * Downloads a public file: no credential goes along, so redirects are followed, to https (or this machine) alone.
 * Faults are tried again from the start; each try, and how far one has come, is a line in the log.
 * @param file is written, and holds the whole body where the status is 200
 * @param largest the most bytes that the file may have; 512 MiB if not given
 * @returns the status of the last answer
 * @throws UserError where there is no whole answer until the context's deadline
 */
async function download(url, file, context, largest = LARGEST_FILE) {
    const request = { method: 'GET', url, headers: { accept: '*/*' } };
    const send = async () => await save(request, { file, largest }, context, MOST_REDIRECTS);
    const { status } = await (0,retry/* fetchReply */.dI)(request, (reply) => reply, { ...context, send });
    return status;
}
async function save(request, target, context, redirects) {
    const timeUp = AbortSignal.timeout(Math.ceil((0,src_context/* timeLeft */.f)(context)));
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
        throw new retry/* Fault */.vC('it answered with one redirect after the other');
    return await save({ ...request, url }, target, context, redirects - 1);
}
/** @throws UserError where the way leads out of TLS */
function resolveRedirect(from, location) {
    const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    if (url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && (0,hosts/* isLoopback */.U9)(url.host))))
        return url;
    throw new user_error/* UserError */.yo(`${from.host} redirects to "${(0,user_error/* quote */.hD)(location)}", which is not https.`, 'Is there a proxy or a captive portal in between? If it is a mirror, give its https address in docker-url.');
}
async function download_open({ url, headers }, timeUp) {
    const agent = await (0,http_client/* agentFor */.Pf)({ method: 'GET', url });
    const client = url.protocol === 'https:' ? external_node_https_ : external_node_http_;
    return await new Promise((resolve, reject) => {
        const call = client.request(url, {
            agent,
            headers: { 'user-agent': 'icr-login', ...headers },
            rejectUnauthorized: true,
            signal: timeUp
        });
        call.setTimeout(IDLE_MS, () => call.destroy(new retry/* Fault */.vC(`it said nothing for ${IDLE_MS / 1000} s`)));
        call.on('response', resolve);
        call.on('error', (error) => {
            reject(explain(error, timeUp));
        });
        call.on('close', () => {
            // Too late where there was an answer; a switch to another protocol is none, and no error either.
            reject(new retry/* Fault */.vC('it closed the connection before it had answered'));
        });
        call.end();
    });
}
async function write(incoming, { file, largest }, context, timeUp) {
    try {
        const counter = countBytes(incoming, largest, context);
        await (0,external_node_stream_promises_.pipeline)(incoming, counter, (0,external_node_fs_.createWriteStream)(file, { mode: 0o600 }));
    }
    catch (error) {
        throw explain(error, timeUp);
    }
}
function explain(error, timeUp) {
    // The time may run out in the middle of a body, which looks as if the other side had cut it short.
    if (timeUp.aborted)
        return new retry/* Fault */.vC('the time for it is up');
    const code = (0,user_error/* codeOf */.$N)(error);
    // Node's name for a body that ends too early.
    return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
        ? new retry/* Fault */.vC('its answer was cut short')
        : error;
}
/** Lets the bytes through, says now and then how many, and stops where they are too many. */
function countBytes(incoming, largest, context) {
    const total = Number(incoming.headers['content-length'] ?? 0);
    let count = 0;
    let said = context.now();
    return new external_node_stream_.Transform({
        transform: (chunk, _, done) => {
            count += chunk.length;
            if (context.now() - said >= PROGRESS_MS) {
                said = context.now();
                context.note(`${formatMegabytes(count)}${total === 0 ? '' : ` of ${formatMegabytes(total)}`} are here.`);
            }
            done(count > largest ? new retry/* Fault */.vC(`it is over ${formatMegabytes(largest)}`) : null, chunk);
        }
    });
}
function formatMegabytes(bytes) {
    return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}

// EXTERNAL MODULE: ./src/docker/run.ts + 1 modules
var run = __webpack_require__(4120);
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
        const cached = (0,tool_cache/* find */.I6)(TOOL, version);
        if (cached !== '' && (0,external_node_fs_.existsSync)((0,external_node_path_.join)(cached, place.program)))
            return cached;
        const folder = await (0,promises_.mkdtemp)((0,external_node_path_.join)(temp, 'icr-login-download-'));
        try {
            const program = await fetchProgram(place, folder, context);
            await checkProgram(program, wanted.version, place, context);
            return await (0,tool_cache/* cacheDir */.e8)((0,external_node_path_.dirname)(program), TOOL, version);
        }
        finally {
            await (0,promises_.rm)(folder, { recursive: true, force: true });
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
        throw new user_error/* UserError */.yo(`docker-version: Docker has no CLI for ${platform} on ${arch}.`, 'Leave docker-version out: the login works without docker too. Or put a docker CLI on the PATH.');
    }
    const { folder, archive, program } = build;
    const path = `${folder}/static/stable/${machine}/docker-${version}.${archive}`;
    return { url: new URL(path, url.href.endsWith('/') ? url : `${url.href}/`), archive, program };
}
/** @returns the program, alone in a folder */
async function fetchProgram({ url, archive, program }, folder, context) {
    const file = (0,external_node_path_.join)(folder, `docker.${archive}`);
    context.note(`No docker on the PATH: getting ${url.href}.`);
    const status = await download(url, file, context);
    if (status !== 200)
        throw notThere(url, status);
    const extracted = await extract(file, archive, (0,external_node_path_.join)(folder, 'extracted')).catch(() => '');
    const found = (0,external_node_path_.join)(extracted, 'docker', program);
    if (!(0,external_node_fs_.existsSync)(found))
        throw wrongArchive(url, `holds no docker/${program}`);
    const alone = (0,external_node_path_.join)(folder, 'alone', program);
    await (0,promises_.mkdir)((0,external_node_path_.dirname)(alone));
    await (0,promises_.rename)(found, alone);
    return alone;
}
async function extract(file, archive, folder) {
    return archive === 'zip' ? await (0,tool_cache/* extractZip */.JE)(file, folder) : await (0,tool_cache/* extractTar */.nN)(file, folder);
}
function notThere(url, status) {
    return new user_error/* UserError */.yo(`${url.href} answered ${status}: this docker CLI is not to be had there.`, `Is docker-version one that exists? ${new URL('.', url).href} lists them. Is docker-url right?`);
}
function wrongArchive(url, why) {
    return new user_error/* UserError */.yo(`What came from ${url.href} ${why}.`, 'Is docker-url a mirror of Docker’s download site, and did a proxy answer in its place?');
}
/** What was downloaded is to be handed the secret: it must at least be a docker that runs here. */
async function checkProgram(program, version, { url }, context) {
    const { code, stdout } = await (0,run/* run */.e)(program, ['--version'], {
        input: '',
        env: (0,child_env/* childEnvironment */.Q)(''),
        timeoutMs: 10_000
    }).catch(() => ({ code: undefined, stdout: '' }));
    const said = /^Docker version ([^\s,]+)/.exec(stdout)?.[1];
    if (code !== 0 || said === undefined)
        throw wrongArchive(url, 'is no docker that runs on this machine');
    if (said !== version)
        context.warn(`docker-version: ${version} was asked for, but what came is ${(0,user_error/* quote */.hD)(said)}.`);
}
/** The tool cache hands all of the environment to tar, the inputs with the secret too, unless there is less of it. */
async function withShortEnvironment(work) {
    const all = process.env;
    const temp = all['RUNNER_TEMP'] ?? (0,external_node_os_.tmpdir)();
    const cache = all['RUNNER_TOOL_CACHE'] ?? (0,external_node_path_.join)(temp, 'tools');
    const short = { ...(0,child_env/* childEnvironment */.Q)(''), RUNNER_TEMP: temp, RUNNER_TOOL_CACHE: cache };
    process.env = Object.fromEntries(Object.entries(short).filter(([, value]) => ![...user_error/* knownSecrets */.xU].some((secret) => value.includes(secret))));
    try {
        return await work(temp);
    }
    finally {
        process.env = all;
    }
}


/***/ }),

/***/ 3329:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Cm: () => (/* binding */ LARGEST_LIST),
/* harmony export */   Pf: () => (/* binding */ agentFor),
/* harmony export */   tN: () => (/* binding */ send),
/* harmony export */   vC: () => (/* binding */ Fault)
/* harmony export */ });
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(7067);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_http__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(4708);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_https__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _context_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(788);
/* harmony import */ var _errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(873);
/* harmony import */ var _registry_hosts_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(1604);





const TRY_MS = 10_000;
const NEARBY_TRY_MS = 3_000;
const LARGEST_BODY = 64 * 1024;
/** Lists of an account's keys and tokens grow with it: a hundred keys alone are over 64 KiB. */
const LARGEST_LIST = 8 * 1024 * 1024;
/** An answer, or the lack of one, that another try may mend. */
class Fault extends Error {
    /** The wait that the service asked for, in milliseconds. */
    retryAfter;
    busy;
    /** What to say where no try mended it, if that is known better than "could not be reached". */
    verdict;
    constructor(message, retryAfter, busy = false, verdict) {
        super(message);
        this.retryAfter = retryAfter;
        this.busy = busy;
        this.verdict = verdict;
    }
}
// Made where they are needed: node:https takes twice as long to load as node:http.
let httpAgent;
let httpsAgent;
const proxyAgents = new Map();
/** Proxies as the runner knows them; like docker, none for this machine. Loaded only where one is set. */
async function agentFor({ url, nearby }) {
    const direct = url.protocol === 'https:'
        ? (httpsAgent ??= new node_https__WEBPACK_IMPORTED_MODULE_1__.Agent({ keepAlive: true }))
        : (httpAgent ??= new node_http__WEBPACK_IMPORTED_MODULE_0__.Agent({ keepAlive: true }));
    const proxied = Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name));
    if (nearby === true || (0,_registry_hosts_js__WEBPACK_IMPORTED_MODULE_3__/* .isLoopback */ .U9)(url.host) || !proxied)
        return direct;
    const { getProxyForUrl } = await __webpack_require__.e(/* import() */ 182).then(__webpack_require__.bind(__webpack_require__, 8182));
    const proxy = getProxyForUrl(url.href);
    if (proxy === '')
        return direct;
    if (!URL.canParse(proxy)) {
        throw new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo('The address of the proxy in HTTPS_PROXY is not one.', 'Write it as http://host:port or http://user:password@host:port.');
    }
    const agent = proxyAgents.get(proxy) ?? (await connectThrough(proxy));
    proxyAgents.set(proxy, agent);
    return agent;
}
async function connectThrough(proxy) {
    const { HttpsProxyAgent } = await __webpack_require__.e(/* import() */ 659).then(__webpack_require__.bind(__webpack_require__, 7659));
    return new HttpsProxyAgent(proxy, { keepAlive: true });
}
const SHORTEST_TRY_MS = 1_000;
/** Half of the time that is left, so that a try that hangs leaves room for another; all of it where that is little. */
function shareOf(left) {
    return Math.min(left, Math.max(left / 2, SHORTEST_TRY_MS));
}
/**
 * Sends once, and reads the whole answer. Settles in every case: an event loop that ends with the promise open would
 * end the step green.
 * @throws Fault, or the system's error, where no whole answer came
 */
async function send(request, context) {
    const { method, url, headers, body } = request;
    const limit = request.nearby === true ? NEARBY_TRY_MS : TRY_MS;
    const agent = await agentFor(request);
    return await new Promise((resolve, reject) => {
        const client = url.protocol === 'https:' ? node_https__WEBPACK_IMPORTED_MODULE_1__ : node_http__WEBPACK_IMPORTED_MODULE_0__;
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
            receive(incoming, request.largest ?? LARGEST_BODY).then(resolve, reject);
        });
        const fail = (error) => {
            reject(error);
            call.destroy();
        };
        const timer = setTimeout(() => {
            fail(new Fault('it did not answer in time'));
        }, Math.min(limit, shareOf((0,_context_js__WEBPACK_IMPORTED_MODULE_4__/* .timeLeft */ .f)(context))));
        call.on('proxyConnect', ({ statusCode }) => {
            if (statusCode !== 200)
                fail(new Fault(`the proxy answered ${statusCode}`));
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
                reject(new Fault('it closed the connection before it had answered'));
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
                throw new Fault(`its answer is over ${largest / 1024} KiB`);
            chunks.push(chunk);
        }
    }
    catch (error) {
        throw (0,_errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__/* .codeOf */ .$N)(error) === 'ECONNRESET' ? new Fault('its answer was cut short') : error;
    }
    return {
        status: Number(incoming.statusCode),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString()
    };
}


/***/ }),

/***/ 8902:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Cm: () => (/* reexport safe */ _client_js__WEBPACK_IMPORTED_MODULE_1__.Cm),
/* harmony export */   OG: () => (/* binding */ parseBody),
/* harmony export */   dI: () => (/* binding */ fetchReply),
/* harmony export */   vC: () => (/* reexport safe */ _client_js__WEBPACK_IMPORTED_MODULE_1__.vC)
/* harmony export */ });
/* harmony import */ var _context_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(788);
/* harmony import */ var _errors_user_error_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(873);
/* harmony import */ var _json_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(8301);
/* harmony import */ var _client_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(3329);





const TRIES = 4;
const NEARBY_TRIES = 2;
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
async function fetchReply(request, read, context) {
    const tries = request.nearby === true ? NEARBY_TRIES : TRIES;
    let last;
    for (let attempt = 1; attempt <= tries && (0,_context_js__WEBPACK_IMPORTED_MODULE_2__/* .timeLeft */ .f)(context) > 0; attempt++) {
        try {
            return read(refuseTransient(await sendWatched(request, context), request));
        }
        catch (error) {
            last = asFault(error, request);
        }
        if (attempt === tries || !(await waitForNextTry(request, last, attempt, context)))
            break;
    }
    throw last?.verdict ?? gaveUp(request, last);
}
async function sendWatched(request, context) {
    const told = request.watch?.();
    try {
        const reply = await (context.send ?? _client_js__WEBPACK_IMPORTED_MODULE_1__/* .send */ .tN)(request, context);
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
    const wait = chooseWait(fault, attempt, (0,_context_js__WEBPACK_IMPORTED_MODULE_2__/* .timeLeft */ .f)(context));
    if (wait === undefined)
        return false;
    context.note(`${formatTarget(request)}: ${fault.message}. Trying again in ${(wait / 1000).toFixed(1)} s.`);
    await context.sleep(wait);
    return true;
}
/**
 * Full jitter, whose bound doubles from try to try, on top of what the service asked for: those that were told the
 * same do not come back together. It leaves at least half of the time after that to the tries.
 * @param left milliseconds of the budget
 * @returns milliseconds; undefined where the service asked for all that is left, or more
 */
function chooseWait({ busy, retryAfter = 0 }, attempt, left) {
    const { least, spread } = busy ? AFTER_429 : AFTER_FAULT;
    const room = (left - retryAfter) / 4;
    if (room <= 0)
        return undefined;
    return Math.max(retryAfter, Math.min(least, room)) + (0,_context_js__WEBPACK_IMPORTED_MODULE_2__/* .jitter */ .p)(Math.min(spread * 2 ** (attempt - 1), room));
}
function gaveUp(request, last) {
    const target = formatTarget(request);
    if (last === undefined) {
        return new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`${target} was not asked: the time is up.`, 'Run the job again, or give a longer timeout.');
    }
    const cure = request.nearby === true
        ? 'Is this machine inside IBM Cloud, with its metadata service switched on? If not, give an api-key.'
        : 'Run the job again. If it stays: can this runner reach that host, and does it need a proxy (HTTPS_PROXY)?';
    return new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`${target} could not be reached: ${last.message}.`, cure);
}
/** What was asked, without anything that may be secret: the method, the host and the path. */
function formatTarget({ method, url }) {
    return `${method} ${url.host}${url.pathname}`;
}
const TRANSIENT = new Set([408, 425, 429]);
function refuseTransient(reply, request) {
    const { status } = reply;
    if (status >= 300 && status < 400) {
        throw new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`${formatTarget(request)} answered ${status}, a redirect, which is not followed: a secret would go along.`, 'Is there a proxy or a captive portal in between?');
    }
    // 501 says "never": IBM's own SDK does not try it again either (facts/ibm-cloud.md section 3.3).
    if (TRANSIENT.has(status) || (status >= 500 && status !== 501)) {
        throw new _client_js__WEBPACK_IMPORTED_MODULE_1__/* .Fault */ .vC(`it answered ${status}`, parseRetryAfter(reply.headers['retry-after']), status === 429);
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
    if (error instanceof _client_js__WEBPACK_IMPORTED_MODULE_1__/* .Fault */ .vC)
        return error;
    const code = (0,_errors_user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .codeOf */ .$N)(error);
    // Whatever the network throws has a code; the rest is for the user, or a mistake of ours.
    if (code === '')
        throw error;
    if (/CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED/.test(code)) {
        throw new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`The certificate of ${request.url.host} is not trusted (${code}).`, "If a proxy of yours opens TLS, name its CA's file in NODE_EXTRA_CA_CERTS, and in SSL_CERT_FILE for docker.");
    }
    return new _client_js__WEBPACK_IMPORTED_MODULE_1__/* .Fault */ .vC(FAULTS[code] ?? (0,_errors_user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .quote */ .hD)(code));
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
    const body = (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .parseObject */ .lj)(reply.body);
    if (body !== undefined)
        return body;
    throw new _client_js__WEBPACK_IMPORTED_MODULE_1__/* .Fault */ .vC(`it answered ${reply.status} without JSON`);
}


/***/ })

};
