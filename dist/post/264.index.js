export const id = 264;
export const ids = [264];
export const modules = {

/***/ 5264:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   formatVariables: () => (/* binding */ formatVariables),
/* harmony export */   removeIsolation: () => (/* binding */ removeIsolation)
/* harmony export */ });
/* unused harmony exports resolveIsolation, prepareIsolation */
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(3024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(1455);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_fs_promises__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(6760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_2__);
/* harmony import */ var _config_desk_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(264);
/* harmony import */ var _file_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(1660);
/* harmony import */ var _helper_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(1953);
/* harmony import */ var _errors_user_error_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(873);








/**
 * The directory of the job: the one that an earlier step of it has made, else a new one, which does not exist yet.
 * @param temp RUNNER_TEMP
 */
function resolveIsolation(nonce, temp, env) {
    const { DOCKER_CONFIG = '', REGISTRY_AUTH_FILE = '' } = env;
    const current = resolve(DOCKER_CONFIG);
    const shared = dirname(current) === resolve(temp) && /^icr-login-docker-[0-9a-f]{16}$/.test(basename(current));
    if (shared && existsSync(current))
        return { directory: current };
    return {
        directory: join(resolve(temp), `icr-login-docker-${nonce}`),
        before: { DOCKER_CONFIG, REGISTRY_AUTH_FILE }
    };
}
/**
 * Makes the job's directory, with what the user's clients find in their own ones. In the directory of an earlier step
 * it sees to it that the logins to come go into the file.
 * @throws UserError where the user's config.json can't be read, or the directory can't be written
 */
async function prepareIsolation({ directory, before }, nonce, hosts, context) {
    const config = before === undefined ? undefined : await makeOwnPlace(directory, hosts, context);
    await locked(directory, nonce, context, async (desk) => {
        await desk.writeConfig(formatConfig(config ?? withoutHelpersFor(hosts, desk.file.content)));
    });
}
/** @returns the config that it is to begin with */
async function makeOwnPlace(directory, hosts, context) {
    const home = dockerConfigDirectory();
    const config = await carryOver(home, hosts, context);
    try {
        await mkdir(dirname(directory), { recursive: true });
        await mkdir(directory, { mode: 0o700 });
    }
    catch (error) {
        throw explainWrite(directory, error);
    }
    await linkFromHome(home, directory, context);
    return config;
}
/** The variables that lead the job's later steps to its own login. podman's is set only where it was. */
function formatVariables(directory, before) {
    return {
        DOCKER_CONFIG: directory,
        ...(before.REGISTRY_AUTH_FILE === '' ? {} : { REGISTRY_AUTH_FILE: (0,_file_js__WEBPACK_IMPORTED_MODULE_4__/* .configPath */ .eQ)(directory) })
    };
}
/**
 * Removes the job's directory.
 * @throws UserError where it is still there, or something else is by now
 */
async function removeIsolation(directory) {
    const found = await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.lstat)(directory).catch(() => undefined);
    if (found !== undefined && !found.isDirectory()) {
        throw new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_6__/* .UserError */ .yo(`${directory} is not the directory that this step made.`, 'It was left as it is. If it leads to a login of this job, remove that by hand.');
    }
    try {
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_1__.rm)(directory, { recursive: true, force: true, maxRetries: 3 });
    }
    catch (error) {
        throw new _errors_user_error_js__WEBPACK_IMPORTED_MODULE_6__/* .UserError */ .yo(`${directory} can't be removed: ${(0,_errors_user_error_js__WEBPACK_IMPORTED_MODULE_6__/* .messageOf */ .bD)(error)}`, 'It holds the login of this job. Remove it by hand.');
    }
}
function formatConfig(config) {
    return JSON.stringify(config, undefined, '\t');
}
/** What the user's clients find in their files, so that the job finds it in its own. */
async function carryOver(home, hosts, context) {
    const { content } = await readConfig(configPath(home));
    const podman = await readPodmanFile();
    return withoutHelpersFor(hosts, {
        ...content,
        // A store for all would get the job's own login too.
        credsStore: undefined,
        auths: { ...objectAt(podman, 'auths'), ...objectAt(content, 'auths') },
        credHelpers: {
            ...objectAt(podman, 'credHelpers'),
            ...(await findStored(content, context)),
            ...objectAt(content, 'credHelpers')
        }
    });
}
/** The logins that podman, buildah and skopeo would have found, which `DOCKER_CONFIG` leads away from. */
async function readPodmanFile() {
    const { REGISTRY_AUTH_FILE: file = '', XDG_RUNTIME_DIR: runtime = '' } = process.env;
    const path = file === '' && runtime !== '' ? join(runtime, 'containers', 'auth.json') : file;
    return parseObject(await readFile(path, 'utf8').catch(() => '')) ?? {};
}
/** The store for all, as the helper of each host that it holds a login for. */
async function findStored(content, context) {
    const store = stringAt(content, 'credsStore');
    if (store === undefined)
        return {};
    const hosts = await listStored(store, content, context);
    return Object.fromEntries(hosts.map((host) => [host, store]));
}
async function listStored(store, content, context) {
    try {
        return await listHelper(await findHelper(store), context);
    }
    catch (error) {
        context.warn(`This job finds only some of the logins that "${store}" holds: ${messageOf(error)}`);
        // docker leaves an empty entry for what it gives to a store.
        const entries = Object.entries(objectAt(content, 'auths'));
        return entries.flatMap(([host, entry]) => isObject(entry) && Object.keys(entry).length === 0 ? [host] : []);
    }
}
function withoutHelpersFor(hosts, config) {
    const helpers = Object.entries(objectAt(config, 'credHelpers'));
    return {
        ...config,
        credHelpers: Object.fromEntries(helpers.filter(([key]) => !hosts.includes(hostOf(key))))
    };
}
/** Helpers also keep logins under addresses, such as https://us.icr.io/v2/. */
function hostOf(key) {
    return key.replace(/^https?:\/\//, '').replace(/\/.*/, '');
}
function objectAt(config, key) {
    const value = config[key];
    return isObject(value) ? value : {};
}
/** What docker keeps beside config.json and must find again; docker/cli, users of `config.Dir()`. */
const BESIDE_CONFIG = (/* unused pure expression or super */ null && (['buildx', 'cli-plugins', 'contexts', 'trust', 'ca.pem', 'cert.pem', 'key.pem']));
/** Links, so that a builder that the job makes is the user's own, as without `isolate`. */
async function linkFromHome(home, directory, context) {
    for (const name of BESIDE_CONFIG) {
        const target = join(home, name);
        const found = await stat(target).catch(() => undefined);
        if (found === undefined)
            continue;
        // Windows lets anyone make a junction, but not a link to a file.
        await symlink(target, join(directory, name), found.isDirectory() ? 'junction' : 'file').catch((error) => {
            context.warn(`${target} is not found by this job: ${messageOf(error)}`);
        });
    }
}


/***/ }),

/***/ 1953:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  Rk: () => (/* binding */ eraseFromHelper),
  Ym: () => (/* binding */ findHelper),
  b6: () => (/* binding */ getFromHelper)
});

// UNUSED EXPORTS: listHelper, storeInHelper

;// CONCATENATED MODULE: ./src/docker/child-env.ts
/**
 * What docker and credential helpers are given of the job's environment: what they need to find their files, their
 * way to the network and their key stores. Nothing else: no `INPUT_*`, no token of GitHub's, none of docker's own
 * settings that would send the secret elsewhere (facts/clients-and-runner.md, "docker CLI").
 */
const PASSED_ON = new Set([
    ...['PATH', 'PATHEXT', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TEMP', 'TMP', 'LANG'],
    ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
    ...['GNUPGHOME', 'GPG_TTY', 'DBUS_SESSION_BUS_ADDRESS', 'DISPLAY'],
    ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'APPDATA', 'LOCALAPPDATA'],
    ...['USERPROFILE', 'USERNAME', 'HOMEDRIVE', 'HOMEPATH']
]);
const PASSED_ON_BELOW = ['LC_', 'PASSWORD_STORE_', 'PROGRAM', 'XDG_'];
// Where no daemon is, the CLI does the handshake itself: no daemon, near or far, is handed the secret.
const NO_DAEMON = process.platform === 'win32' ? 'npipe:////./pipe/icr-login-none' : 'unix:///nonexistent/icr-login.sock';
// docker and most helpers are Go programs that do one thing after the other, and end before collecting garbage pays: a
// login takes a seventh longer with more threads and with it (docs/performance.md). Near the limit it is collected all the
// same: go.dev/doc/gc-guide, "Memory limit".
const SMALL_GO = { GOGC: 'off', GOMAXPROCS: '1', GOMEMLIMIT: '64MiB' };
/**
 * The environment for a child that is about to read a secret.
 * @param secret no variable that holds it is passed on
 * @param dockerConfig the directory of the config.json that the child is to use
 */
function childEnvironment(secret, dockerConfig) {
    const passed = Object.entries(process.env).filter(([name, value]) => isPassedOn(name.toUpperCase()) && (secret === '' || value?.includes(secret) !== true));
    return {
        ...Object.fromEntries(passed),
        DOCKER_HOST: NO_DAEMON,
        ...SMALL_GO,
        ...(dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig })
    };
}
function isPassedOn(name) {
    return PASSED_ON.has(name) || PASSED_ON_BELOW.some((start) => name.startsWith(start));
}

// EXTERNAL MODULE: ./src/context.ts
var src_context = __webpack_require__(788);
// EXTERNAL MODULE: ./src/errors/known-messages.ts
var known_messages = __webpack_require__(9269);
// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(8301);
// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(1421);
;// CONCATENATED MODULE: ./src/docker/run.ts

const running = new Set();
/** Ends every program that `run` has started and that still runs, because the step itself is being ended. */
function endChildren() {
    for (const child of running)
        child.kill('SIGKILL');
}
const LARGEST_OUTPUT = 64 * 1024;
/** What a program that has ended said is here by then. */
const LAST_WORDS_MS = 1_000;
/**
 * Runs a program to its end, with a secret on its standard input where it needs one; nothing of it is printed.
 * Written here because @actions/exec can't end a child (a docker that outlives the budget would go on to write the
 * secret to disk), and lets EPIPE escape where the child ends before it has read its input.
 * @param file absolute path of the program
 * @param options.timeoutMs after this the program is killed
 * @param options.stdout told not to, it does not listen to the program's standard output
 * @throws Error where the program can't be started
 */
async function run(file, args, options) {
    const { input, env, timeoutMs, stdout: heard = 'pipe' } = options;
    const setting = { env, windowsHide: true, stdio: ['pipe', heard, 'pipe'] };
    return await new Promise((resolve, reject) => {
        const child = (0,external_node_child_process_.spawn)(file, args, setting);
        running.add(child);
        const stdout = collect(child.stdout);
        const stderr = collect(child.stderr);
        const letGo = () => {
            child.stdout?.destroy();
            child.stderr?.destroy();
        };
        let timer = setTimeout(() => {
            child.kill('SIGKILL');
            letGo();
        }, timeoutMs);
        child.stdin?.on('error', () => {
            // The child ended before it had read all: its exit code tells why.
        });
        child.on('error', (error) => {
            running.delete(child);
            clearTimeout(timer);
            reject(error);
        });
        child.on('exit', () => {
            clearTimeout(timer);
            // A grandchild may hold the pipes open for ever: a key agent, say.
            timer = setTimeout(letGo, LAST_WORDS_MS);
        });
        child.on('close', (code, signal) => {
            running.delete(child);
            clearTimeout(timer);
            resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout: stdout(), stderr: stderr() });
        });
        child.stdin?.end(input);
    });
}
/** Collects a stream's text, if there is one; the rest of a very long one is read and dropped. */
function collect(stream) {
    const chunks = [];
    let size = 0;
    stream?.on('data', (chunk) => {
        if (size < LARGEST_OUTPUT)
            chunks.push(chunk);
        size += chunk.length;
    });
    return () => Buffer.concat(chunks).toString();
}

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(3024);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(6760);
// EXTERNAL MODULE: ./src/files.ts
var files = __webpack_require__(9148);
;// CONCATENATED MODULE: ./src/docker/program.ts



/**
 * The path of a program on the PATH; undefined where there is none. What lies in the working directory is not looked at.
 * Written here because @actions/io loads node:assert and node:fs/promises to look (docs/performance.md).
 */
async function findProgram(name) {
    const endings = process.platform === 'win32' ? (process.env['PATHEXT'] ?? '.EXE').split(external_node_path_.delimiter) : [''];
    for (const directory of (process.env['PATH'] ?? '').split(external_node_path_.delimiter)) {
        if (!(0,external_node_path_.isAbsolute)(directory))
            continue;
        for (const file of endings.map((ending) => (0,external_node_path_.join)(directory, name + ending)))
            if (await isProgram(file))
                return file;
    }
    return undefined;
}
async function isProgram(file) {
    try {
        if (!(0,external_node_fs_.existsSync)(file) || !(await (0,files/* stat */.dJ)(file)).isFile())
            return false;
        await (0,files/* access */.T_)(file, external_node_fs_.constants.X_OK);
        return true;
    }
    catch {
        return false;
    }
}

;// CONCATENATED MODULE: ./src/docker/helper.ts







/**
 * Finds the program of the helper that config.json names.
 * @throws UserError where it is not on the PATH
 */
async function findHelper(name) {
    const program = `docker-credential-${name}`;
    const path = /^[\w.-]+$/.test(name) ? await findProgram(program) : undefined;
    if (path !== undefined)
        return { name, path };
    throw new user_error/* UserError */.yo(`docker's config.json names the credential helper "${(0,user_error/* quote */.hD)(name)}", but ${(0,user_error/* quote */.hD)(program)} is not on the PATH.`, 'Install it, or take credsStore or credHelpers out of config.json.');
}
/**
 * What the helper holds for a host; undefined where it holds nothing. The secret is masked.
 * @throws UserError where the helper fails
 */
async function getFromHelper(helper, host, context) {
    const finished = await call(helper, 'get', host, '', context);
    // Every helper says it in these words, on its standard output (credentials/error.go).
    if (/credentials not found/i.test(finished.stdout + finished.stderr))
        return undefined;
    const found = (0,json/* parseObject */.lj)(finished.stdout);
    const secret = (0,json/* stringAt */.bX)(found, 'Secret');
    if (secret !== undefined)
        context.mask(secret);
    checkSuccess(finished, helper, 'get', host, secret ?? '');
    const username = (0,json/* stringAt */.bX)(found, 'Username') ?? '';
    return secret === undefined && username === '' ? undefined : { username, secret: secret ?? '' };
}
/**
 * Hands a credential to the helper, as docker does.
 * @throws UserError where the helper fails
 */
async function storeInHelper(helper, host, { username, secret }, context) {
    const input = JSON.stringify({ ServerURL: host, Username: username, Secret: secret });
    checkSuccess(await call(helper, 'store', input, secret, context), helper, 'store', host, secret);
}
/**
 * Makes the helper forget what it holds for a host.
 * @throws UserError where the helper fails
 */
async function eraseFromHelper(helper, host, context) {
    checkSuccess(await call(helper, 'erase', host, '', context), helper, 'erase', host, '');
}
/**
 * The hosts, or addresses of hosts, that the helper holds a login for.
 * @throws UserError where the helper fails
 */
async function listHelper(helper, context) {
    const finished = await call(helper, 'list', '', '', context);
    checkSuccess(finished, helper, 'list', 'all hosts', '');
    return Object.keys(parseObject(finished.stdout) ?? {});
}
async function call(helper, verb, input, secret, context) {
    return await run(helper.path, [verb], {
        input,
        env: childEnvironment(secret),
        timeoutMs: (0,src_context/* timeLeft */.f)(context)
    });
}
function checkSuccess(finished, helper, verb, host, secret) {
    if (finished.code === 0)
        return;
    const how = finished.code === undefined ? `was ended (${String(finished.signal)})` : `ended with ${finished.code}`;
    const said = (finished.stderr + finished.stdout).trim();
    const program = `docker-credential-${helper.name}`;
    throw new user_error/* UserError */.yo(`The credential helper "${helper.name}" ${how} on "${verb}" for ${host}.`, `Does it work by hand? Try: ${verb === 'list' ? `${program} list` : `echo ${host} | ${program} get`}`, said === '' ? undefined : (0,known_messages/* quoteWithout */.hc)(said, secret));
}


/***/ }),

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


/***/ })

};
