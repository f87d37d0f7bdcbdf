import { readWhole } from '../../../application/pictures/picture-transfer.js'
import { PICTURE_HASH } from '../../../domain/pictures/picture.js'
import { EXIT } from '../parse/exit-codes.js'
import { reachOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { oneLine } from '../render/terminal-text.js'
import type { HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { writeWhole } from '../session/picture-files.js'

export const pictureCommand: HostCommand = {
  usage: 'picture <hash>',
  audited: 'changes nothing',
  summary: "Write a lot's picture to a file, from the node or from whoever has it.",
  positionals: { hash: 'SHA-256 of the picture, as `show` lists it' },
  options: { out: { kind: 'text', describe: 'File to write; stdout otherwise' }, ...reachOptions },
  examples: [
    ['picture 9f86d0... --out chair.jpg', 'checked by its hash'],
    ['show auc_7k2m', 'lists the hashes'],
  ],
  async run(host, args) {
    const { io, out } = host
    const hash = args.need('hash').toLowerCase()
    if (!PICTURE_HASH.test(hash)) throw args.wrong('hash', 'must be a SHA-256: 64 hex digits', 'see `show`')
    const file = args.text('out')
    if (out.json && file === undefined)
      throw new UsageError('--json needs --out here: a picture is no text', { field: 'json' })
    if (file === undefined && io.stdout.isTTY === true)
      throw new UsageError('a picture is no text for a terminal', { field: 'out', next: 'add --out FILE' })
    const session = new RpcSession(host, args)
    try {
      const { bytes, type } = await readWhole(await session.api(), hash)
      if (file === undefined) io.stdout.write(bytes)
      else {
        writeWhole(file, bytes)
        out.document({ file, hash, type, bytes: bytes.length })
        out.lines(`Wrote ${oneLine(file)}: ${type}, ${bytes.length.toLocaleString('en')} bytes.`)
      }
      return EXIT.done
    } finally {
      await session.close()
    }
  },
}
