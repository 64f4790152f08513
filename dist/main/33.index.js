export const id = 33;
export const ids = [33];
export const modules = {

/***/ 2033:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  explainRegion: () => (/* binding */ explainRegion),
  explainRegistry: () => (/* binding */ explainRegistry),
  findMistake: () => (/* binding */ findMistake)
});

;// CONCATENATED MODULE: ./node_modules/leven/index.js
const array = [];
const characterCodeCache = [];

function leven(first, second, options) {
	if (first === second) {
		return 0;
	}

	const maxDistance = options?.maxDistance;
	const swap = first;

	// Swapping the strings if `a` is longer than `b` so we know which one is the
	// shortest & which one is the longest
	if (first.length > second.length) {
		first = second;
		second = swap;
	}

	let firstLength = first.length;
	let secondLength = second.length;

	// Performing suffix trimming:
	// We can linearly drop suffix common to both strings since they
	// don't increase distance at all
	// Note: `~-` is the bitwise way to perform a `- 1` operation
	while (firstLength > 0 && (first.charCodeAt(~-firstLength) === second.charCodeAt(~-secondLength))) {
		firstLength--;
		secondLength--;
	}

	// Performing prefix trimming
	// We can linearly drop prefix common to both strings since they
	// don't increase distance at all
	let start = 0;

	while (start < firstLength && (first.charCodeAt(start) === second.charCodeAt(start))) {
		start++;
	}

	firstLength -= start;
	secondLength -= start;

	// Early termination after trimming: if difference in length exceeds max distance
	if (maxDistance !== undefined && secondLength - firstLength > maxDistance) {
		return maxDistance;
	}

	if (firstLength === 0) {
		return maxDistance !== undefined && secondLength > maxDistance
			? maxDistance
			: secondLength;
	}

	let bCharacterCode;
	let result;
	let temporary;
	let temporary2;
	let index = 0;
	let index2 = 0;

	while (index < firstLength) {
		characterCodeCache[index] = first.charCodeAt(start + index);
		array[index] = ++index;
	}

	while (index2 < secondLength) {
		bCharacterCode = second.charCodeAt(start + index2);
		temporary = index2++;
		result = index2;

		for (index = 0; index < firstLength; index++) {
			temporary2 = bCharacterCode === characterCodeCache[index] ? temporary : temporary + 1;
			temporary = array[index];
			// eslint-disable-next-line no-multi-assign
			result = array[index] = temporary > result
				? (temporary2 > result ? result + 1 : temporary2)
				: (temporary2 > temporary ? temporary + 1 : temporary2);
		}

		// Early termination: if all values in current row exceed maxDistance
		if (maxDistance !== undefined) {
			let rowMinimum = result;
			for (index = 0; index < firstLength; index++) {
				if (array[index] < rowMinimum) {
					rowMinimum = array[index];
				}
			}

			if (rowMinimum > maxDistance) {
				return maxDistance;
			}
		}
	}

	// Bound arrays to avoid retaining large previous sizes
	array.length = firstLength;
	characterCodeCache.length = firstLength;

	return maxDistance !== undefined && result > maxDistance ? maxDistance : result;
}

function closestMatch(target, candidates, options) {
	if (!Array.isArray(candidates) || candidates.length === 0) {
		return undefined;
	}

	const userMax = options?.maxDistance;
	const targetLength = target.length;

	// Exact match fast-path
	for (const candidate of candidates) {
		if (candidate === target) {
			return candidate;
		}
	}

	if (userMax === 0) {
		return undefined;
	}

	let best;
	let bestDist = Number.POSITIVE_INFINITY;
	const seen = new Set();

	for (const candidate of candidates) {
		if (seen.has(candidate)) {
			continue;
		}

		seen.add(candidate);

		const lengthDiff = Math.abs(candidate.length - targetLength);
		if (lengthDiff >= bestDist) {
			continue;
		}

		if (userMax !== undefined && lengthDiff > userMax) {
			continue;
		}

		const cap = Number.isFinite(bestDist)
			? (userMax === undefined ? bestDist : Math.min(bestDist, userMax))
			: userMax;

		const distance = cap === undefined
			? leven(target, candidate)
			: leven(target, candidate, {maxDistance: cap});

		// Skip candidates that exceed the user's maximum distance
		if (userMax !== undefined && distance > userMax) {
			continue;
		}

		// If we got a capped result that equals the cap, we need the actual distance
		// for accurate comparison, but only if the cap was due to userMax
		let actualD = distance;
		if (cap !== undefined && distance === cap && cap === userMax) {
			actualD = leven(target, candidate);
		}

		if (actualD < bestDist) {
			bestDist = actualD;
			best = candidate;
			if (bestDist === 0) {
				break;
			}
		}
	}

	if (userMax !== undefined && bestDist > userMax) {
		return undefined;
	}

	return best;
}

// EXTERNAL MODULE: ./src/errors/user-error.ts + 1 modules
var user_error = __webpack_require__(873);
// EXTERNAL MODULE: ./src/registry/hosts.ts
var registry_hosts = __webpack_require__(1604);
;// CONCATENATED MODULE: ./src/registry/hints.ts



/** The error for a region that does not exist, with the one that was meant. */
function explainRegion(name) {
    const what = `region: "${(0,user_error/* quote */.hD)(name)}" is not a region of IBM Cloud Container Registry.`;
    return new user_error/* UserError */.yo(what, cureForRegion(name.toLowerCase()));
}
const ALIASES = { ng: 'us-south', us: 'us-south', saopaulo: 'sao-paulo' };
function cureForRegion(name) {
    if (name === 'us-east' || name.startsWith('washington'))
        return US_EAST;
    const meant = ALIASES[name] ?? name;
    const region = registry_hosts/* REGIONS */.ij.find(({ name: today, host, city }) => {
        return today === meant || city === meant || host === meant || host === `${meant}.icr.io`;
    });
    if (region !== undefined && name.includes('.')) {
        return `That is a registry host. Write registry: ${region.host}, or region: ${region.name}.`;
    }
    if (region !== undefined)
        return `Write region: ${region.name} (${region.host}).`;
    if (name.includes('.'))
        return 'That looks like a registry host. Give it as registry, not as region.';
    const names = registry_hosts/* REGIONS */.ij.flatMap(({ name: today, formerly }) => [today, ...(formerly ? [formerly] : [])]);
    const near = closestMatch(name, names, { maxDistance: 2 });
    return near === undefined ? `The regions are ${names.join(', ')}.` : `Did you mean ${near}?`;
}
// facts/ibm-cloud.md section 0, item 8.
const US_EAST = "It is ambiguous: for us-east, IBM's network docs name the global registry (icr.io), and older tools us.icr.io. " +
    'Write region: global or region: us-south, whichever holds your namespace.';
/** The error for a registry that is no host or image reference of IBM's, with what to write instead. */
function explainRegistry(text) {
    const host = text.slice(0, text.search(/\/|$/));
    const cure = (0,registry_hosts/* isAllowedHost */.Xj)(host)
        ? `Give the host alone (${host.toLowerCase()}), or ${host.toLowerCase()}/namespace/repository, with a tag or digest.`
        : cureForOtherHost(text, host.toLowerCase());
    return refuseRegistry(text, cure);
}
/** The error for a host in IBM's zones that is known not to be a registry to log in to; else undefined. */
function findMistake(host) {
    const cure = cureForIbmHost(host);
    return cure === undefined ? undefined : refuseRegistry(host, cure);
}
function refuseRegistry(text, cure) {
    return new user_error/* UserError */.yo(`registry: "${(0,user_error/* quote */.hD)(text)}" is not a registry to log in to.`, cure);
}
function cureForIbmHost(host) {
    const labels = host.split('.');
    if (labels.includes('cp') && host.endsWith('icr.io'))
        return ENTITLED_REGISTRY;
    if (/^dd\d/.test(host)) {
        return `It serves image layers only. Log in to ${host.replace(/^dd\d\./, '')}.`;
    }
    if (host === 'eu.icr.io' || host === 'private.eu.icr.io') {
        const hosts = registry_hosts/* REGIONS */.ij.filter(({ name }) => name.startsWith('eu-')).map((region) => region.host);
        return `There is no registry for all of Europe. Write ${(0,user_error/* formatList */.ki)(hosts, 'or')}.`;
    }
    const endpoint = host.startsWith('private.') ? 'private.' : '';
    const place = host.replace(/^(?:private\.)?(?:registry\.)?/, '').replace(/\.(?:icr\.io|bluemix\.net)$/, '');
    const region = registry_hosts/* REGIONS */.ij.find(({ name, formerly }) => place === name || place === formerly);
    const exists = registry_hosts/* REGIONS */.ij.some(({ legacy }) => legacy === host);
    if (exists || (region === undefined && !/^registry\..*icr\.io$/.test(host)))
        return undefined;
    const right = region ?? registry_hosts/* REGIONS */.ij.find((other) => other.host === `${place}.icr.io`);
    if (right === undefined) {
        return `There are no registry.….icr.io names (twistlock/docs#642). The hosts are ${formatHosts()}.`;
    }
    return `There is no such host. Write ${endpoint}${right.host}.`;
}
// facts/ibm-cloud.md section 1.4.
const ENTITLED_REGISTRY = "It is IBM's Entitled Registry, which has users and keys of its own. Log in to it with docker/login-action or " +
    'docker login: username cp, and as password the entitlement key of your My IBM page.';
function cureForOtherHost(text, host) {
    if (/^[a-z]+:\/\//i.test(text))
        return 'Give the host alone, without https:// or a path.';
    if (registry_hosts/* REGIONS */.ij.some(({ name, formerly }) => name === host || formerly === host)) {
        return `That is a region. Write region: ${host}.`;
    }
    const bare = host.replace(/:\d+$/, '');
    if (registry_hosts/* REGIONS */.ij.some((region) => region.host === bare))
        return `Give it without a port: ${bare}.`;
    const near = closestMatch(host, registry_hosts/* REGIONS */.ij.map((region) => region.host), { maxDistance: 1 });
    if (near !== undefined)
        return `Did you mean ${near}?`;
    return `A registry of IBM Cloud is one of ${formatHosts()}, or another name under icr.io.`;
}
function formatHosts() {
    return registry_hosts/* REGIONS */.ij.map(({ host }) => host).join(', ');
}


/***/ })

};
