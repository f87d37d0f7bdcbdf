import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { NodeErrorCode } from '../../../ports/node/node-error.js'
import type { ProtocolCode } from '../rpc/wire.js'

/** A request that is answered without being carried out. */
export class RefusedRequest extends Error {
  constructor(
    readonly status: number,
    readonly code: ProtocolCode | NodeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'RefusedRequest'
  }
}

/** The caller went away before the whole request had come: there is nobody to answer. */
export class CallerGoneError extends Error {
  readonly code = 'CALLER_GONE'
  constructor() {
    super('the caller went away')
    this.name = 'CallerGoneError'
  }
}

/** How many bytes of requests the server holds at once, over all connections. */
export class ByteBudget {
  #free: number
  constructor(bytes: number) {
    this.#free = bytes
  }

  lease(): ByteLease {
    let held = 0
    return {
      take: (bytes) => {
        if (bytes > this.#free) return false
        this.#free -= bytes
        held += bytes
        return true
      },
      release: () => {
        this.#free += held
        held = 0
      },
    }
  }
}

export interface ByteLease {
  /** False where that many bytes are not to be had. */
  take(bytes: number): boolean
  /** Gives everything back. Idempotent. */
  release(): void
}

/** The body, uncompressed. Rejects with `RefusedRequest` or `CallerGoneError`. */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, lease, gzipped }: { maxBytes: number; lease: ByteLease; gzipped: boolean },
): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new RefusedRequest(415, 'UNSUPPORTED_ENCODING', 'bodies may be gzip or not encoded')
  }
  const body = await collect(request, maxBytes, lease)
  if (!gzipped && encoding !== 'gzip') return body
  // What the body will take is not known before; the most it may take is set aside.
  const maxUnpacked = Math.min(maxBytes, body.length * MAX_UNPACK_RATIO)
  if (!lease.take(maxUnpacked)) throw busy()
  return await unpack(body, maxUnpacked)
}

/** Requests do not shrink as far; what does is a bomb, and not worth the memory. */
const MAX_UNPACK_RATIO = 100
/** Each goes through the thread pool and back: with zlib's 16 KiB a busy node takes seconds for 8 MiB. */
const UNPACK_CHUNK_BYTES = 256 * 1024

async function unpack(body: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(body, { maxOutputLength: maxBytes, chunkSize: UNPACK_CHUNK_BYTES })
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new RefusedRequest(400, 'MALFORMED', 'the body is not valid gzip', { cause })
  }
}

function collect(request: IncomingMessage, maxBytes: number, lease: ByteLease): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(tooLarge(maxBytes))
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) return fail(tooLarge(maxBytes))
      if (!lease.take(chunk.length)) return fail(busy())
      chunks.push(chunk)
    }
    const onGone = () => fail(new CallerGoneError())
    const fail = (error: Error) => {
      request.off('data', onData)
      chunks.length = 0
      reject(error)
    }
    request.on('data', onData)
    request.once('end', () => {
      request.off('close', onGone)
      resolve(Buffer.concat(chunks, size))
    })
    request.once('error', onGone)
    request.once('close', onGone)
  })
}

function tooLarge(maxBytes: number): RefusedRequest {
  return new RefusedRequest(413, 'TOO_LARGE', `a request may hold at most ${maxBytes} bytes, unpacked as well`)
}

function busy(): RefusedRequest {
  return new RefusedRequest(503, 'BUSY', 'too many requests at once; try again in a moment')
}
