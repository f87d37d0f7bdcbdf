import type { Server } from 'node:http'
import type { Http2Server } from 'node:http2'
import type { Socket } from 'node:net'
import type { Timers } from '../../ports/system/timers.js'

/** HTTP/2 begins with this, and no request of HTTP/1.1 does (RFC 9113, section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/**
 * Gives connections that begin as HTTP/2 to that server; all others are served as before. gRPC needs HTTP/2 from the
 * first byte, even without TLS, on the port on which browsers speak HTTP/1.1. The bytes that were read go back into the
 * socket for the server that gets it. Listeners that are added later get all connections.
 */
export function takeHttp2(server: Server, http2: Http2Server, { timers }: { readonly timers: Timers }): void {
  const accepted = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    let begun: Buffer = Buffer.alloc(0)
    const failed = () => socket.destroy()
    const late = timers.after(server.headersTimeout, () => {
      const silent = Object.assign(new Error('nothing was asked'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
      server.emit('clientError', silent, socket)
    })
    const read = () => {
      const more = socket.read() as Buffer | null
      if (more === null) return
      begun = Buffer.concat([begun, more])
      const compared = Math.min(begun.length, PREFACE.length)
      const isHttp2 = begun.subarray(0, compared).equals(PREFACE.subarray(0, compared))
      if (isHttp2 && compared < PREFACE.length) return
      late.cancel()
      socket.off('readable', read)
      // A connection over the limit has its answer already, and may still break.
      if (socket.destroyed || socket.writableEnded) return
      socket.off('error', failed)
      socket.unshift(begun)
      if (isHttp2) http2.emit('connection', socket)
      else for (const listener of accepted) listener.call(server, socket)
    }
    socket.on('readable', read)
    socket.on('error', failed)
    socket.once('close', () => late.cancel())
  })
}
