import { closestMatch } from 'leven'
import type { Region } from './registry-host.ts'

const ALIASES: Readonly<Record<string, string>> = { ng: 'us-south', us: 'us-south', saopaulo: 'sao-paulo' }

/** What to write instead of a name, in lower case, that no region has. */
export function cureForRegion(name: string, regions: readonly Region[]): string {
  if (name === 'us-east' || name.startsWith('washington')) return US_EAST
  const meant = ALIASES[name] ?? name
  const region = regions.find(({ name: today, host, city }) => {
    return today === meant || city === meant || host === meant || host === `${meant}.icr.io`
  })
  if (region !== undefined && name.includes('.')) {
    return `That is a registry host. Write registry: ${region.host}, or region: ${region.name}.`
  }
  if (region !== undefined) return `Write region: ${region.name} (${region.host}).`
  if (name.includes('.')) return 'That looks like a registry host. Give it as registry, not as region.'
  const names = regions.flatMap(({ name: today, formerly }) => [today, ...(formerly ? [formerly] : [])])
  const near = closestMatch(name.slice(0, 40), names, { maxDistance: 2 })
  return near === undefined ? `The regions are ${names.join(', ')}.` : `Did you mean ${near}?`
}

// facts/ibm-cloud.md section 0, item 8.
const US_EAST =
  'It is ambiguous: for us-east, IBM\'s network docs name the global registry (icr.io), and older tools us.icr.io. ' +
  'Write region: global or region: us-south, whichever holds your namespace.'

/** What to write instead of a host in IBM's zones that is known not to be a registry; else undefined. */
export function cureForIbmHost(host: string, regions: readonly Region[]): string | undefined {
  const labels = host.split('.')
  if (labels.includes('cp') && host.endsWith('icr.io')) return ENTITLED_REGISTRY
  if (/^dd\d/.test(host)) {
    return `It serves image layers only. Log in to ${host.replace(/^dd\d\./, '')}.`
  }
  if (host === 'eu.icr.io' || host === 'private.eu.icr.io') {
    return 'There is no registry for all of Europe. Write de.icr.io, uk.icr.io, es.icr.io or fr2.icr.io.'
  }
  const endpoint = host.startsWith('private.') ? 'private.' : ''
  const place = host.replace(/^(?:private\.)?(?:registry\.)?/, '').replace(/\.?(?:icr\.io|bluemix\.net)$/, '')
  const region = regions.find(({ name, formerly }) => place === name || place === formerly)
  const exists = regions.some(({ legacy }) => legacy === host)
  if (exists || (region === undefined && !/^registry\..*icr\.io$/.test(host))) return undefined
  const right = region ?? regions.find((other) => other.host === `${place}.icr.io`)
  if (right === undefined) {
    return `There are no registry.….icr.io names (twistlock/docs#642). The hosts are ${formatHosts(regions)}.`
  }
  return `There is no such host. Write ${endpoint}${right.host}.`
}

// facts/ibm-cloud.md section 1.4.
const ENTITLED_REGISTRY =
  "It is IBM's Entitled Registry, which has users and keys of its own. Log in to it with docker/login-action or " +
  'docker login: username cp, and as password the entitlement key of your My IBM page.'

/**
 * What to write instead of a host that lies outside of IBM's zones.
 * @param text all that was given
 * @param host the part of it before the first slash
 */
export function cureForOtherHost(text: string, host: string, regions: readonly Region[]): string {
  const name = host.toLowerCase()
  if (/^[a-z]+:\/\//i.test(text)) return 'Give the host alone, without https:// or a path.'
  if (regions.some((region) => region.name === name || region.formerly === name)) {
    return `That is a region. Write region: ${name}.`
  }
  const bare = name.replace(/:\d+$/, '')
  if (regions.some((region) => region.host === bare)) return `Give it without a port: ${bare}.`
  const near = closestMatch(name.slice(0, 60), regions.map((region) => region.host), { maxDistance: 1 })
  if (near !== undefined) return `Did you mean ${near}?`
  return `A registry of IBM Cloud is one of ${formatHosts(regions)}, or another name under icr.io.`
}

function formatHosts(regions: readonly Region[]): string {
  return regions.map(({ host }) => host).join(', ')
}
