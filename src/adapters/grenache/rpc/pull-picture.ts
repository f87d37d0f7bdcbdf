import { z } from 'zod'
import { base64, hex64, pictureOffset } from '../../../application/log/input-schemas.js'
import { PEER_PIECE_BYTES } from '../../../application/pictures/pictures.js'
import { MAX_PICTURE_BYTES } from '../../../domain/limits.js'
import { defineRpc, ROLES, senderOf } from './define-rpc.js'

const picture = z.strictObject({
  bytes: z.int().min(1).max(MAX_PICTURE_BYTES),
  piece: base64(PEER_PIECE_BYTES),
})

export const pullPictureRpc = defineRpc({
  name: 'vendue.pull-picture',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'read',
  request: z.strictObject({ hash: hex64, offset: pictureOffset }),
  result: z.strictObject({ picture: picture.nullable() }),
  handler: (peers) => async (want, caller) => ({ picture: await peers.pullPicture(want, senderOf(caller)) }),
})
