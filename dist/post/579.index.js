export const id = 579;
export const ids = [579];
export const modules = {

/***/ 579:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  eraseUnused: () => (/* binding */ eraseUnused)
});

// UNUSED EXPORTS: checkHelperLogin, claimHelper, storeLogin

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(598);
// EXTERNAL MODULE: external "assert"
var external_assert_ = __webpack_require__(613);
// EXTERNAL MODULE: external "path"
var external_path_ = __webpack_require__(928);
// EXTERNAL MODULE: external "fs"
var external_fs_ = __webpack_require__(896);
;// CONCATENATED MODULE: ./node_modules/@actions/io/lib/io-util.js
var __awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


const { chmod, copyFile, lstat, mkdir, open: io_util_open, readdir, rename, rm, rmdir, stat, symlink, unlink } = external_fs_.promises;
// export const {open} = 'fs'
const IS_WINDOWS = process.platform === 'win32';
/**
 * Custom implementation of readlink to ensure Windows junctions
 * maintain trailing backslash for backward compatibility with Node.js < 24
 *
 * In Node.js 20, Windows junctions (directory symlinks) always returned paths
 * with trailing backslashes. Node.js 24 removed this behavior, which breaks
 * code that relied on this format for path operations.
 *
 * This implementation restores the Node 20 behavior by adding a trailing
 * backslash to all junction results on Windows.
 */
function readlink(fsPath) {
    return __awaiter(this, void 0, void 0, function* () {
        const result = yield fs.promises.readlink(fsPath);
        // On Windows, restore Node 20 behavior: add trailing backslash to all results
        // since junctions on Windows are always directory links
        if (IS_WINDOWS && !result.endsWith('\\')) {
            return `${result}\\`;
        }
        return result;
    });
}
// See https://github.com/nodejs/node/blob/d0153aee367422d0858105abec186da4dff0a0c5/deps/uv/include/uv/win.h#L691
const UV_FS_O_EXLOCK = 0x10000000;
const READONLY = external_fs_.constants.O_RDONLY;
function exists(fsPath) {
    return __awaiter(this, void 0, void 0, function* () {
        try {
            yield stat(fsPath);
        }
        catch (err) {
            if (err.code === 'ENOENT') {
                return false;
            }
            throw err;
        }
        return true;
    });
}
function isDirectory(fsPath_1) {
    return __awaiter(this, arguments, void 0, function* (fsPath, useStat = false) {
        const stats = useStat ? yield stat(fsPath) : yield lstat(fsPath);
        return stats.isDirectory();
    });
}
/**
 * On OSX/Linux, true if path starts with '/'. On Windows, true for paths like:
 * \, \hello, \\hello\share, C:, and C:\hello (and corresponding alternate separator cases).
 */
function isRooted(p) {
    p = normalizeSeparators(p);
    if (!p) {
        throw new Error('isRooted() parameter "p" cannot be empty');
    }
    if (IS_WINDOWS) {
        return (p.startsWith('\\') || /^[A-Z]:/i.test(p) // e.g. \ or \hello or \\hello
        ); // e.g. C: or C:\hello
    }
    return p.startsWith('/');
}
/**
 * Best effort attempt to determine whether a file exists and is executable.
 * @param filePath    file path to check
 * @param extensions  additional file extensions to try
 * @return if file exists and is executable, returns the file path. otherwise empty string.
 */
function tryGetExecutablePath(filePath, extensions) {
    return __awaiter(this, void 0, void 0, function* () {
        let stats = undefined;
        try {
            // test file exists
            stats = yield stat(filePath);
        }
        catch (err) {
            if (err.code !== 'ENOENT') {
                // eslint-disable-next-line no-console
                console.log(`Unexpected error attempting to determine if executable file exists '${filePath}': ${err}`);
            }
        }
        if (stats && stats.isFile()) {
            if (IS_WINDOWS) {
                // on Windows, test for valid extension
                const upperExt = external_path_.extname(filePath).toUpperCase();
                if (extensions.some(validExt => validExt.toUpperCase() === upperExt)) {
                    return filePath;
                }
            }
            else {
                if (isUnixExecutable(stats)) {
                    return filePath;
                }
            }
        }
        // try each extension
        const originalFilePath = filePath;
        for (const extension of extensions) {
            filePath = originalFilePath + extension;
            stats = undefined;
            try {
                stats = yield stat(filePath);
            }
            catch (err) {
                if (err.code !== 'ENOENT') {
                    // eslint-disable-next-line no-console
                    console.log(`Unexpected error attempting to determine if executable file exists '${filePath}': ${err}`);
                }
            }
            if (stats && stats.isFile()) {
                if (IS_WINDOWS) {
                    // preserve the case of the actual file (since an extension was appended)
                    try {
                        const directory = external_path_.dirname(filePath);
                        const upperName = external_path_.basename(filePath).toUpperCase();
                        for (const actualName of yield readdir(directory)) {
                            if (upperName === actualName.toUpperCase()) {
                                filePath = external_path_.join(directory, actualName);
                                break;
                            }
                        }
                    }
                    catch (err) {
                        // eslint-disable-next-line no-console
                        console.log(`Unexpected error attempting to determine the actual case of the file '${filePath}': ${err}`);
                    }
                    return filePath;
                }
                else {
                    if (isUnixExecutable(stats)) {
                        return filePath;
                    }
                }
            }
        }
        return '';
    });
}
function normalizeSeparators(p) {
    p = p || '';
    if (IS_WINDOWS) {
        // convert slashes on Windows
        p = p.replace(/\//g, '\\');
        // remove redundant slashes
        return p.replace(/\\\\+/g, '\\');
    }
    // remove redundant slashes
    return p.replace(/\/\/+/g, '/');
}
// on Mac/Linux, test the execute bit
//     R   W  X  R  W X R W X
//   256 128 64 32 16 8 4 2 1
function isUnixExecutable(stats) {
    return ((stats.mode & 1) > 0 ||
        ((stats.mode & 8) > 0 &&
            process.getgid !== undefined &&
            stats.gid === process.getgid()) ||
        ((stats.mode & 64) > 0 &&
            process.getuid !== undefined &&
            stats.uid === process.getuid()));
}
// Get the path of cmd.exe in windows
function getCmdPath() {
    var _a;
    return (_a = process.env['COMSPEC']) !== null && _a !== void 0 ? _a : `cmd.exe`;
}
//# sourceMappingURL=io-util.js.map
;// CONCATENATED MODULE: ./node_modules/@actions/io/lib/io.js
var io_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};



/**
 * Copies a file or folder.
 * Based off of shelljs - https://github.com/shelljs/shelljs/blob/9237f66c52e5daa40458f94f9565e18e8132f5a6/src/cp.js
 *
 * @param     source    source path
 * @param     dest      destination path
 * @param     options   optional. See CopyOptions.
 */
function cp(source_1, dest_1) {
    return io_awaiter(this, arguments, void 0, function* (source, dest, options = {}) {
        const { force, recursive, copySourceDirectory } = readCopyOptions(options);
        const destStat = (yield ioUtil.exists(dest)) ? yield ioUtil.stat(dest) : null;
        // Dest is an existing file, but not forcing
        if (destStat && destStat.isFile() && !force) {
            return;
        }
        // If dest is an existing directory, should copy inside.
        const newDest = destStat && destStat.isDirectory() && copySourceDirectory
            ? path.join(dest, path.basename(source))
            : dest;
        if (!(yield ioUtil.exists(source))) {
            throw new Error(`no such file or directory: ${source}`);
        }
        const sourceStat = yield ioUtil.stat(source);
        if (sourceStat.isDirectory()) {
            if (!recursive) {
                throw new Error(`Failed to copy. ${source} is a directory, but tried to copy without recursive flag.`);
            }
            else {
                yield cpDirRecursive(source, newDest, 0, force);
            }
        }
        else {
            if (path.relative(source, newDest) === '') {
                // a file cannot be copied to itself
                throw new Error(`'${newDest}' and '${source}' are the same file`);
            }
            yield io_copyFile(source, newDest, force);
        }
    });
}
/**
 * Moves a path.
 *
 * @param     source    source path
 * @param     dest      destination path
 * @param     options   optional. See MoveOptions.
 */
function mv(source_1, dest_1) {
    return io_awaiter(this, arguments, void 0, function* (source, dest, options = {}) {
        if (yield ioUtil.exists(dest)) {
            let destExists = true;
            if (yield ioUtil.isDirectory(dest)) {
                // If dest is directory copy src into dest
                dest = path.join(dest, path.basename(source));
                destExists = yield ioUtil.exists(dest);
            }
            if (destExists) {
                if (options.force == null || options.force) {
                    yield rmRF(dest);
                }
                else {
                    throw new Error('Destination already exists');
                }
            }
        }
        yield mkdirP(path.dirname(dest));
        yield ioUtil.rename(source, dest);
    });
}
/**
 * Remove a path recursively with force
 *
 * @param inputPath path to remove
 */
function rmRF(inputPath) {
    return io_awaiter(this, void 0, void 0, function* () {
        if (ioUtil.IS_WINDOWS) {
            // Check for invalid characters
            // https://docs.microsoft.com/en-us/windows/win32/fileio/naming-a-file
            if (/[*"<>|]/.test(inputPath)) {
                throw new Error('File path must not contain `*`, `"`, `<`, `>` or `|` on Windows');
            }
        }
        try {
            // note if path does not exist, error is silent
            yield ioUtil.rm(inputPath, {
                force: true,
                maxRetries: 3,
                recursive: true,
                retryDelay: 300
            });
        }
        catch (err) {
            throw new Error(`File was unable to be removed ${err}`);
        }
    });
}
/**
 * Make a directory.  Creates the full path with folders in between
 * Will throw if it fails
 *
 * @param   fsPath        path to create
 * @returns Promise<void>
 */
function mkdirP(fsPath) {
    return io_awaiter(this, void 0, void 0, function* () {
        ok(fsPath, 'a path argument must be provided');
        yield ioUtil.mkdir(fsPath, { recursive: true });
    });
}
/**
 * Returns path of a tool had the tool actually been invoked.  Resolves via paths.
 * If you check and the tool does not exist, it will throw.
 *
 * @param     tool              name of the tool
 * @param     check             whether to check if tool exists
 * @returns   Promise<string>   path to tool
 */
function which(tool, check) {
    return io_awaiter(this, void 0, void 0, function* () {
        if (!tool) {
            throw new Error("parameter 'tool' is required");
        }
        // recursive when check=true
        if (check) {
            const result = yield which(tool, false);
            if (!result) {
                if (IS_WINDOWS) {
                    throw new Error(`Unable to locate executable file: ${tool}. Please verify either the file path exists or the file can be found within a directory specified by the PATH environment variable. Also verify the file has a valid extension for an executable file.`);
                }
                else {
                    throw new Error(`Unable to locate executable file: ${tool}. Please verify either the file path exists or the file can be found within a directory specified by the PATH environment variable. Also check the file mode to verify the file is executable.`);
                }
            }
            return result;
        }
        const matches = yield findInPath(tool);
        if (matches && matches.length > 0) {
            return matches[0];
        }
        return '';
    });
}
/**
 * Returns a list of all occurrences of the given tool on the system path.
 *
 * @returns   Promise<string[]>  the paths of the tool
 */
function findInPath(tool) {
    return io_awaiter(this, void 0, void 0, function* () {
        if (!tool) {
            throw new Error("parameter 'tool' is required");
        }
        // build the list of extensions to try
        const extensions = [];
        if (IS_WINDOWS && process.env['PATHEXT']) {
            for (const extension of process.env['PATHEXT'].split(external_path_.delimiter)) {
                if (extension) {
                    extensions.push(extension);
                }
            }
        }
        // if it's rooted, return it if exists. otherwise return empty.
        if (isRooted(tool)) {
            const filePath = yield tryGetExecutablePath(tool, extensions);
            if (filePath) {
                return [filePath];
            }
            return [];
        }
        // if any path separators, return empty
        if (tool.includes(external_path_.sep)) {
            return [];
        }
        // build the list of directories
        //
        // Note, technically "where" checks the current directory on Windows. From a toolkit perspective,
        // it feels like we should not do this. Checking the current directory seems like more of a use
        // case of a shell, and the which() function exposed by the toolkit should strive for consistency
        // across platforms.
        const directories = [];
        if (process.env.PATH) {
            for (const p of process.env.PATH.split(external_path_.delimiter)) {
                if (p) {
                    directories.push(p);
                }
            }
        }
        // find all matches
        const matches = [];
        for (const directory of directories) {
            const filePath = yield tryGetExecutablePath(external_path_.join(directory, tool), extensions);
            if (filePath) {
                matches.push(filePath);
            }
        }
        return matches;
    });
}
function readCopyOptions(options) {
    const force = options.force == null ? true : options.force;
    const recursive = Boolean(options.recursive);
    const copySourceDirectory = options.copySourceDirectory == null
        ? true
        : Boolean(options.copySourceDirectory);
    return { force, recursive, copySourceDirectory };
}
function cpDirRecursive(sourceDir, destDir, currentDepth, force) {
    return io_awaiter(this, void 0, void 0, function* () {
        // Ensure there is not a run away recursive copy
        if (currentDepth >= 255)
            return;
        currentDepth++;
        yield mkdirP(destDir);
        const files = yield ioUtil.readdir(sourceDir);
        for (const fileName of files) {
            const srcFile = `${sourceDir}/${fileName}`;
            const destFile = `${destDir}/${fileName}`;
            const srcFileStat = yield ioUtil.lstat(srcFile);
            if (srcFileStat.isDirectory()) {
                // Recurse
                yield cpDirRecursive(srcFile, destFile, currentDepth, force);
            }
            else {
                yield io_copyFile(srcFile, destFile, force);
            }
        }
        // Change the mode for the newly created directory
        yield ioUtil.chmod(destDir, (yield ioUtil.stat(sourceDir)).mode);
    });
}
// Buffered file copy
function io_copyFile(srcFile, destFile, force) {
    return io_awaiter(this, void 0, void 0, function* () {
        if ((yield ioUtil.lstat(srcFile)).isSymbolicLink()) {
            // unlink/re-link it
            try {
                yield ioUtil.lstat(destFile);
                yield ioUtil.unlink(destFile);
            }
            catch (e) {
                // Try to override file permission
                if (e.code === 'EPERM') {
                    yield ioUtil.chmod(destFile, '0666');
                    yield ioUtil.unlink(destFile);
                }
                // other errors = it doesn't exist, no work to do
            }
            // Copy over symlink
            const symlinkFull = yield ioUtil.readlink(srcFile);
            yield ioUtil.symlink(symlinkFull, destFile, ioUtil.IS_WINDOWS ? 'junction' : null);
        }
        else if (!(yield ioUtil.exists(destFile)) || force) {
            yield ioUtil.copyFile(srcFile, destFile);
        }
    });
}
//# sourceMappingURL=io.js.map
;// CONCATENATED MODULE: ./src/child-environment.ts
/**
 * What docker and credential helpers are given of the job's environment: what they need to find their files, their
 * way to the network and their key stores. Nothing else: no `INPUT_*`, no token of GitHub's, none of docker's own
 * settings that would send the secret elsewhere (facts/clients-and-runner.md, "docker CLI").
 */
const PASSED_ON = [
    /^(?:PATH|PATHEXT|HOME|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|LANG|LC_\w+)$/i,
    /^(?:HTTPS?|ALL|NO)_PROXY$/i,
    /^SSL_CERT_(?:FILE|DIR)$/,
    /^(?:GNUPGHOME|GPG_TTY|PASSWORD_STORE_\w+|DBUS_SESSION_BUS_ADDRESS|DISPLAY|XDG_\w+)$/,
    /^(?:SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH)$/i,
    /^(?:APPDATA|LOCALAPPDATA|PROGRAM\w*)$/i
];
// Where no daemon is, the CLI does the handshake itself: no daemon, near or far, is handed the secret.
const NO_DAEMON = process.platform === 'win32' ? 'npipe:////./pipe/icr-login-none' : 'unix:///nonexistent/icr-login.sock';
/**
 * The environment for a child that is about to read a secret.
 * @param secret no variable that holds it is passed on
 * @param dockerConfig the directory of the config.json that the child is to use
 */
function childEnvironment(secret, dockerConfig) {
    const passed = Object.entries(process.env).filter(([name, value]) => PASSED_ON.some((names) => names.test(name)) && (secret === '' || value?.includes(secret) !== true));
    return {
        ...Object.fromEntries(passed),
        DOCKER_HOST: NO_DAEMON,
        ...(dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig })
    };
}

// EXTERNAL MODULE: ./src/context.ts
var src_context = __webpack_require__(788);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(916);
;// CONCATENATED MODULE: ./src/diagnosis.ts

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
    return new UserError(`${what}: ${cause}`, cure, said === '' ? undefined : quoteWithout(said, secret));
}
const PIECE = 6;
/** A service's words, unless they echo a piece of the secret, plain or encoded. */
function quoteWithout(said, secret) {
    if (secret === '')
        return (0,errors/* quote */.hD)(said);
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
    const heard = said.slice(0, 2 * errors/* LONGEST_QUOTE */.WP).toLowerCase();
    const echoes = forms.some((form) => pieces(form.toLowerCase()).some((piece) => heard.includes(piece)));
    return echoes ? '(not shown: the answer repeats the secret)' : (0,errors/* quote */.hD)(said);
}
function pieces(text) {
    return Array.from({ length: Math.max(1, text.length - PIECE + 1) }, (_, at) => text.slice(at, at + PIECE));
}

// EXTERNAL MODULE: ./src/json.ts
var json = __webpack_require__(301);
// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(421);
;// CONCATENATED MODULE: ./src/process.ts

const LARGEST_OUTPUT = 64 * 1024;
/**
 * Runs a program to its end, with a secret on its standard input where it needs one; nothing of it is printed.
 * Written here because @actions/exec can't end a child (a docker that outlives the budget would go on to write the
 * secret to disk), and lets EPIPE escape where the child ends before it has read its input.
 * @param file absolute path of the program
 * @param options.timeoutMs after this the program is killed
 * @throws Error where the program can't be started
 */
async function run(file, args, options) {
    return await new Promise((resolve, reject) => {
        const child = (0,external_node_child_process_.spawn)(file, args, { env: options.env, windowsHide: true });
        const stdout = collect(child.stdout);
        const stderr = collect(child.stderr);
        const timer = setTimeout(() => {
            child.kill('SIGKILL');
            // A grandchild may hold the pipes open for ever.
            child.stdout.destroy();
            child.stderr.destroy();
        }, options.timeoutMs);
        child.stdin.on('error', () => {
            // The child ended before it had read all: its exit code tells why.
        });
        child.on('error', (error) => {
            clearTimeout(timer);
            reject(error);
        });
        child.on('close', (code, signal) => {
            clearTimeout(timer);
            resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout: stdout(), stderr: stderr() });
        });
        child.stdin.end(options.input);
    });
}
/** Collects a stream's text; the rest of a very long one is read and dropped. */
function collect(stream) {
    const chunks = [];
    let size = 0;
    stream.on('data', (chunk) => {
        if (size < LARGEST_OUTPUT)
            chunks.push(chunk);
        size += chunk.length;
    });
    return () => Buffer.concat(chunks).toString();
}

;// CONCATENATED MODULE: ./src/credential-helper.ts







/**
 * Finds the program of the helper that config.json names.
 * @throws UserError where it is not on the PATH
 */
async function credential_helper_findHelper(name) {
    const program = `docker-credential-${name}`;
    const path = /^[\w.-]+$/.test(name) ? await which(program) : '';
    if (path !== '')
        return { name, path };
    throw new errors/* UserError */.yo(`docker's config.json names the credential helper "${name}", but ${program} is not on the PATH.`, 'Install it, or take credsStore or credHelpers out of config.json.');
}
/**
 * What the helper holds for a host; undefined where it holds nothing. The secret is masked.
 * @throws UserError where the helper fails
 */
async function credential_helper_getFromHelper(helper, host, context) {
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
async function credential_helper_storeInHelper(helper, host, { username, secret }, context) {
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
    const how = finished.code === undefined
        ? `was ended (${finished.signal ?? 'no exit code'})`
        : `ended with ${finished.code}`;
    const said = (finished.stderr + finished.stdout).trim();
    throw new errors/* UserError */.yo(`The credential helper "${helper.name}" ${how} on "${verb}" for ${host}.`, `Does it work by hand? Try: echo ${host} | docker-credential-${helper.name} get`, said === '' ? undefined : quoteWithout(said, secret));
}

;// CONCATENATED MODULE: ./src/helper-use.ts



/**
 * Finds the helper of a host.
 * @param wanted.path of the config.json that names it
 * @throws UserError where it is missing or fails, or holds another login, which nobody could bring back
 */
async function claimHelper(name, wanted, context) {
    const helper = await findHelper(name);
    const found = await getFromHelper(helper, wanted.host, context);
    const digest = hash(wanted.credential);
    if (found === undefined || hash(found) === digest) {
        return { helper, use: { name, before: found !== undefined, digest } };
    }
    throw new UserError(`The credential helper "${name}" (${wanted.path}) holds another login for ${wanted.host}, which could not be brought back.`, 'Give the job a DOCKER_CONFIG of its own, or run docker logout first if that login is not needed.');
}
/** Hands a credential to the helper, where docker is not there to do it. */
async function storeLogin({ helper }, host, credential, context) {
    await storeInHelper(helper, host, credential, context);
}
/**
 * Reads the login back from the helper.
 * @returns the use of the helper, to be written down
 * @throws UserError where the helper holds nothing, or something else
 */
async function checkHelperLogin({ helper, use }, host, context) {
    const found = await getFromHelper(helper, host, context);
    // docker's name for an identity token, which it keeps in place of the secret where the registry gives one.
    if (found !== undefined && (found.username === '<token>' || hash(found) === use.digest)) {
        return { ...use, digest: hash(found) };
    }
    throw new UserError(`docker login for ${host} ended well, but the credential helper "${helper.name}" does not hold this login.`, `Does the helper work by hand? Try: echo ${host} | docker-credential-${helper.name} get`);
}
function hash({ username, secret }) {
    return (0,external_node_crypto_.createHash)('sha256').update(`${username}:${secret}`).digest('hex');
}
/**
 * Makes credential helpers forget what nobody of ours needs any longer, unless they held it before us, or hold
 * something else by now.
 * @returns the hosts whose helper holds something else
 * @throws UserError where a helper fails, or holds the login still
 */
async function eraseUnused(releases, context) {
    const changed = [];
    for (const { host, helper: use } of releases) {
        if (use === undefined || use.before)
            continue;
        const helper = await credential_helper_findHelper(use.name);
        const found = await credential_helper_getFromHelper(helper, host, context);
        if (found === undefined)
            continue;
        if (hash(found) === use.digest)
            await eraseAndCheck(helper, host, context);
        else
            changed.push(host);
    }
    return changed;
}
async function eraseAndCheck(helper, host, context) {
    await eraseFromHelper(helper, host, context);
    if ((await credential_helper_getFromHelper(helper, host, context)) === undefined)
        return;
    throw new errors/* UserError */.yo(`The credential helper "${helper.name}" still holds the login for ${host}.`, `Erase it by hand: echo ${host} | docker-credential-${helper.name} erase`);
}


/***/ })

};
