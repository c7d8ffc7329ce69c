import { z } from 'zod'

import { addressSnapshotSchema } from './address-snapshot.ts'
import { id, text, time } from './texts.ts'
import { variantSnapshotSchema } from './variant-snapshot.ts'

const location = addressSnapshotSchema
  .pick({
    id: true,
    address1: true,
    address2: true,
    city: true,
    zipcode: true,
    phone: true,
    countryId: true,
    stateId: true,
    stateName: true,
    country: true,
    state: true,
  })
  .extend({ name: text })

const movement = z.object({
  id,
  quantity: z.int(),
  stockItem: z.object({
    id,
    countOnHand: z.int(),
    backorderable: z.boolean().nullable(),
    stockLocationId: id.nullable(),
    variantId: id.nullable(),
    variant: variantSnapshotSchema.nullable(),
  }),
})

export const stockTransferSnapshotSchema = z.object({
  id,
  number: text,
  referenceNumber: text,
  createdAt: time.nullable(),
  updatedAt: time.nullable(),
  /** Null where the goods come from outside. */
  sourceLocation: location.nullable(),
  destinationLocation: location.nullable(),
  sourceMovements: z.array(movement),
  destinationMovements: z.array(movement),
  /** Of families whose transfers are planned, sent and received; null where goods change places at once. */
  progress: z
    .object({
      status: text,
      notes: text,
      shippedAt: time.nullable(),
      receivedAt: time.nullable(),
      closedShortAt: time.nullable(),
      deletedAt: time.nullable(),
      items: z.array(
        z.object({
          id,
          variantId: id.nullable(),
          quantityShipped: z.int(),
          quantityReceived: z.int(),
          quantityRejected: z.int(),
        }),
      ),
    })
    .nullable(),
})

export type StockTransferSnapshot = Readonly<z.infer<typeof stockTransferSnapshotSchema>>
