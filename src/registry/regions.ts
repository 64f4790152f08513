import { UserError } from '../errors/user-error.ts'

/** How the registry is reached: over the internet, inside IBM Cloud, or by its name of before 2019. */
export type Endpoint = 'public' | 'private' | 'legacy'

interface Region {
  /** Today's name. */
  readonly name: string
  readonly host: string
  readonly city?: string
  /** The region's name until 2021. IBM's SDKs still accept it. */
  readonly formerly?: string
  /** The host's name of before 25 February 2019. */
  readonly legacy?: string
}

const bluemix = (name: string): string => `registry.${name}.bluemix.net`

/** Every region of the registry (docs/references.md, "Regions and hosts"). A new region is one row. */
export const REGIONS: readonly Region[] = [
  { name: 'global', host: 'icr.io', legacy: 'registry.bluemix.net' },
  { name: 'us-south', host: 'us.icr.io', city: 'dallas', legacy: bluemix('ng') },
  { name: 'eu-gb', host: 'uk.icr.io', city: 'london', formerly: 'uk-south', legacy: bluemix('eu-gb') },
  { name: 'eu-de', host: 'de.icr.io', city: 'frankfurt', formerly: 'eu-central', legacy: bluemix('eu-de') },
  { name: 'au-syd', host: 'au.icr.io', city: 'sydney', formerly: 'ap-south', legacy: bluemix('au-syd') },
  { name: 'jp-tok', host: 'jp.icr.io', city: 'tokyo', formerly: 'ap-north' },
  { name: 'jp-osa', host: 'jp2.icr.io', city: 'osaka' },
  { name: 'ca-tor', host: 'ca.icr.io', city: 'toronto' },
  { name: 'ca-mon', host: 'ca2.icr.io', city: 'montreal' },
  { name: 'br-sao', host: 'br.icr.io', city: 'sao-paulo' },
  { name: 'eu-es', host: 'es.icr.io', city: 'madrid' },
  { name: 'in-che', host: 'in.icr.io', city: 'chennai' },
  { name: 'in-mum', host: 'in2.icr.io', city: 'mumbai' },
  { name: 'eu-fr2', host: 'fr2.icr.io', city: 'paris' }
]

function findRegion(name: string): Region | undefined {
  // Only ASCII is folded: the Kelvin sign lowers to a plain k, and would make a look-alike of uk-south.
  if (!/^[A-Za-z0-9-]+$/.test(name)) return undefined
  const wanted = name.toLowerCase()
  return REGIONS.find((region) => region.name === wanted || region.formerly === wanted)
}

/**
 * The registry host of a region; undefined where no region has that name.
 * @param name today's or the former name of a region, in any case
 * @throws UserError where the region has no such endpoint
 */
export function resolveRegion(name: string, endpoint: Endpoint): string | undefined {
  const region = findRegion(name)
  if (region === undefined || endpoint === 'public') return region?.host
  if (endpoint === 'private') return `private.${region.host}`
  if (region.legacy !== undefined) return region.legacy
  const having = REGIONS.filter(({ legacy }) => legacy !== undefined).map((other) => other.name)
  throw new UserError(
    `The region ${region.name} has no legacy host: it opened after the bluemix.net names.`,
    `Leave endpoint out (${region.host}). The regions with a legacy host are ${having.join(', ')}.`
  )
}

/** Whether a host is in the table of regions, under any of its names. */
export function isKnownHost(host: string): boolean {
  return REGIONS.some((region) => [region.host, `private.${region.host}`, region.legacy].includes(host))
}
