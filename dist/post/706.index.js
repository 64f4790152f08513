export const id = 706;
export const ids = [706];
export const modules = {

/***/ 9269:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   GC: () => (/* binding */ explainRefusal),
/* harmony export */   SR: () => (/* binding */ isPlainId),
/* harmony export */   g0: () => (/* binding */ quoteId),
/* harmony export */   hc: () => (/* binding */ quoteWithout)
/* harmony export */ });
/* unused harmony exports DIAGNOSES, diagnose */
/* harmony import */ var _user_error_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(873);

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
    return new _user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .RefusedError */ .fk(`${what}: ${cause}`, cure, said === '' ? undefined : quoteWithout(said, secret));
}
/** How many characters of a secret, plain or encoded, give it away; more where it is encoded at length. */
const PIECE = 6;
const LONG_PIECE = 10;
/** IDs are hexadecimal, and so is one form of every secret: six characters in common are nothing rare. */
const ID_PIECE = 8;
const NOT_SHOWN = '(not shown: the answer repeats the secret)';
/**
 * A service's words, unless they echo a piece of the secret, plain or encoded; or of any other secret of this step,
 * for a service may remember what it was told before.
 */
function quoteWithout(said, secret) {
    const heard = said.slice(0, 2 * _user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .LONGEST_QUOTE */ .WP).toLowerCase();
    const echoes = [secret, ..._user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .knownSecrets */ .xU].some((known) => known !== '' && repeats(heard, known));
    return echoes ? NOT_SHOWN : (0,_user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .quote */ .hD)(said);
}
/** Whether an ID that a service gave may go into addresses, into the log and into state: it repeats no secret. */
function isPlainId(id) {
    const long = [..._user_error_js__WEBPACK_IMPORTED_MODULE_0__/* .knownSecrets */ .xU].filter(({ length }) => length >= ID_PIECE);
    return /^[\w-]{1,100}$/.test(id) && !long.some((secret) => repeats(id.toLowerCase(), secret, ID_PIECE));
}
/** An ID as it may stand in a message. */
function quoteId(id) {
    return isPlainId(id) ? id : NOT_SHOWN;
}
function repeats(heard, secret, length = PIECE) {
    const once = inBase64(secret);
    const hex = Buffer.from(secret).toString('hex');
    const short = [
        secret,
        hex,
        encodeURIComponent(secret),
        JSON.stringify(secret),
        // As Go writes JSON.
        JSON.stringify(secret).replace(/[<>&]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`),
        ...once
    ];
    // Each byte by its number, as in a URL, in XML, and in JSON, whose backslashes may be many; and base64 of base64.
    const long = [
        hex.replace(/../g, '%$&'),
        hex.replace(/../g, 'u00$&'),
        [...Buffer.from(secret)].map((byte) => `&#${byte};`).join(''),
        ...once.flatMap(inBase64)
    ];
    return shares(heard, short, length) || shares(heard.replaceAll('\\', ''), long, LONG_PIECE);
}
/** base64 of a text, wherever in a longer one it stands. */
function inBase64(text) {
    const shifted = [0, 1, 2].map((offset) => Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]));
    return shifted.flatMap((bytes) => [bytes.toString('base64'), bytes.toString('base64url')]);
}
/** Whether a text holds a piece of any of the others, which are taken in lower case. */
function shares(heard, forms, length) {
    const windows = new Set(pieces(heard, length));
    return forms.some((form) => form.length < length
        ? heard.includes(form.toLowerCase())
        : pieces(form.toLowerCase(), length).some((piece) => windows.has(piece)));
}
function pieces(text, length) {
    return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length));
}


/***/ }),

/***/ 9792:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  vC: () => (/* reexport */ Fault),
  Cm: () => (/* reexport */ LARGEST_LIST),
  dI: () => (/* binding */ fetchReply),
  OG: () => (/* binding */ parseBody)
});

// EXTERNAL MODULE: ./src/context.ts
var src_context = __webpack_require__(788);
// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(8301);
// EXTERNAL MODULE: external "node:http"
var external_node_http_ = __webpack_require__(7067);
// EXTERNAL MODULE: external "node:https"
var external_node_https_ = __webpack_require__(4708);
// EXTERNAL MODULE: ./src/registry/hosts.ts
var hosts = __webpack_require__(1604);
;// CONCATENATED MODULE: ./src/http/client.ts





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
        ? (httpsAgent ??= new external_node_https_.Agent({ keepAlive: true }))
        : (httpAgent ??= new external_node_http_.Agent({ keepAlive: true }));
    const proxied = Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name));
    if (nearby === true || (0,hosts/* isLoopback */.U9)(url.host) || !proxied)
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
            receive(incoming, request.largest ?? LARGEST_BODY).then(resolve, reject);
        });
        const fail = (error) => {
            reject(error);
            call.destroy();
        };
        const timer = setTimeout(() => {
            fail(new Fault('it did not answer in time'));
        }, Math.min(limit, shareOf((0,src_context/* timeLeft */.f)(context))));
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
        throw (0,user_error/* codeOf */.$N)(error) === 'ECONNRESET' ? new Fault('its answer was cut short') : error;
    }
    return {
        status: Number(incoming.statusCode),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString()
    };
}

;// CONCATENATED MODULE: ./src/http/retry.ts





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
    throw last?.verdict ?? gaveUp(request, last);
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
    return Math.max(retryAfter, Math.min(least, room)) + (0,src_context/* jitter */.p)(Math.min(spread * 2 ** (attempt - 1), room));
}
function gaveUp(request, last) {
    const target = formatTarget(request);
    if (last === undefined) {
        return new user_error/* UserError */.yo(`${target} was not asked: the time is up.`, 'Run the job again, or give a longer timeout.');
    }
    const cure = request.nearby === true
        ? 'Is this machine inside IBM Cloud, with its metadata service switched on? If not, give an api-key.'
        : 'Run the job again. If it stays: can this runner reach that host, and does it need a proxy (HTTPS_PROXY)?';
    return new user_error/* UserError */.yo(`${target} could not be reached: ${last.message}.`, cure);
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
    const code = (0,user_error/* codeOf */.$N)(error);
    // Whatever the network throws has a code; the rest is for the user, or a mistake of ours.
    if (code === '')
        throw error;
    if (/CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED/.test(code)) {
        throw new user_error/* UserError */.yo(`The certificate of ${request.url.host} is not trusted (${code}).`, "If a proxy of yours opens TLS, name its CA's file in NODE_EXTRA_CA_CERTS, and in SSL_CERT_FILE for docker.");
    }
    return new Fault(FAULTS[code] ?? (0,user_error/* quote */.hD)(code));
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
    throw new Fault(`it answered ${reply.status} without JSON`);
}


/***/ }),

/***/ 6238:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Im: () => (/* binding */ exchangeComputeToken),
/* harmony export */   Sk: () => (/* binding */ explainReply),
/* harmony export */   XP: () => (/* binding */ accountOf),
/* harmony export */   dF: () => (/* binding */ exchangeApiKey),
/* harmony export */   mM: () => (/* binding */ assumeProfile),
/* harmony export */   o3: () => (/* binding */ readAccessToken)
/* harmony export */ });
/* harmony import */ var _credential_credential_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8424);
/* harmony import */ var _errors_known_messages_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(9269);
/* harmony import */ var _http_retry_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(9792);
/* harmony import */ var _json_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(8301);




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
    const account = (0,_credential_credential_js__WEBPACK_IMPORTED_MODULE_0__/* .parseClaims */ .Df)(accessToken)?.['account'];
    return (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .isObject */ .Gv)(account) ? (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .stringAt */ .bX)(account, 'bss') : undefined;
}
async function fetchToken(iamUrl, form, about, context) {
    const url = new URL(`${iamUrl}/identity/token`);
    return await (0,_http_retry_js__WEBPACK_IMPORTED_MODULE_2__/* .fetchReply */ .dI)({
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
    const body = (0,_http_retry_js__WEBPACK_IMPORTED_MODULE_2__/* .parseBody */ .OG)(reply);
    const token = (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .stringAt */ .bX)(body, 'access_token');
    // The secret itself would be taken for a short-lived token, and handed on as one.
    if (token === undefined || token === secret)
        throw new _http_retry_js__WEBPACK_IMPORTED_MODULE_2__/* .Fault */ .vC(`it answered ${reply.status} without an access token`);
    context.mask(token);
    return { token, end: (0,_credential_credential_js__WEBPACK_IMPORTED_MODULE_0__/* .parseEnd */ .J)(token) ?? endOf(body, context) };
}
function endOf(body, context) {
    const { expiration, expires_in: seconds } = body;
    const given = (0,_credential_credential_js__WEBPACK_IMPORTED_MODULE_0__/* .parseSeconds */ .fL)(expiration);
    if (given !== undefined || typeof seconds !== 'number')
        return given;
    return (0,_credential_credential_js__WEBPACK_IMPORTED_MODULE_0__/* .parseSeconds */ .fL)(context.now() / 1000 + seconds);
}
/**
 * The error for a reply that is a refusal, in IAM's terms: `errorCode` and `errorMessage` of the token endpoint, or
 * the `errors` of `/v1/*` (facts/ibm-cloud.md section 3.3).
 */
function explainReply(what, reply, secret) {
    const body = (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .parseObject */ .lj)(reply.body);
    const errors = Array.isArray(body?.['errors']) ? body['errors'].filter(_json_js__WEBPACK_IMPORTED_MODULE_3__/* .isObject */ .Gv) : [];
    const said = [
        (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .stringAt */ .bX)(body, 'errorCode'),
        (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .stringAt */ .bX)(body, 'errorMessage'),
        ...errors.flatMap((error) => [
            (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .stringAt */ .bX)(error, 'message_code') ?? (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .stringAt */ .bX)(error, 'code'),
            (0,_json_js__WEBPACK_IMPORTED_MODULE_3__/* .stringAt */ .bX)(error, 'message')
        ])
    ];
    return (0,_errors_known_messages_js__WEBPACK_IMPORTED_MODULE_1__/* .explainRefusal */ .GC)(`${what} (${reply.status})`, said.filter(Boolean).join(' '), secret);
}


/***/ }),

/***/ 3219:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   ol: () => (/* binding */ digestOf)
/* harmony export */ });
/* unused harmony exports SLACK_MS, openJournal, formatName */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(7598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _credential_credential_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(8424);


/** Ends are rounded up to the minute, and clocks differ a little. */
const SLACK_MS = 60_000;
/**
 * For so long after a request was sent, what it asks for may still be made: the 10 s that a try waits for its answer,
 * and as long again for a service that goes on when nobody waits any more.
 */
const ON_ITS_WAY_MS = 20_000;
/**
 * Keeps in state what post has to know, from before the first request on.
 * @param save writes it to state
 */
function openJournal(job, way, save, context) {
    let state = planMint(job, way, context);
    save(state);
    const requests = new Set();
    const update = (change = {}) => {
        const openUntil = Math.max(0, ...[...requests].map(({ until }) => until));
        state = { ...state, ...change, sent: requests.size > 0, openUntil };
        save(state);
    };
    return {
        state: () => state,
        record: {
            watch: () => {
                const request = { until: context.now() + ON_ITS_WAY_MS };
                requests.add(request);
                update();
                return (status) => {
                    if (status === undefined || isDoubtful(status))
                        return;
                    request.until = 0;
                    // A refused request made nothing.
                    if (status >= 400)
                        requests.delete(request);
                    update();
                };
            },
            made: (id, end) => {
                update({ made: [...state.made, id], ends: formatTime(end) });
            }
        }
    };
}
/** A gateway that lost patience, or a service that stumbled: the work on the request may go on behind it. */
function isDoubtful(status) {
    return status === 408 || status >= 500;
}
function planMint({ identity, iamUrl, mint, nonce }, way, context) {
    const lifetimeMs = mint.lifetimeMs ?? way.usualMs ?? way.longestMs;
    return {
        way: mint.way,
        name: formatName(nonce, process.env),
        iamUrl,
        minter: identity.kind,
        // Post asks for the secret only where it has something to revoke.
        digest: identity.kind === 'keyless' || way.revoker === undefined ? '' : digestOf(identity.secret),
        profile: identity.kind === 'keyless' ? identity.profile.value : '',
        serviceId: mint.serviceId ?? '',
        sent: false,
        made: [],
        ends: formatTime(new Date(context.now() + lifetimeMs + SLACK_MS)),
        openUntil: 0
    };
}
/** The hash by which post knows the secret that main was given. */
function digestOf(secret) {
    return (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHash)('sha256').update(secret).digest('hex');
}
const LONGEST_NAME = 100;
/** `icr-login/<owner>/<repo>/<run id>/<attempt>/<nonce>`; a name that is too long loses its middle. */
function formatName(nonce, env) {
    const place = [env['GITHUB_REPOSITORY'], env['GITHUB_RUN_ID'], env['GITHUB_RUN_ATTEMPT']];
    const middle = place
        .filter(Boolean)
        .join('/')
        .replace(/[^\w./-]/g, '-');
    return `icr-login/${middle.slice(-(LONGEST_NAME - nonce.length - 'icr-login//'.length))}/${nonce}`;
}


/***/ }),

/***/ 6212:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  dk: () => (/* binding */ WAYS),
  dq: () => (/* binding */ findWay),
  xr: () => (/* binding */ isWayName)
});

// EXTERNAL MODULE: ./src/credential/credential.ts
var credential_credential = __webpack_require__(8424);
// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/iam/client.ts
var client = __webpack_require__(6238);
// EXTERNAL MODULE: ./src/errors/known-messages.ts
var known_messages = __webpack_require__(9269);
// EXTERNAL MODULE: ./src/http/retry.ts + 1 modules
var retry = __webpack_require__(9792);
// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(8301);
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
    return await (0,retry/* fetchReply */.dI)({ method: 'POST', url, headers, body: JSON.stringify(body), watch }, (reply) => {
        if (reply.status !== 200 && reply.status !== 201)
            throw refused('to make an API key', order, reply, accessToken);
        return readApiKey(reply, context);
    }, context);
}
function readApiKey(reply, context) {
    const body = (0,retry/* parseBody */.OG)(reply);
    const secret = (0,json/* stringAt */.bX)(body, 'apikey');
    if (secret !== undefined)
        context.mask(secret);
    const id = parseId(body);
    if (secret === undefined || id === undefined || !(0,known_messages/* isPlainId */.SR)(id))
        throw new retry/* Fault */.vC(`it answered ${reply.status} without an API key`);
    return { id, secret };
}
/** An ID goes into addresses, so it must look like one. */
function parseId(key) {
    const id = (0,json/* stringAt */.bX)(key, 'id');
    return id !== undefined && /^ApiKey-[\w-]{1,60}$/.test(id) ? id : undefined;
}
const PAGE_SIZE = 100;
/** 10,000 keys: a list that goes on beyond that goes in a circle. */
const MOST_PAGES = 100;
/**
 * Finds the API keys of a service ID that carry a name, on all pages of its list.
 * @returns their IDs
 * @throws as createApiKey
 */
async function findApiKeys(iamUrl, accessToken, of, context) {
    const ids = [];
    let page;
    for (let count = 0; count < MOST_PAGES; count++) {
        const url = new URL(`${iamUrl}/v1/apikeys`);
        url.search = new URLSearchParams({
            account_id: of.account,
            iam_id: of.serviceId,
            pagesize: String(PAGE_SIZE),
            ...(page === undefined ? {} : { pagetoken: page })
        }).toString();
        const { found, next } = await (0,retry/* fetchReply */.dI)({ method: 'GET', url, headers: bearer(accessToken), largest: retry/* LARGEST_LIST */.Cm }, (reply) => {
            if (reply.status !== 200)
                throw refused('to list the API keys', of, reply, accessToken);
            const body = (0,retry/* parseBody */.OG)(reply);
            // An answer that is no list would be taken for an empty one: nothing left to revoke.
            if (!Array.isArray(body['apikeys']))
                throw new retry/* Fault */.vC('it answered 200 without a list of API keys');
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
            throw new retry/* Fault */.vC('it answered 200 with a key of this job that has no ID');
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
    await (0,retry/* fetchReply */.dI)({
        method: 'DELETE',
        url: new URL(`${iamUrl}/v1/apikeys/${encodeURIComponent(id)}`),
        headers: bearer(accessToken)
    }, (reply) => {
        if (reply.status === 404 || (reply.status >= 200 && reply.status < 300))
            return;
        throw (0,client/* explainReply */.Sk)(`IAM refused to delete the API key ${(0,known_messages/* quoteId */.g0)(id)}`, reply, accessToken);
    }, context);
}
function bearer(accessToken) {
    return { authorization: `Bearer ${accessToken}` };
}
function refused(what, { serviceId }, reply, secret) {
    if (reply.status !== 403)
        return (0,client/* explainReply */.Sk)(`IAM refused ${what} of ${serviceId}`, reply, secret);
    return new user_error/* UserError */.yo(`The identity may not manage the API keys of ${serviceId} (403).`, 'Give it the role Operator on that service ID (IAM Identity Service), and check that service-id is right.');
}

// EXTERNAL MODULE: ./src/registry/client.ts + 1 modules
var registry_client = __webpack_require__(8963);
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
    refuses: {
        'access-token': NOT_REVOCABLE_LATER,
        'refresh-token': ONLY_ITS_CLIENT,
        'registry-token': REGISTRY_ONLY
    },
    longestMs: 24 * HOUR_MS,
    usualMs: HOUR_MS,
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
    const start = (0,credential_credential/* parseStart */.oZ)(token) ?? new Date(context.now());
    const end = roundUpToMinute(start.getTime() + (order.lifetimeMs ?? HOUR_MS));
    const { serviceId, account } = scopeOf(order, token);
    const { id, secret } = await createApiKey(order.iamUrl, token, { name: order.name, serviceId, account, expiresAt: formatMinute(end) }, record.watch, context);
    record.made({ id }, end);
    context.note(`Minted the API key ${id} of ${serviceId}, which ends ${(0,credential_credential/* formatTime */.fU)(end)}.`);
    const credential = { username: credential_credential/* USERNAMES */.Im['api-key'], secret };
    await Promise.all(order.hosts.map(async (host) => waitUntilAccepted(host, credential, context)));
    return order.hosts.map((host) => ({ host, ...credential, start, end, id }));
}
const PROPAGATION_MS = 10_000;
const POLL_MS = 1_000;
/** A key that is seconds old may not be known everywhere yet (facts/ibm-cloud.md section 3.5, "propagation"). */
async function waitUntilAccepted(host, credential, context) {
    const until = context.now() + PROPAGATION_MS;
    for (;;) {
        try {
            await (0,registry_client/* exchange */.cv)(host, credential, [], context);
            return;
        }
        catch (error) {
            if (!(error instanceof user_error/* RefusedError */.fk) || context.now() + POLL_MS > until)
                throw error;
        }
        context.note(`${host} does not know the new API key yet. Asking again in ${POLL_MS / 1000} s.`);
        await context.sleep(POLL_MS);
    }
}
function scopeOf({ serviceId }, accessToken) {
    const account = (0,client/* accountOf */.XP)(accessToken);
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
    refuses: { 'refresh-token': ONLY_ITS_CLIENT, 'registry-token': REGISTRY_ONLY },
    // facts/ibm-cloud.md section 3.1: 60 minutes at most; IAM says how long in every reply.
    longestMs: HOUR_MS,
    policy: "Look at the access policies of the key's identity, or of the trusted profile: Reader on Container Registry, " +
        'and no Writer or Manager.',
    mint: async (order, _record, context) => {
        const { token, end } = await fetchToken(order, context);
        const start = (0,credential_credential/* parseStart */.oZ)(token) ?? new Date(context.now());
        const minted = {
            username: credential_credential/* USERNAMES */.Im['access-token'],
            secret: token,
            start,
            end: end ?? new Date(start.getTime() + HOUR_MS)
        };
        return order.hosts.map((host) => ({ host, ...minted }));
    }
};
async function fetchToken(order, context) {
    const own = await order.accessToken();
    return order.profile === undefined
        ? own
        : await (0,client/* assumeProfile */.mM)(order.iamUrl, own.token, order.profile, context);
}

// EXTERNAL MODULE: ./src/registry/error.ts
var error = __webpack_require__(3269);
// EXTERNAL MODULE: ./src/registry/hosts.ts
var hosts = __webpack_require__(1604);
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
    return await (0,retry/* fetchReply */.dI)({ ...request('POST', host, '', caller, query), watch: wanted.watch }, (reply) => {
        if (reply.status !== 200 && reply.status !== 201)
            throw explainIssue(host, reply, caller);
        const token = (0,json/* stringAt */.bX)((0,retry/* parseBody */.OG)(reply), 'token');
        if (token !== undefined)
            context.mask(token);
        const id = (0,json/* stringAt */.bX)((0,credential_credential/* parseClaims */.Df)(token ?? ''), 'jti');
        if (token === undefined || id === undefined || !(0,known_messages/* isPlainId */.SR)(id)) {
            throw new retry/* Fault */.vC(`it answered ${reply.status} without a registry token`);
        }
        return { id, token };
    }, context);
}
function explainIssue(host, reply, { accessToken }) {
    const said = (0,error/* parseErrors */.R)(reply.body);
    const ended = /discontinued/i.test(said) || [404, 405, 410].includes(reply.status);
    if (!ended)
        return (0,known_messages/* explainRefusal */.GC)(`${host} issued no registry token (${reply.status})`, said, accessToken);
    return new user_error/* UserError */.yo(`${host} issues no registry tokens: IBM ended them on 1 July 2019.`, 'Use mint: repository-token, mint: iam-token or mint: api-key instead.');
}
/**
 * Finds those of the account's registry tokens that carry a description, and were not removed.
 * @returns their IDs
 * @throws UserError where the registry refuses it or can't be reached
 */
async function findRegistryTokens(host, caller, description, context) {
    return await (0,retry/* fetchReply */.dI)({ ...request('GET', host, '', caller), largest: retry/* LARGEST_LIST */.Cm }, (reply) => {
        if (reply.status !== 200)
            throw explain(host, 'list', reply, caller);
        const { tokens } = (0,retry/* parseBody */.OG)(reply);
        // An answer that is no list would be taken for an empty one: nothing left to revoke.
        if (!Array.isArray(tokens))
            throw new retry/* Fault */.vC('it answered 200 without a list of tokens');
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
            throw new retry/* Fault */.vC('it answered 200 with a token of this job that has no ID');
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
            throw explain(host, `remove ${(0,known_messages/* quoteId */.g0)(id)}`, reply, caller);
        }
    };
    await (0,retry/* fetchReply */.dI)(request('DELETE', host, `/${encodeURIComponent(id)}`, caller), accept, context);
    await (0,retry/* fetchReply */.dI)(request('DELETE', host, '', caller, { secondaryOwner: description }), accept, context);
}
function explain(host, what, reply, { accessToken }) {
    return (0,known_messages/* explainRefusal */.GC)(`${host} refused to ${what} (registry tokens, ${reply.status})`, (0,error/* parseErrors */.R)(reply.body), accessToken);
}
function request(method, host, path, { accessToken, account }, query = {}) {
    const url = new URL(`${(0,hosts/* formatOrigin */.cp)(host)}/api/v1/tokens${path}`);
    url.search = new URLSearchParams(query).toString();
    return { method, url, headers: { authorization: `Bearer ${accessToken}`, account } };
}

;// CONCATENATED MODULE: ./src/mint/methods/registry-token.ts





/** A registry token, as `ibmcloud cr token-add` made it until 2019; post removes it. One for each host. */
const registryToken = {
    refuses: {
        'access-token': NOT_REVOCABLE_LATER,
        'refresh-token': ONLY_ITS_CLIENT,
        'registry-token': REGISTRY_ONLY
    },
    longestMs: 24 * HOUR_MS,
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
    const start = new Date(context.now());
    // facts/ibm-cloud.md section 2.2: 24 h, unless the token says otherwise.
    const end = (0,credential_credential/* parseEnd */.J)(token) ?? new Date(start.getTime() + 24 * HOUR_MS);
    record.made({ id, host }, end);
    context.note(`${host}: minted the registry token ${id}, which ends ${(0,credential_credential/* formatTime */.fU)(end)}.`);
    return { host, username: credential_credential/* USERNAMES */.Im['registry-token'], secret: token, start, end, id };
}
function caller(accessToken) {
    const account = (0,client/* accountOf */.XP)(accessToken);
    if (account !== undefined)
        return { accessToken, account };
    throw new user_error/* UserError */.yo("IAM's access token does not say which account it is of.", 'Is iam-url the address of IBM Cloud IAM?');
}

// EXTERNAL MODULE: ./src/registry/scope.ts
var scope = __webpack_require__(2671);
;// CONCATENATED MODULE: ./src/mint/methods/repository-token.ts



const PULL = ['pull'];
const PULL_AND_PUSH = ['pull', 'push'];
// facts/clients-and-runner.md, "Who honours `registrytoken`".
const CLIENTS = 'A repository token serves docker, buildx, crane, ko, cosign, kaniko and oras. ' +
    'podman, skopeo, buildah, nerdctl and Kubernetes do not read it: for those use mint: iam-token.';
/** The registry's own bearer token, one for each host, good for that host's repositories and nothing else. */
const repositoryToken = {
    refuses: {},
    longestMs: HOUR_MS,
    policy: 'The registry granted more than was asked for; use another mint.',
    mint: async (order, _record, context) => {
        context.note(CLIENTS);
        const actions = order.readOnly ? PULL : PULL_AND_PUSH;
        return await Promise.all([...order.repositories].map(async ([host, repositories]) => {
            const scopes = repositories.map((repository) => (0,scope/* formatScope */.g)(repository, actions));
            return await repository_token_mintFor(host, scopes, order, context);
        }));
    }
};
async function repository_token_mintFor(host, scopes, order, context) {
    const { token, start, end } = await (0,registry_client/* exchange */.cv)(host, await order.credential(), scopes, context);
    return { host, username: undefined, secret: token, start, end };
}

;// CONCATENATED MODULE: ./src/mint/methods.ts




/** Every way to mint, by the name that the input `mint` has for it. A new way is one file and one row. */
const WAYS = {
    'repository-token': repositoryToken,
    'iam-token': iamToken,
    'api-key': apiKey,
    'registry-token': registryToken
};
/** The way of that name; undefined where there is none. */
function findWay(name) {
    return isWayName(name) ? WAYS[name] : undefined;
}
function isWayName(name) {
    return Object.hasOwn(WAYS, name);
}


/***/ }),

/***/ 8963:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  cv: () => (/* binding */ exchange)
});

// UNUSED EXPORTS: askWith, checkCredential

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

// EXTERNAL MODULE: ./src/credential/credential.ts
var credential_credential = __webpack_require__(8424);
// EXTERNAL MODULE: ./src/errors/known-messages.ts
var known_messages = __webpack_require__(9269);
// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/http/retry.ts + 1 modules
var retry = __webpack_require__(9792);
// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(8301);
// EXTERNAL MODULE: ./src/registry/error.ts
var error = __webpack_require__(3269);
// EXTERNAL MODULE: ./src/registry/hosts.ts
var hosts = __webpack_require__(1604);
;// CONCATENATED MODULE: ./src/registry/client.ts








/**
 * The handshake that `docker login` does, for machines without docker: ping → challenge → token → ping with it
 * (facts/ibm-cloud.md section 4). Returns where the registry took the credential.
 * @throws RefusedError where the registry refuses the credential
 * @throws UserError where it can't be reached, or is not one of IBM's
 */
async function checkCredential(host, credential, context) {
    const { token } = await exchange(host, credential, [], context);
    await askWith(host, '/v2/', token, credential.username, context, credential.secret);
}
/**
 * Ping → challenge → token: exchanges a credential for the registry's own token.
 * @param scopes what it is asked for; the registry may grant less
 * @throws as checkCredential
 */
async function exchange(host, credential, scopes, context) {
    const challenge = await fetchChallenge(host, context);
    return await fetchToken(host, { challenge, credential, scopes }, context);
}
/**
 * Asks the registry for something with a token of its own.
 * @param path such as `/v2/namespace/repository/tags/list`
 * @param who the user name, for the error
 * @param secret what the error must not repeat
 * @throws as checkCredential
 */
async function askWith(host, path, token, who, context, secret = token) {
    await fetchReply({ method: 'GET', url: new URL(formatOrigin(host) + path), headers: { authorization: `Bearer ${token}` } }, (reply) => {
        if (reply.status !== 200)
            throw refused(host, reply, who, secret);
    }, context);
}
async function fetchChallenge(host, context) {
    return await (0,retry/* fetchReply */.dI)({ method: 'GET', url: new URL(`${(0,hosts/* formatOrigin */.cp)(host)}/v2/`) }, ({ status, headers }) => {
        const challenge = parseChallenge(headers['www-authenticate'] ?? '');
        if (status === 401 && challenge?.scheme === 'bearer')
            return challenge;
        const strange = new user_error/* UserError */.yo(`${host} does not answer like a registry of IBM Cloud: ${status} instead of 401 and a Bearer challenge.`, 'Nothing was logged in. Is registry right, and is there a proxy or a captive portal in between?');
        // Not the registry's: of somebody in between, who may be gone the next time.
        throw status === 200 ? new retry/* Fault */.vC('it answered 200 instead of 401', undefined, false, strange) : strange;
    }, context);
}
/** The realm, where it is the registry's own: docker sends the secret to any realm, this does not. */
function parseRealm(host, realm, secret) {
    const origin = (0,hosts/* formatOrigin */.cp)(host);
    const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined;
    if (url?.origin === new URL(origin).origin && url.username === '' && url.password === '')
        return url;
    throw new user_error/* UserError */.yo(`${host} asks for the secret to be sent elsewhere: ${realm === undefined ? 'no realm' : (0,known_messages/* quoteWithout */.hc)(realm, secret)}.`, `It was not sent. A registry of IBM Cloud gives out its tokens itself, at ${origin}/oauth/token.`);
}
/** GET with Basic, as docker does (facts/ibm-cloud.md section 4). */
async function fetchToken(host, { challenge, credential, scopes }, context) {
    const url = parseRealm(host, challenge.realm, credential.secret);
    url.searchParams.set('account', credential.username);
    url.searchParams.set('client_id', 'icr-login');
    if (challenge.service !== undefined)
        url.searchParams.set('service', challenge.service);
    for (const scope of scopes)
        url.searchParams.append('scope', scope);
    const headers = { authorization: `Basic ${(0,credential_credential/* formatBasic */.CY)(credential)}` };
    return await (0,retry/* fetchReply */.dI)({ method: 'GET', url, headers }, (reply) => {
        if (reply.status !== 200)
            throw refused(host, reply, credential.username, credential.secret);
        return readToken(reply, credential.secret, context);
    }, context);
}
// The distribution's token specification: "If omitted, this defaults to 60 seconds."
const SHORTEST_LIFE_S = 60;
function readToken(reply, secret, context) {
    const body = (0,retry/* parseBody */.OG)(reply);
    const token = (0,json/* stringAt */.bX)(body, 'token') ?? (0,json/* stringAt */.bX)(body, 'access_token');
    // The secret itself would be taken for a short-lived token, and handed on as one.
    if (token === undefined || token === secret)
        throw new retry/* Fault */.vC('it answered 200 without a token');
    context.mask(token);
    const seconds = typeof body['expires_in'] === 'number' ? body['expires_in'] : SHORTEST_LIFE_S;
    const start = context.now();
    const end = (0,credential_credential/* parseSeconds */.fL)(start / 1000 + seconds) ?? new Date(start + SHORTEST_LIFE_S * 1000);
    return { token, start: new Date(start), end };
}
// What docker makes of a refusal without a message (facts/ibm-cloud.md section 4).
const WORDLESS = { 400: '400 Bad Request', 403: '403 Forbidden' };
function refused(host, reply, who, secret) {
    const said = (0,error/* parseErrors */.R)(reply.body);
    const what = `${host} refused the login as ${who} (${reply.status})`;
    return (0,known_messages/* explainRefusal */.GC)(what, said === '' ? (WORDLESS[reply.status] ?? '') : said, secret);
}


/***/ }),

/***/ 3269:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   R: () => (/* binding */ parseErrors)
/* harmony export */ });
/* harmony import */ var _json_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8301);

/**
 * The messages in a registry's error body: `{"errors":[{"code","message"}]}`, or `{"code","message"}` (the management
 * API, facts/ibm-cloud.md section 2.2). Empty where it is something else.
 */
function parseErrors(body) {
    const object = (0,_json_js__WEBPACK_IMPORTED_MODULE_0__/* .parseObject */ .lj)(body);
    const errors = Array.isArray(object?.['errors']) ? object['errors'].filter(_json_js__WEBPACK_IMPORTED_MODULE_0__/* .isObject */ .Gv) : [object ?? {}];
    return errors
        .map((error) => [(0,_json_js__WEBPACK_IMPORTED_MODULE_0__/* .stringAt */ .bX)(error, 'code'), (0,_json_js__WEBPACK_IMPORTED_MODULE_0__/* .stringAt */ .bX)(error, 'message')].filter(Boolean).join(': '))
        .join('; ');
}


/***/ }),

/***/ 2671:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   g: () => (/* binding */ formatScope)
/* harmony export */ });
/* unused harmony export parseGrants */
/* harmony import */ var _credential_credential_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8424);


/** A token's scope for one repository (distribution, "Token Scope Documentation"): `repository:NAME:pull,push`. */
function formatScope(repository, actions) {
    return `repository:${repository}:${actions.join(',')}`;
}
/**
 * What a registry's token grants, by repository, as its `access` claim says it.
 * @returns undefined where the token can't be read
 */
function parseGrants(token) {
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


/***/ })

};
