import type { Db } from '../postgres/pool.ts'
import { openStore, type Store, type Told } from './store.ts'

/** A store that can be read anew under those who hold it, because its own migrations change its tables. */
export type LiveStore = Store & Readonly<{ reopen(db: Db): Promise<void> }>

/** @throws StoreError as `openStore`, and so does `reopen`, which then leaves all as it was. */
export async function openLiveStore(db: Db, told?: Told): Promise<LiveStore> {
  let current = await openStore(db, told)
  return {
    get family() {
      return current.family
    },
    get schema() {
      return current.schema
    },
    get columns() {
      return current.columns
    },
    get inObjects() {
      return current.inObjects
    },
    get watched() {
      return current.watched
    },
    get carts() {
      return current.carts
    },
    get kinds() {
      return current.kinds
    },
    get returnTables() {
      return current.returnTables
    },
    get tables() {
      return current.tables
    },
    orderedAs: (...given) => current.orderedAs(...given),
    resolve: (...given) => current.resolve(...given),
    products: (...given) => current.products(...given),
    orders: (...given) => current.orders(...given),
    eachOrder: (...given) => current.eachOrder(...given),
    returns: (...given) => current.returns(...given),
    stock: (...given) => current.stock(...given),
    stockOfProducts: (...given) => current.stockOfProducts(...given),
    stockPlaces: (...given) => current.stockPlaces(...given),
    skuOwners: (...given) => current.skuOwners(...given),
    pictures: (...given) => current.pictures(...given),
    roots: (...given) => current.roots(...given),
    present: (...given) => current.present(...given),
    changedSince: (...given) => current.changedSince(...given),
    unreadable: (...given) => current.unreadable(...given),
    lastVariant: (...given) => current.lastVariant(...given),
    async reopen(db) {
      // Another table in its place would have other people in it: without its columns the kind waits.
      current = await openStore(db, told, current.columns.customers)
    },
  }
}
