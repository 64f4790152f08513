export const id = 34;
export const ids = [34];
export const modules = {

/***/ 3034:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   explainMissingSecrets: () => (/* binding */ explainMissingSecrets)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(3024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _json_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(8301);


/**
 * Why a job was passed no secrets, where GitHub tells: docs.github.com, "Using secrets in GitHub Actions", says that
 * workflows of forks get none, and that Dependabot's jobs have a store of their own.
 */
function explainMissingSecrets(env) {
    if (env['GITHUB_ACTOR'] === 'dependabot[bot]') {
        return ('GitHub passes no Actions secrets to jobs that Dependabot started. ' +
            'Add the secret once more: Settings, Secrets and variables, Dependabot.');
    }
    // This one runs in the base repository, and is passed its secrets.
    if (env['GITHUB_EVENT_NAME'] === 'pull_request_target')
        return undefined;
    if (!isFromFork(env['GITHUB_EVENT_PATH']))
        return undefined;
    return ('GitHub passes no secrets to jobs of pull requests from forks. Keep the secret under Settings, Secrets and ' +
        'variables, Actions, and skip the step there: if: github.event.pull_request.head.repo.full_name == github.repository');
}
/** Reads it from the event that started the job: a pull request whose head lies in another repository. */
function isFromFork(eventPath) {
    const pullRequest = parseEvent(eventPath)?.['pull_request'];
    if (!(0,_json_js__WEBPACK_IMPORTED_MODULE_1__/* .isObject */ .Gv)(pullRequest))
        return false;
    const head = nameOf(pullRequest['head']);
    // Without a name the fork has been deleted since.
    return head === undefined || head !== nameOf(pullRequest['base']);
}
function parseEvent(path) {
    try {
        return path === undefined ? undefined : (0,_json_js__WEBPACK_IMPORTED_MODULE_1__/* .parseObject */ .lj)((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(path, 'utf8'));
    }
    catch {
        return undefined;
    }
}
function nameOf(side) {
    return (0,_json_js__WEBPACK_IMPORTED_MODULE_1__/* .isObject */ .Gv)(side) && (0,_json_js__WEBPACK_IMPORTED_MODULE_1__/* .isObject */ .Gv)(side['repo']) ? (0,_json_js__WEBPACK_IMPORTED_MODULE_1__/* .stringAt */ .bX)(side['repo'], 'full_name') : undefined;
}


/***/ })

};
