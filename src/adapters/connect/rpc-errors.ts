import { create, type JsonObject } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorDetailSchema } from '../../../gen/vendue/v1/auctions_pb.js'
import { INTERNAL, type ProblemAnswer, problemOf } from '../http/problem.js'

/** What the status of an HTTP answer is in gRPC's words. */
const CODES: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  409: Code.FailedPrecondition,
  413: Code.ResourceExhausted,
  422: Code.InvalidArgument,
  429: Code.ResourceExhausted,
  502: Code.Unavailable,
  503: Code.Unavailable,
  504: Code.Unknown,
  507: Code.ResourceExhausted,
}

/** An error as gRPC and Connect tell it: the same code, field, numbers and advice as over HTTP, in the details. */
export function rpcError(error: unknown): ConnectError | null {
  if (error instanceof ConnectError) return error
  const answer = problemOf(error)
  return answer && errorOf(answer)
}

/** For mistakes of ours. */
export function internalError(): ConnectError {
  return errorOf({ problem: INTERNAL, retryAfterSeconds: null })
}

/** What a problem of HTTP is here. */
export function errorOf({ problem, retryAfterSeconds }: ProblemAnswer): ConnectError {
  const { type: _, title: __, status, detail, code, field = '', next = '', ...more } = problem
  const metadata = retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }
  const data = JSON.parse(JSON.stringify(more)) as JsonObject
  const message = create(ErrorDetailSchema, { code, field, next, data })
  return new ConnectError(detail, CODES[status] ?? Code.Internal, metadata, [
    { desc: ErrorDetailSchema, value: message },
  ])
}
