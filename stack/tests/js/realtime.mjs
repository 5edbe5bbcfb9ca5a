// What an app does with channels through supabase-js, against the project the environment names. Prints one line
// of JSON with what each step saw; the Rust test beside it compares. The packages are those of the repository's
// tests/js, whose package.json is named too.
import { createRequire } from 'node:module'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_DB_URL, PACKAGES } = process.env
const require = createRequire(PACKAGES)
const { createClient } = require('@supabase/supabase-js')
const ws = require('ws')
const sql = require('postgres')(SUPABASE_DB_URL, { max: 1, onnotice: () => {} })

const client = () => createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, {
  auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws },
})
const seen = {}
setTimeout(() => { console.error('this takes too long; so far:', seen); process.exit(1) }, 30_000).unref()
const [ana, ben, guest] = [client(), client(), client()]
const ids = {}
for (const [name, app] of Object.entries({ ana, ben })) {
  const { data, error } = await app.auth.signUp({ email: `${name}@example.com`, password: 'correct horse' })
  if (error) throw error
  ids[name] = data.user.id
}

// A queue of what came, to be awaited: nothing is lost between two steps.
const queue = () => {
  const [come, wanted] = [[], []]
  return {
    put: (item) => (wanted.length ? wanted.shift()(item) : come.push(item)),
    next: () => (come.length ? Promise.resolve(come.shift()) : new Promise((resolve) => wanted.push(resolve))),
  }
}
const subscribed = (channel) => new Promise((resolve, reject) => channel.subscribe((status, error) => {
  if (status === 'SUBSCRIBED') resolve()
  if (status === 'CHANNEL_ERROR') reject(error ?? new Error(status))
}))
// The official client takes the answer to a join for all; what counts is what the system says.
const live = (channel) => {
  const system = queue()
  channel.on('system', {}, system.put)
  return async () => { await subscribed(channel); return (await system.next()).message }
}

const rows = queue()
const notes = ana.channel('notes')
  .on('postgres_changes', { event: '*', schema: 'public', table: 'notes', filter: 'body=neq.secret' }, rows.put)
  .on('postgres_changes', { event: 'DELETE', schema: 'public', table: 'notes' }, rows.put)
seen.live = await live(notes)()
await sql`insert into notes values (1, ${ids.ben}, 'his', '{}'), (2, ${ids.ana}, 'secret', '{}')`
const change = ({ eventType, table, new: row, old, errors }) => [eventType, table, row.id, row.body, row.tags, old, errors]
// Each is awaited before the next: whether a row is seen is asked when it is sent, and by then it may be gone.
seen.rows = []
for (const write of [
  () => sql`insert into notes values (3, ${ids.ana}, 'hers', '{a,b}')`,
  () => ana.from('notes').update({ body: 'milk' }).eq('id', 3),
  () => sql`delete from notes where id = 3`,
]) {
  await write()
  seen.rows.push(change(await rows.next()))
}

const room = (app, key) => app.channel('room', { config: { broadcast: { ack: true, self: key === 'ana' }, presence: { key } } })
const [here, there] = [room(ana, 'ana'), room(ben, 'ben')]
const [heard, echo, diffs] = [queue(), queue(), queue()]
here.on('broadcast', { event: '*' }, echo.put)
there.on('broadcast', { event: '*' }, heard.put)
there.on('presence', { event: 'join' }, ({ key, newPresences }) => diffs.put(['join', key, newPresences[0].at]))
there.on('presence', { event: 'leave' }, ({ key, leftPresences }) => diffs.put(['leave', key, leftPresences[0].at]))
await Promise.all([subscribed(here), subscribed(there)])
seen.sent = await here.send({ type: 'broadcast', event: 'e', payload: { n: 1 } })
seen.heard = [(await heard.next()).payload, (await echo.next()).payload]
await here.send({ type: 'broadcast', event: 'b', payload: new Uint8Array([0, 255]).buffer })
seen.bytes = [...new Uint8Array((await heard.next()).payload)]
await guest.channel('room').httpSend('h', { n: 2 })
seen.http = (await heard.next()).payload
seen.tracked = [await here.track({ at: 1 }), await diffs.next()]
seen.state = Object.keys(there.presenceState())
await here.untrack()
seen.left = await diffs.next()

const own = (app) => app.channel(`room:${ids.ana}`, { config: { private: true } })
seen.stranger = await subscribed(own(ben)).then(() => 'in', (error) => error.message.slice(0, 80).replace(ids.ana, 'ana'))
const mine = queue()
await subscribed(own(ana).on('broadcast', { event: '*' }, mine.put))
await sql`select realtime.send('{"n": 3}', 'e', ${`room:${ids.ana}`}, true)`
const stored = await mine.next()
seen.stored = [stored.event, stored.payload.n, stored.payload.id === stored.meta.id]

seen.removed = [await ana.removeAllChannels(), await ben.removeAllChannels()].flat()
await sql.end()
// Timers of the client would keep the process for a while.
process.stdout.write(JSON.stringify(seen) + '\n', () => process.exit(0))
