export const id = 872;
export const ids = [872];
export const modules = {

/***/ 8872:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   revokeMinted: () => (/* binding */ revokeMinted)
/* harmony export */ });
/* harmony import */ var _credential_credential_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8424);
/* harmony import */ var _errors_known_messages_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(9269);
/* harmony import */ var _errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(873);
/* harmony import */ var _credential_identity_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(8795);
/* harmony import */ var _methods_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(6212);
/* harmony import */ var _journal_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(3219);






const POLL_MS = 1_000;
const RELIST_MS = 100;
/**
 * Revokes what was minted: by its ID, and by its unique name over all pages of the list, until no request of that
 * mint can still be on its way. Then it is read back.
 * @param readSecret reads an input again
 * @returns one line that says what was revoked; undefined where there was nothing
 * @throws UserError that names what is left, and until when
 */
async function revokeMinted(state, hosts, readSecret, context) {
    const revoker = (0,_methods_js__WEBPACK_IMPORTED_MODULE_4__/* .findWay */ .dq)(state.way)?.revoker;
    if (revoker === undefined)
        return undefined;
    const gone = new Set();
    try {
        const identity = readIdentity(state, readSecret);
        await removeAll(state, orderOf(state, hosts, identity, context), gone, revoker, context);
        return gone.size === 0 ? undefined : `Revoked the minted ${describeIds(state, [...gone])}.`;
    }
    catch (error) {
        const left = state.made.map(({ id }) => id).filter((id) => !gone.has(id));
        const what = describeIds(state, left);
        throw new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo(`The minted ${what} could not be revoked: ${(0,_errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__/* .messageOf */ .bD)(error).split('\n').join(' ')}`, `If it was made, it ends ${state.ends} at the latest. Delete it in the IBM Cloud console before.`);
    }
}
function describeIds({ way, name }, ids) {
    return `${way} ${ids.length === 0 ? `named ${name}` : (0,_errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__/* .formatList */ .ki)(ids.map(_errors_known_messages_js__WEBPACK_IMPORTED_MODULE_1__/* .quoteId */ .g0))}`;
}
/** A secret that another step has put in the place of the job's own is not sent anywhere. */
function readIdentity({ minter, digest, profile }, readSecret) {
    if (minter === 'keyless')
        return { kind: 'keyless', profile: (0,_credential_credential_js__WEBPACK_IMPORTED_MODULE_0__/* .parseTrustedProfile */ .yG)(profile) };
    const secret = readSecret(minter);
    if (secret !== undefined && (0,_journal_js__WEBPACK_IMPORTED_MODULE_5__/* .digestOf */ .ol)(secret) === digest)
        return { kind: minter, secret };
    throw new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__/* .UserError */ .yo(`${minter} is not what it was when it minted, so it was not used.`, 'Did a step change it?');
}
function orderOf(state, hosts, identity, context) {
    let token;
    return {
        ...state,
        hosts,
        accessToken: () => (token ??= (0,_credential_identity_js__WEBPACK_IMPORTED_MODULE_3__/* .fetchAccessToken */ .QO)(identity, state.iamUrl, context).then((fetched) => fetched.token))
    };
}
/** By ID first, as the list may not be readable; then by name, which also shows that all is gone. */
async function removeAll({ made, openUntil }, order, gone, revoker, context) {
    const first = await removeEach(made, order, gone, revoker, context);
    if (context.now() < openUntil) {
        const until = (0,_credential_credential_js__WEBPACK_IMPORTED_MODULE_0__/* .formatTime */ .fU)(new Date(openUntil));
        context.note(`A request of the mint may still be on its way: looking for what it made until ${until}.`);
    }
    // Asked for again, it would be refused again.
    const refused = new Map([...first].filter(([, error]) => error instanceof _errors_user_error_js__WEBPACK_IMPORTED_MODULE_2__/* .RefusedError */ .fk));
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
        await context.sleep(settled ? RELIST_MS : Math.min(POLL_MS, Math.max(0, openUntil - context.now())));
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


/***/ })

};
