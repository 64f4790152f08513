// IBM's names for each region's registry: docs/references.md, "Regions and hosts".
// Written out here once more, on purpose: a slip in the action's own table must not be mirrored.

const PUBLIC_HOSTS: Record<string, string> = {
  global: 'icr.io',
  'us-south': 'us.icr.io',
  'eu-gb': 'uk.icr.io',
  'eu-de': 'de.icr.io',
  'au-syd': 'au.icr.io',
  'jp-tok': 'jp.icr.io',
  'jp-osa': 'jp2.icr.io',
  'ca-tor': 'ca.icr.io',
  'br-sao': 'br.icr.io',
  'eu-es': 'es.icr.io',
  'ca-mon': 'ca2.icr.io',
  'in-che': 'in.icr.io',
  'in-mum': 'in2.icr.io',
  'eu-fr2': 'fr2.icr.io'
}

const LEGACY_HOSTS: Record<string, string> = {
  global: 'registry.bluemix.net',
  'us-south': 'registry.ng.bluemix.net',
  'eu-gb': 'registry.eu-gb.bluemix.net',
  'eu-de': 'registry.eu-de.bluemix.net',
  'au-syd': 'registry.au-syd.bluemix.net'
}

/** All names of one region's registry: they reach the same content ("Regions and hosts"). */
export function hostsOfRegion(region: string): string[] {
  const host = PUBLIC_HOSTS[region]
  if (host === undefined) return []
  const legacy = LEGACY_HOSTS[region]
  return [host, `private.${host}`, ...(legacy === undefined ? [] : [legacy])]
}

/** Section 3.2. */
export const IAM_HOSTS = [
  'iam.cloud.ibm.com',
  'private.iam.cloud.ibm.com',
  'private.us-south.iam.cloud.ibm.com',
  'private.us-east.iam.cloud.ibm.com',
  'iam.test.cloud.ibm.com'
]
