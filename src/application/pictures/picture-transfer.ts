import { createHash } from 'node:crypto'
import type { Party } from '../../domain/party.js'
import type { PictureType } from '../../domain/pictures/picture.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { KeptPicture } from '../../ports/node/node-pictures.js'
import { MAX_UPLOAD_PIECE_BYTES } from './uploads-under-way.js'

/** Gives a node a whole picture, a piece after the other. Rejects with `NodeError`. */
export async function addWhole(api: Pick<NodeApi, 'addPicture'>, file: Uint8Array, as?: Party): Promise<KeptPicture> {
  const hash = createHash('sha256').update(file).digest('hex')
  let offset = 0
  // A piece that gets lost is sent again; one that never gets through must not be sent for ever.
  for (let tries = 0; tries <= MAX_TRIES + file.length / MAX_UPLOAD_PIECE_BYTES; tries++) {
    const content = file.subarray(offset, offset + MAX_UPLOAD_PIECE_BYTES)
    const piece = Buffer.from(content).toString('base64')
    const answer = await api.addPicture({ hash, bytes: file.length, offset, piece, ...(as && { as }) })
    if (answer.picture !== null) return answer.picture
    offset = answer.next
  }
  throw new NodeError('BUSY', 'the node has given the picture up on the way', { next: 'add it again' })
}

const MAX_TRIES = 8

/** A whole picture from a node, in whose word its hash is. Rejects with `NodeError`. */
export async function readWhole(
  api: Pick<NodeApi, 'picture'>,
  hash: string,
): Promise<{ bytes: Buffer; type: PictureType }> {
  const pieces: Buffer[] = []
  for (let offset = 0; ; ) {
    const { piece, next, type } = await api.picture({ hash, offset })
    pieces.push(Buffer.from(piece, 'base64'))
    if (next === null) return { bytes: Buffer.concat(pieces), type }
    offset = next
  }
}
