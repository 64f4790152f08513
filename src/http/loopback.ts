function isPlainNumber(text: string, least: number, most: number): boolean {
  const value = Number(text)
  return String(value) === text && value >= least && value <= most
}

const LOOPBACK = /^(?:localhost|\[::1\]|127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}))(?::(\d{1,5}))?$/i

/** Whether `host` or `host:port` is this machine, in the plain spelling: no octal, no short forms, no names. */
export function isLoopback(host: string): boolean {
  const match = LOOPBACK.exec(host)
  if (match === null) return false
  const [, a, b, c, port] = match
  return (
    [a, b, c].every((octet) => octet === undefined || isPlainNumber(octet, 0, 255)) &&
    (port === undefined || isPlainNumber(port, 1, 65535))
  )
}
