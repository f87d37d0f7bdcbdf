import { create, type JsonObject } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorDetailSchema } from '../../../gen/vendue/v1/auctions_pb.js'
import { INTERNAL, type ProblemAnswer, problemOf } from '../http/problem.js'

/** gRPC's codes for the statuses of HTTP. */
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

/** An error for gRPC and Connect; the details hold the same code, field, numbers and advice as over HTTP. */
export function rpcError(error: unknown): ConnectError | null {
  if (error instanceof ConnectError) return error
  const answer = problemOf(error)
  return answer && errorOf(answer)
}

/** For our own faults. */
export function internalError(): ConnectError {
  return errorOf({ problem: INTERNAL, retryAfterSeconds: null })
}

/** The gRPC error for a problem of HTTP. */
export function errorOf({ problem, retryAfterSeconds }: ProblemAnswer): ConnectError {
  const { type: _, title: __, status, detail, code, field = '', next = '', ...more } = problem
  const metadata = retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }
  const data = JSON.parse(JSON.stringify(more)) as JsonObject
  const message = create(ErrorDetailSchema, { code, field, next, data })
  return new ConnectError(detail, CODES[status] ?? Code.Internal, metadata, [
    { desc: ErrorDetailSchema, value: message },
  ])
}
