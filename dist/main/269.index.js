export const id = 269;
export const ids = [269];
export const modules = {

/***/ 9269:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   SR: () => (/* binding */ isPlainId),
/* harmony export */   explainRefusal: () => (/* binding */ explainRefusal),
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


/***/ })

};
