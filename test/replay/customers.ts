import { choose, type Happening, insert, UTC } from './shop.ts'

type Id = Readonly<{ id: string }>

export const register: Happening = async ({ db, shop, random }) => {
  const { customers } = shop.words
  if (!customers) return
  const [first, last] = ['Greta', `Holm ${shop.next()}`]
  const address = await insert(db, shop, 'spree_addresses', {
    firstname: first,
    lastname: last,
    name: `${first} ${last}`,
    first_name: first,
    last_name: last,
    address1: 'Bryggen 5',
    city: 'Bergen',
  })
  const customer = await insert(db, shop, customers, {
    email: `holm${shop.next()}@example.com`,
    first_name: first,
    last_name: last,
    accepts_email_marketing: false,
    ...(random.chance(0.5) && { bill_address_id: address }),
  })
  await db.query(`update ${customers} set ship_address_id = $2, updated_at = ${UTC} where id = $1`, [
    customer,
    address,
  ])
}

export const changeEmail: Happening = async ({ db, shop, random }) => {
  const { customers } = shop.words
  if (!customers) return
  const customer = await choose<Id>(db, random, `select id::text from ${customers} order by id`)
  await db.query(`update ${customers} set email = $2, updated_at = ${UTC} where id = $1`, [
    customer?.id,
    `moved${shop.next()}@example.com`,
  ])
}

export const move: Happening = async ({ db, shop, random }) => {
  const { customers } = shop.words
  if (!customers) return
  const customer = await choose<Id>(db, random, `select id::text from ${customers} order by id`)
  await db.query(
    `update spree_addresses set city = $2, updated_at = ${UTC}
      where id = (select ship_address_id from ${customers} where id = $1)`,
    [customer?.id, `Moss ${shop.next()}`],
  )
}

export const logIn: Happening = async ({ db, shop, random }) => {
  const { customers } = shop.words
  if (!customers) return
  const customer = await choose<Id>(db, random, `select id::text from ${customers} order by id`)
  const count = shop.has(customers, 'failed_attempts') ? 'failed_attempts' : 'sign_in_count'
  await db.query(
    `update ${customers} set ${count} = coalesce(${count}, 0) + 1, updated_at = ${UTC} where id = $1`,
    [customer?.id],
  )
}

/** Softly where the family can, else for good. */
export const closeAccount: Happening = async ({ db, shop, random }) => {
  const { customers } = shop.words
  if (!customers) return
  const customer = await choose<Id>(db, random, `select id::text from ${customers} order by id`)
  await db.query(
    shop.has(customers, 'deleted_at') && random.chance(0.5)
      ? `update ${customers} set deleted_at = coalesce(deleted_at, ${UTC}) where id = $1`
      : `delete from ${customers} where id = $1`,
    [customer?.id],
  )
}

export const reopenAccount: Happening = async ({ db, shop, random }) => {
  const { customers } = shop.words
  if (!customers || !shop.has(customers, 'deleted_at')) return
  const customer = await choose<Id>(
    db,
    random,
    `select id::text from ${customers} where deleted_at is not null order by id`,
  )
  await db.query(`update ${customers} set deleted_at = null where id = $1`, [customer?.id])
}
