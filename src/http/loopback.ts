const LOOPBACK = /^(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})(?::[1-9]\d{0,4})?$/i

/** Whether `host` or `host:port` is this machine, in the plain spelling: no octal, no short forms, no names. */
export function isLoopback(host: string): boolean {
  if (!LOOPBACK.test(host)) return false
  // Parsing rewrites any other spelling, and leaves out the scheme's own port.
  const parsed = ['http', 'https'].map((scheme) => `${scheme}://${host}`).filter((url) => URL.canParse(url))
  return parsed.some((url) => new URL(url).host === host.toLowerCase())
}
