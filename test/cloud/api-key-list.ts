// GET /v1/apikeys: whose keys, in which order, which page. Platform SDK, `ListApiKeysParams` and `ApiKeyList`.
import { describeKey, isPurged, mayHandle, requireRight } from './api-key-rules.ts'
import type { KeyCall } from './api-key-rules.ts'
import type { ApiKey } from './data.ts'
import { json } from './http.ts'
import type { Reply, Request } from './http.ts'
import { badRequest, managementRefusal, transactionId } from './iam-errors.ts'

/** Platform SDK: "Default is 20 items per page. Valid range is 1 to 100." */
const PAGE_SIZE = { usual: 20, most: 100 }

type Order = (one: ApiKey, other: ApiKey) => number

const ORDERS: Record<string, Order> = {
  name: (one, other) => one.name.localeCompare(other.name),
  description: (one, other) => one.description.localeCompare(other.description),
  created_at: (one, other) => one.createdAt - other.createdAt,
  created_by: (one, other) => one.createdBy.localeCompare(other.createdBy)
}

export function listKeys(call: KeyCall): Reply {
  const { request } = call
  // How a filter is written is in no source that was read.
  if (request.query.has('filter')) throw badRequest(request, 'This filter is not understood.')
  const keys = inOrder(request, ofType(request, keysAskedFor(call)))
  const size = pageSize(request)
  const offset = pageOffset(request)
  const body = {
    context: { transaction_id: transactionId(request) },
    offset,
    limit: size,
    first: pageUrl(request, 0),
    ...(offset > 0 ? { previous: pageUrl(request, Math.max(0, offset - size)) } : {}),
    ...(offset + size < keys.length ? { next: pageUrl(request, offset + size) } : {}),
    apikeys: keys.slice(offset, offset + size).map(describeKey)
  }
  return json(200, body, { 'Transaction-Id': transactionId(request) })
}

/** Those of `iam_id`; of the whole account with `scope=account`; else the caller's own. */
function keysAskedFor(call: KeyCall): ApiKey[] {
  const { iam, request, caller } = call
  const owner = request.query.get('iam_id')
  const accountId = request.query.get('account_id') ?? caller.accountId
  const accountOf = owner === null ? caller.accountId : iam.world.identity(owner)?.accountId
  if (accountOf !== undefined && accountId !== accountOf) {
    throw managementRefusal(request, 403, 'BXNIM0000E', 'account_id is not that of iam_id, or of your token.')
  }
  if (owner !== null) requireRight(call, owner)
  const wholeAccount = request.query.get('scope') === 'account'
  const wanted = (key: ApiKey): boolean => {
    if (owner !== null) return key.iamId === owner
    if (!wholeAccount) return key.iamId === caller.iamId
    return key.accountId === accountId && mayHandle(iam.world, caller, key.iamId)
  }
  return iam.world.apiKeys.filter(
    (key) => wanted(key) && key.listedFrom <= Date.now() && !isPurged(key, iam.world)
  )
}

function ofType(request: Request, keys: ApiKey[]): ApiKey[] {
  const type = request.query.get('type')
  if (type === null) return keys
  if (type !== 'user' && type !== 'serviceid') throw badRequest(request, 'type must be user or serviceid.')
  return keys.filter(({ iamId }) => iamId.startsWith('iam-ServiceId-') === (type === 'serviceid'))
}

function inOrder(request: Request, keys: ApiKey[]): ApiKey[] {
  const sort = request.query.get('sort')
  const order = sort === null ? () => 0 : ORDERS[sort]
  if (order === undefined)
    throw badRequest(request, 'sort must be name, description, created_at or created_by.')
  const sorted = [...keys].sort(order)
  return request.query.get('order') === 'desc' ? sorted.reverse() : sorted
}

function pageSize(request: Request): number {
  const size = Number(request.query.get('pagesize') ?? PAGE_SIZE.usual)
  if (Number.isInteger(size) && size >= 1 && size <= PAGE_SIZE.most) return size
  throw badRequest(request, `pagesize must be from 1 to ${PAGE_SIZE.most}.`)
}

/** What a page token holds is IBM's own affair; here it is where the page begins. */
function pageOffset(request: Request): number {
  const token = request.query.get('pagetoken')
  if (token === null) return 0
  const offset = /^from (\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1]
  if (offset === undefined) throw badRequest(request, 'pagetoken is not valid.')
  return Number(offset)
}

function pageUrl({ origin, path, query }: Request, offset: number): string {
  const all = new URLSearchParams(query)
  all.delete('pagetoken')
  if (offset > 0) all.set('pagetoken', Buffer.from(`from ${offset}`).toString('base64url'))
  return `${origin}${path}?${all.toString()}`
}
