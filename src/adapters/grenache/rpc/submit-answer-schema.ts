import { z } from 'zod'
import { line, time } from '../../../application/log/input-schemas.js'
import { outcomeSchema } from '../../../application/submissions/outcome-schema.js'
import type { SubmitAnswer, SubmitResult } from '../../../ports/mesh/home-messages.js'
import { nodeErrorCode } from '../../../ports/node/node-error.js'

export const submitResultSchema: z.ZodType<SubmitResult> = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), outcome: outcomeSchema }),
  z.strictObject({
    ok: z.literal(false),
    code: z
      .string()
      .regex(/^[A-Z][A-Z_]{0,63}$/, 'must be an error code')
      .transform(nodeErrorCode),
    message: line(1_000),
  }),
])

export function submitAnswerSchema(maxResults: number): z.ZodType<SubmitAnswer> {
  return z.strictObject({
    results: z.array(submitResultSchema).max(maxResults),
    receipt: z
      .strictObject({
        signedAt: time,
        signature: z.string().regex(/^[A-Za-z0-9_-]{0,128}$/, 'must be a signature in base64url'),
      })
      .nullable(),
  })
}
