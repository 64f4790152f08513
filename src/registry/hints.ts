import { closestMatch } from 'leven'
import { UserError } from '../errors/user-error.ts'
import { formatList, quote } from '../errors/quote.ts'
import { isAllowedHost } from './hosts.ts'
import { REGIONS } from './regions.ts'

/** The error for a region that does not exist, with the one that was probably meant. */
export function explainRegion(name: string): UserError {
  const what = `region: "${quote(name)}" is not a region of IBM Cloud Container Registry.`
  return new UserError(what, hintForRegion(name.toLowerCase()))
}

const ALIASES: Readonly<Record<string, string>> = { ng: 'us-south', us: 'us-south', saopaulo: 'sao-paulo' }

function hintForRegion(name: string): string {
  if (name === 'us-east' || name.startsWith('washington')) return US_EAST
  const meant = ALIASES[name] ?? name
  const region = REGIONS.find(
    (one) => [one.name, one.city, one.host].includes(meant) || one.host === `${meant}.icr.io`
  )
  if (name.includes('.')) {
    return region === undefined
      ? 'That looks like a registry host. Give it as registry, not as region.'
      : `That is a registry host. Write registry: ${region.host}, or region: ${region.name}.`
  }
  if (region !== undefined) return `Write region: ${region.name} (${region.host}).`
  const names = REGIONS.flatMap(({ name: today, formerly }) => [today, ...(formerly ? [formerly] : [])])
  const near = closestMatch(name, names, { maxDistance: 2 })
  return near === undefined ? `The regions are ${names.join(', ')}.` : `Did you mean ${near}?`
}

// docs/references.md, "Regions and hosts".
const US_EAST =
  "It is ambiguous: for us-east, IBM's network docs name the global registry (icr.io), and older tools us.icr.io. " +
  'Write region: global or region: us-south, whichever holds your namespace.'
const ENTITLED_REGISTRY =
  "It is IBM's Entitled Registry, which has users and keys of its own. Log in to it with docker/login-action or " +
  'docker login: username cp, and as password the entitlement key of your My IBM page.'

const HOSTS = REGIONS.map(({ host }) => host)

/** The error for a registry that is no host or image reference of IBM's, with what to write instead. */
export function explainRegistry(text: string): UserError {
  const host = text.slice(0, text.search(/\/|$/)).toLowerCase()
  const hint = isAllowedHost(host)
    ? `Give the host alone (${host}), or ${host}/namespace/repository, with a tag or digest.`
    : hintForOtherHost(text, host)
  return refuseRegistry(text, hint)
}

/** The error for a host in IBM's zones that is known not to be a registry to log in to; else undefined. */
export function findMistake(host: string): UserError | undefined {
  const hint = hintForIbmHost(host)
  return hint === undefined ? undefined : refuseRegistry(host, hint)
}

function refuseRegistry(text: string, hint: string): UserError {
  return new UserError(`registry: "${quote(text)}" is not a registry to log in to.`, hint)
}

function hintForIbmHost(host: string): string | undefined {
  if (host.split('.').includes('cp') && host.endsWith('icr.io')) return ENTITLED_REGISTRY
  if (/^dd\d/.test(host)) return `It serves image layers only. Log in to ${host.replace(/^dd\d\./, '')}.`
  if (host === 'eu.icr.io' || host === 'private.eu.icr.io') {
    const european = REGIONS.filter(({ name }) => name.startsWith('eu-')).map((region) => region.host)
    return `There is no registry for all of Europe. Write ${formatList(european, 'or')}.`
  }
  const place = host.replace(/^(?:private\.)?(?:registry\.)?/, '').replace(/\.(?:icr\.io|bluemix\.net)$/, '')
  const region = REGIONS.find(({ name, formerly }) => place === name || place === formerly)
  const exists = REGIONS.some(({ legacy }) => legacy === host)
  if (exists || (region === undefined && !/^registry\..*icr\.io$/.test(host))) return undefined
  const right = region?.host ?? HOSTS.find((other) => other === `${place}.icr.io`)
  if (right === undefined)
    return `There are no registry.….icr.io names (twistlock/docs#642). The hosts are ${HOSTS.join(', ')}.`
  return `There is no such host. Write ${host.startsWith('private.') ? 'private.' : ''}${right}.`
}

function hintForOtherHost(text: string, host: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return 'Give the host alone, without https:// or a path.'
  if (REGIONS.some(({ name, formerly }) => name === host || formerly === host))
    return `That is a region. Write region: ${host}.`
  const bare = host.replace(/:\d+$/, '')
  if (HOSTS.includes(bare)) return `Give it without a port: ${bare}.`
  const near = closestMatch(host, HOSTS, { maxDistance: 1 })
  if (near !== undefined) return `Did you mean ${near}?`
  return `A registry of IBM Cloud is one of ${HOSTS.join(', ')}, or another name under icr.io.`
}
