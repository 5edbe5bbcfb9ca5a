// What an app written for supabase-js does on its first day, against the project the environment names.
// Prints one line of JSON with what it saw; the Rust test beside it compares.
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, EMAIL } = process.env
const options = { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws } }
const client = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, options)

// Every answer is { data, error }; what fails here fails the test.
const ok = async (answer) => {
  const { data, error } = await answer
  if (error) throw new Error(`${error.code ?? error.name}: ${error.message}`)
  return data
}

const password = 'correct horse'
const signedUp = await ok(client.auth.signUp({ email: EMAIL, password, options: { data: { name: 'Zoé' } } }))
await ok(client.auth.signInWithPassword({ email: EMAIL, password }))
const customer = await ok(client.from('customers').insert({ first_name: 'Saïd', last_name: "O'Brien" }).select().single())
const cars = [
  { customer_id: customer.id, license_plate: 'A 12345 92', mileage_km: 85000 },
  { customer_id: customer.id, license_plate: 'B, "67890" 92', mileage_km: 45000, color: 'Rouge' },
]
await ok(client.from('vehicles').insert(cars))
const filtered = await ok(
  client.from('vehicles').select('license_plate, customers(last_name)').gte('mileage_km', 50000).order('license_plate'),
)
const inList = await ok(client.from('vehicles').select('color').in('license_plate', ['A 12345 92', 'nothing']))
const upserted = await ok(client.from('customers').upsert({ id: customer.id, city: 'Larache' }).select('city, last_name'))
const changed = await ok(client.from('vehicles').update({ color: 'Bleu' }).eq('license_plate', 'A 12345 92').select('color'))
const { count } = await client.from('vehicles').select('*', { count: 'exact', head: true })
await ok(client.from('vehicles').delete().eq('color', 'Bleu'))
const left = await ok(client.from('vehicles').select('color'))
const user = await ok(client.auth.getUser())
const refreshed = await ok(client.auth.refreshSession())
const wrongPassword = (await client.auth.signInWithPassword({ email: EMAIL, password: 'wrong horse' })).error
const refused = (await client.from('no_such_table').select()).error
await client.auth.signOut()
const anonymous = await client.from('customers').select()

console.log(JSON.stringify({
  sameUser: signedUp.user.id === user.user.id && refreshed.user.id === user.user.id,
  userMetadata: user.user.user_metadata.name,
  filtered, inList, upserted, changed, count, left,
  wrongPassword: wrongPassword?.code,
  refused: refused?.code,
  anonymous: { rows: anonymous.data, code: anonymous.error?.code },
  userId: user.user.id,
}))
