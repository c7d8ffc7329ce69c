import { z } from 'zod'

const text = z
  .string()
  .min(1)
  .max(255)
  .refine((value) => !value.includes('\0'), 'must not contain a NUL character')

/** `order:ship` and `order:capture`: they carry the generic order, of which its number is read (protocol §7.2, §7.4). */
export const orderNamedSchema = z.object({
  order: z.object({ number: text }),
  /** Which payment, where the message says it. */
  payment: z.object({ id: z.int().min(1).max(Number.MAX_SAFE_INTEGER) }).nullish(),
})

export type OrderNamed = z.infer<typeof orderNamedSchema>
