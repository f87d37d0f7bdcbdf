import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../ports/system/random.js'
import { writePrivateFile } from './private-file.js'

export const OPERATOR_TOKEN_FILE = 'operator.token'
const TOKEN_BYTES = 32

/** The secret that lets a command line act for this node's user; made at the first start, mode 0600. */
export function loadOperatorToken(dataDir: string, random: Random): string {
  const path = join(dataDir, OPERATOR_TOKEN_FILE)
  if (!existsSync(path)) writePrivateFile(path, `${Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url')}\n`)
  const token = readFileSync(path, 'utf8').trim()
  if (token.length < 32) throw new Error(`${path} holds no usable token: delete it, and the node makes a new one`)
  return token
}
