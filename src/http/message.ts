import type { IncomingHttpHeaders } from 'node:http'

/** What is asked of a service over HTTP. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Never through a proxy, and few tries: a metadata service, which is near or not there at all. */
  readonly linkLocal?: boolean
  /** The most bytes that its answer may have; 64 KiB if not given. */
  readonly maxBytes?: number
  /** Told before each try; what it returns is told the status of the answer, or that none came. */
  readonly watch?: () => (status: number | undefined) => void
}

/** What it answered, whole. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
