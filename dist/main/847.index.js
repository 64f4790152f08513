export const id = 847;
export const ids = [847,614];
export const modules = {

/***/ 614:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   explainRefusal: () => (/* binding */ explainRefusal),
/* harmony export */   hc: () => (/* binding */ quoteWithout)
/* harmony export */ });
/* unused harmony exports DIAGNOSES, diagnose */
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(916);

const POLICY = 'Give the identity a policy for Container Registry: Reader to pull, Writer to push, for that region and namespace.';
const NEW_LOGIN = 'Log in to IBM Cloud again for a new one, or give an api-key, which does not end.';
/**
 * Every message of facts/ibm-cloud.md, section 4 (the registry) and section 3.3 (IAM). The first that matches counts,
 * so what is more special stands first.
 */
const DIAGNOSES = [
    {
        says: /BXNIM0415E|API key could not be found/i,
        cause: 'IAM does not know this API key: it was deleted, is cut short, or is of another environment.',
        cure: 'Create a new API key (ibmcloud iam service-api-key-create) and store it again, whole.'
    },
    {
        says: /BXNIM0462E|API key is disabled/i,
        cause: 'The API key is disabled.',
        cure: 'Enable it: ibmcloud iam service-api-key-enable (or api-key-enable), or give another key.'
    },
    {
        says: /BXNIM0408E|refresh token is expired/i,
        cause: 'The refresh token has ended.',
        cure: NEW_LOGIN
    },
    {
        says: /BXNIM0407E/i,
        cause: 'IAM does not accept this token: it is not whole, or was made for another client.',
        cure: NEW_LOGIN
    },
    {
        says: /BXNIM0439E|invalidated due to inactivity/i,
        cause: 'The login session of this token has ended: nobody used it for too long.',
        cure: NEW_LOGIN
    },
    {
        says: /BXNIM0400E|external authentication/i,
        cause: 'The account wants a second factor (MFA) for this user.',
        cure: 'Give the API key of a service ID: no second factor is asked of those.'
    },
    {
        says: /BXNIM0602E/i,
        cause: 'IAM does not accept this user name and password.',
        cure: 'Give an api-key instead.'
    },
    {
        says: /BXNIM0308E|No authorization header/i,
        cause: 'The request reached IAM without its Authorization header.',
        cure: 'Is there a proxy in between that takes it away?'
    },
    {
        says: /CRG0009E|not authorized to access the specified account/i,
        cause: "The identity has no rights in the registry's account.",
        cure: 'Is the key of the account that owns the namespace? ' + POLICY
    },
    {
        says: /pull traffic quota/i,
        cause: 'The account has used up its pull traffic of this month.',
        cure: 'Raise the quota (ibmcloud cr quota-set) or change the plan (ibmcloud cr plan-upgrade).'
    },
    {
        says: /storage quota/i,
        cause: 'The account has used up its image storage.',
        cure: 'Delete images (ibmcloud cr image-prune-untagged), raise the quota, or change the plan.'
    },
    {
        says: /Private-only access is enabled|over the public network/i,
        cause: 'The account takes requests from the private network alone.',
        cure: 'Run the job on a self-hosted runner inside IBM Cloud, with endpoint: private.'
    },
    {
        says: /creation of registry tokens is discontinued/i,
        cause: 'IBM ended the making of registry tokens on 1 July 2019.',
        cure: 'Give an api-key instead.'
    },
    {
        says: /requested authentication method is not supported/i,
        cause: 'The registry does not know this kind of user name.',
        cure: 'Give an api-key, an access-token or a refresh-token. IBM has refused registry tokens since 19 August 2021.'
    },
    {
        says: /insufficient scope/i,
        cause: "The identity may not do that here: its IAM policy, or a context-based restriction or IP rule of the account's.",
        cure: POLICY + " If there is one, allow this runner's address."
    },
    {
        says: /not authorized to access the specified resource/i,
        cause: 'The identity may not use that namespace, or it belongs to another account or region.',
        cure: POLICY
    },
    {
        says: /login credentials are not valid|account is not active/i,
        cause: 'The secret is wrong for this registry, or the IBM Cloud account is not active.',
        cure: 'Check the secret, that it is given as what it is (api-key, access-token, …), and that the account is in use.'
    },
    {
        says: /Authorization required|troubleshoot-auth-req/i,
        cause: 'The registry wants another login: the key is not valid, a token has ended, or this is the wrong region.',
        cure: 'Check the secret, and that region is the one your namespace is in (ibmcloud cr region).'
    },
    {
        says: /CRG0014E|error occurred when authenticating your request/i,
        cause: "IAM refused the registry's question about this secret: the key may be disabled or locked, or an IP rule applies.",
        cure: "Check the key in the IBM Cloud console (Manage, Access), and the account's allowed IP addresses."
    },
    {
        says: /authentication required/i,
        cause: 'The registry saw no valid login.',
        cure: 'Check the secret. If it is a token, it may have ended: give an api-key.'
    },
    {
        says: /no token is sent|403 Forbidden/i,
        cause: 'The registry forbids this to the identity: a policy is missing, or a restriction of the account applies.',
        cure: POLICY
    },
    {
        says: /400 Bad Request/i,
        cause: 'The user name and the secret do not belong together.',
        cure: 'Give the secret as what it is: api-key, access-token, refresh-token or registry-token.'
    }
];
/** The row for what a service said; undefined where nobody has written one yet. */
function diagnose(said) {
    return DIAGNOSES.find(({ says }) => says.test(said));
}
/**
 * The error for a refused credential. 400 and 401 both mean that (facts/ibm-cloud.md section 0, item 6).
 * @param what what was tried, for which host
 * @param said the service's own message; where it holds any piece of the secret, it is not shown
 */
function explainRefusal(what, said, secret) {
    const { cause, cure } = diagnose(said) ?? {
        cause: 'The credential was refused.',
        cure: 'Check the secret, that it is given as what it is, and that region is the one your namespace is in.'
    };
    return new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .UserError */ .yo(`${what}: ${cause}`, cure, said === '' ? undefined : quoteWithout(said, secret));
}
const PIECE = 6;
/** A service's words, unless they echo a piece of the secret, plain or encoded. */
function quoteWithout(said, secret) {
    if (secret === '')
        return (0,_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .quote */ .hD)(said);
    const bytes = Buffer.from(secret);
    const shifted = [0, 1, 2].map((offset) => Buffer.concat([Buffer.alloc(offset), bytes]));
    const forms = [
        secret,
        bytes.toString('hex'),
        encodeURIComponent(secret),
        JSON.stringify(secret),
        ...shifted.map((padded) => padded.toString('base64')),
        ...shifted.map((padded) => padded.toString('base64url'))
    ];
    const heard = said.slice(0, 2 * _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .LONGEST_QUOTE */ .WP).toLowerCase();
    const echoes = forms.some((form) => pieces(form.toLowerCase()).some((piece) => heard.includes(piece)));
    return echoes ? '(not shown: the answer repeats the secret)' : (0,_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .quote */ .hD)(said);
}
function pieces(text) {
    return Array.from({ length: Math.max(1, text.length - PIECE + 1) }, (_, at) => text.slice(at, at + PIECE));
}


/***/ }),

/***/ 803:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   OG: () => (/* binding */ parseBody),
/* harmony export */   dI: () => (/* binding */ fetchReply),
/* harmony export */   vC: () => (/* binding */ Fault)
/* harmony export */ });
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(67);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_http__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(708);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_https__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _context_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(788);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(916);
/* harmony import */ var _json_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(301);
/* harmony import */ var _registry_host_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(183);






const TRY_MS = 10_000;
const NEARBY_TRY_MS = 3_000;
const TRIES = 4;
const NEARBY_TRIES = 2;
const FIRST_WAIT_MS = 500;
// IAM's limit is by the second and not known (facts/ibm-cloud.md section 3.3): come back later than after a fault.
const FIRST_WAIT_AFTER_429_MS = 3_000;
const LARGEST_BODY = 64 * 1024;
/** An answer, or the lack of one, that another try may mend. */
class Fault extends Error {
    /** The wait that the service asked for, in milliseconds. */
    retryAfter;
    busy;
    constructor(message, retryAfter, busy = false) {
        super(message);
        this.retryAfter = retryAfter;
        this.busy = busy;
    }
}
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
    for (let attempt = 1; attempt <= tries && (0,_context_js__WEBPACK_IMPORTED_MODULE_4__/* .timeLeft */ .f)(context) > 0; attempt++) {
        try {
            return read(refuseTransient(await send(request, context)));
        }
        catch (error) {
            last = asFault(error, request);
        }
        if (attempt === tries || !(await waitForNextTry(request, last, attempt, context)))
            break;
    }
    throw gaveUp(request, last);
}
/** Waits before the next try; false where the budget has no room for it. */
async function waitForNextTry(request, fault, attempt, context) {
    const first = fault.busy ? FIRST_WAIT_AFTER_429_MS : FIRST_WAIT_MS;
    const wait = fault.retryAfter ?? (0,_context_js__WEBPACK_IMPORTED_MODULE_4__/* .jitter */ .p)(first * 2 ** attempt);
    if (wait >= (0,_context_js__WEBPACK_IMPORTED_MODULE_4__/* .timeLeft */ .f)(context))
        return false;
    context.note(`${formatTarget(request)}: ${fault.message}. Trying again in ${(wait / 1000).toFixed(1)} s.`);
    await context.sleep(wait);
    return true;
}
function gaveUp(request, last) {
    const target = formatTarget(request);
    return last === undefined
        ? new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo(`${target} was not asked: the time is up.`, 'Run the job again, or give a longer timeout.')
        : new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo(`${target} could not be reached: ${last.message}.`, 'Run the job again. If it stays: can this runner reach that host, and does it need a proxy (HTTPS_PROXY)?');
}
/** What was asked, without anything that may be secret: the method, the host and the path. */
function formatTarget({ method, url }) {
    return `${method} ${url.host}${url.pathname}`;
}
const TRANSIENT = new Set([408, 425, 429]);
function refuseTransient(reply) {
    const { status } = reply;
    if (status >= 300 && status < 400) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo(`The service answered ${status}, a redirect, which is not followed: a secret would go along.`, 'Is there a proxy or a captive portal in between?');
    }
    // 501 says "never": IBM's own SDK does not try it again either (facts/ibm-cloud.md section 3.3).
    if (TRANSIENT.has(status) || (status >= 500 && status !== 501)) {
        throw new Fault(`it answered ${status}`, parseRetryAfter(reply.headers['retry-after']), status === 429);
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
    if (error instanceof Fault)
        return error;
    if (error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo)
        throw error;
    const code = (0,_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .codeOf */ .$N)(error);
    if (/CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED/.test(code)) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo(`The certificate of ${request.url.host} is not trusted (${code}).`, "If a proxy of yours opens TLS, name its CA's file in NODE_EXTRA_CA_CERTS, and in SSL_CERT_FILE for docker.");
    }
    return new Fault(FAULTS[code] ?? (0,_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .quote */ .hD)(code === '' ? (0,_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .messageOf */ .bD)(error) : code));
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
const httpAgent = new node_http__WEBPACK_IMPORTED_MODULE_0__.Agent({ keepAlive: true });
const httpsAgent = new node_https__WEBPACK_IMPORTED_MODULE_1__.Agent({ keepAlive: true });
const proxyAgents = new Map();
/** Proxies as the runner knows them; like docker, none for this machine. Loaded only where one is set. */
async function agentFor({ url, nearby }, context) {
    const direct = url.protocol === 'https:' ? httpsAgent : httpAgent;
    const proxied = Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name));
    if (nearby === true || (0,_registry_host_js__WEBPACK_IMPORTED_MODULE_3__/* .isLoopback */ .U9)(url.host) || !proxied)
        return direct;
    const { getProxyForUrl } = await __webpack_require__.e(/* import() */ 182).then(__webpack_require__.bind(__webpack_require__, 182));
    const proxy = getProxyForUrl(url.href);
    if (proxy === '')
        return direct;
    const { password } = new URL(proxy);
    if (password !== '')
        context.mask(decodeURIComponent(password));
    const agent = proxyAgents.get(proxy) ?? (await connectThrough(proxy));
    proxyAgents.set(proxy, agent);
    return agent;
}
async function connectThrough(proxy) {
    const { HttpsProxyAgent } = await __webpack_require__.e(/* import() */ 659).then(__webpack_require__.bind(__webpack_require__, 659));
    return new HttpsProxyAgent(proxy, { keepAlive: true });
}
/** Sends once. Settles in every case: an event loop that ends with the promise open would end the step green. */
async function send(request, context) {
    const { method, url, headers, body } = request;
    const limit = request.nearby === true ? NEARBY_TRY_MS : TRY_MS;
    const agent = await agentFor(request, context);
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
            receive(incoming).then(resolve, reject);
        });
        const fail = (error) => {
            reject(error);
            call.destroy();
        };
        const timer = setTimeout(() => {
            fail(new Fault('it did not answer in time'));
        }, Math.min(limit, (0,_context_js__WEBPACK_IMPORTED_MODULE_4__/* .timeLeft */ .f)(context)));
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
async function receive(incoming) {
    const chunks = [];
    let size = 0;
    for await (const chunk of incoming) {
        size += chunk.length;
        if (size > LARGEST_BODY)
            throw new Fault(`its answer is over ${LARGEST_BODY / 1024} KiB`);
        chunks.push(chunk);
    }
    if (!incoming.complete)
        throw new Fault('its answer was cut short');
    return {
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString()
    };
}
/**
 * The JSON object in a reply.
 * @throws Fault where the body is something else: whoever answered was not the service
 */
function parseBody(reply) {
    const body = (0,_json_js__WEBPACK_IMPORTED_MODULE_5__/* .parseObject */ .lj)(reply.body);
    if (body !== undefined)
        return body;
    throw new Fault(`it answered ${reply.status} without JSON`);
}


/***/ }),

/***/ 847:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  checkCredential: () => (/* binding */ checkCredential)
});

;// CONCATENATED MODULE: ./src/challenge.ts
const PARAMETER = /\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/y;
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
        const [, name, quoted, plain] = PARAMETER.exec(header) ?? [];
        if (name === undefined || parameters.has(name.toLowerCase()))
            return undefined;
        parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
    }
    return { scheme: scheme[1].toLowerCase(), ...pick(parameters, 'realm', 'service', 'scope') };
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

// EXTERNAL MODULE: ./src/credential.ts
var src_credential = __webpack_require__(302);
// EXTERNAL MODULE: ./src/diagnosis.ts
var diagnosis = __webpack_require__(614);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(916);
// EXTERNAL MODULE: ./src/http.ts
var http = __webpack_require__(803);
// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(301);
// EXTERNAL MODULE: ./src/registry-error.ts
var registry_error = __webpack_require__(419);
// EXTERNAL MODULE: ./src/registry-host.ts
var registry_host = __webpack_require__(183);
;// CONCATENATED MODULE: ./src/registry.ts








/**
 * The handshake that `docker login` does, for machines without docker: ping → challenge → token → ping with it
 * (facts/ibm-cloud.md section 4). Returns where the registry took the credential.
 * @throws UserError where the registry refuses the credential, can't be reached, or is not one of IBM's
 */
async function checkCredential(host, credential, context) {
    const challenge = await fetchChallenge(host, context);
    const token = await fetchToken(host, challenge, credential, context);
    await pingWith(host, token, credential, context);
}
async function fetchChallenge(host, context) {
    const url = pingUrl(host);
    return await (0,http/* fetchReply */.dI)({ method: 'GET', url }, ({ status, headers }) => {
        const challenge = parseChallenge(headers['www-authenticate'] ?? '');
        if (status === 401 && challenge?.scheme === 'bearer')
            return challenge;
        throw new errors/* UserError */.yo(`${host} does not answer like a registry of IBM Cloud: ${status} instead of 401 and a Bearer challenge.`, 'Nothing was logged in. Is registry right, and is there a proxy or a captive portal in between?');
    }, context);
}
function pingUrl(host) {
    return new URL(`${(0,registry_host/* formatOrigin */.cp)(host)}/v2/`);
}
/** The realm, where it is the registry's own: docker sends the secret to any realm, this does not. */
function parseRealm(host, realm) {
    const origin = (0,registry_host/* formatOrigin */.cp)(host);
    const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined;
    if (url?.origin === new URL(origin).origin && url.username === '' && url.password === '')
        return url;
    throw new errors/* UserError */.yo(`${host} asks for the secret to be sent elsewhere: ${realm === undefined ? 'no realm' : (0,errors/* quote */.hD)(realm)}.`, `It was not sent. A registry of IBM Cloud gives out its tokens itself, at ${origin}/oauth/token.`);
}
/** GET with Basic, as docker does (facts/ibm-cloud.md section 4). */
async function fetchToken(host, challenge, credential, context) {
    const url = parseRealm(host, challenge.realm);
    url.searchParams.set('account', credential.username);
    url.searchParams.set('client_id', 'icr-login');
    if (challenge.service !== undefined)
        url.searchParams.set('service', challenge.service);
    const headers = { authorization: `Basic ${(0,src_credential/* formatBasic */.CY)(credential)}` };
    const token = await (0,http/* fetchReply */.dI)({ method: 'GET', url, headers }, (reply) => {
        if (reply.status !== 200)
            throw refused(host, reply, credential);
        const body = (0,http/* parseBody */.OG)(reply);
        const found = (0,json/* stringAt */.bX)(body, 'token') ?? (0,json/* stringAt */.bX)(body, 'access_token');
        if (found === undefined)
            throw new http/* Fault */.vC('it answered 200 without a token');
        return found;
    }, context);
    context.mask(token);
    return token;
}
async function pingWith(host, token, credential, context) {
    const headers = { authorization: `Bearer ${token}` };
    await (0,http/* fetchReply */.dI)({ method: 'GET', url: pingUrl(host), headers }, (reply) => {
        if (reply.status !== 200)
            throw refused(host, reply, credential);
    }, context);
}
function refused(host, reply, { username, secret }) {
    const said = (0,registry_error/* parseErrors */.R)(reply.body);
    const what = `${host} refused the login as ${username} (${reply.status})`;
    return (0,diagnosis.explainRefusal)(what, said === '' && reply.status === 403 ? '403 Forbidden' : said, secret);
}


/***/ })

};
