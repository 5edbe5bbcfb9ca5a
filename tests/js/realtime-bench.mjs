// What `benches/realtime.rs` has our client do, with supabase-js.
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'

const [what, count] = [process.argv[2], Number(process.argv[3])]
const client = () =>
  createClient(process.env.SUPABASE_URL, process.env.SUPABASE_SECRET_KEY, { realtime: { transport: WebSocket } })
const now = () => performance.timeOrigin + performance.now()
const say = (line) => process.stdout.write(`${line}\n`)
const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
const subscribed = (channel) =>
  new Promise((resolve, reject) =>
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel)
      else if (status !== 'CLOSED') reject(error ?? new Error(status))
    }),
  )

if (what === 'latency') {
  const times = []
  const channel = client().channel('news')
  // SUBSCRIBED comes before the server listens; its own word for that does not.
  const live = new Promise((resolve) =>
    channel.on('system', {}, (message) => message.extension === 'postgres_changes' && resolve()),
  )
  const all = new Promise((resolve) =>
    channel.on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'customers' }, ({ new: row }) => {
      times.push(now() - Number(row.last_name))
      if (times.length === count) resolve()
    }),
  )
  await subscribed(channel)
  await live
  say('ready')
  await all
  times.sort((one, other) => one - other)
  say(JSON.stringify({ p50: at(times, 0.5), p99: at(times, 0.99) }))
} else if (what === 'broadcasts') {
  let heard = 0
  const channel = client().channel('room', { config: { broadcast: { self: true } } })
  let done
  const all = new Promise((resolve) => (done = resolve))
  channel.on('broadcast', { event: 'moved' }, () => ++heard === count && done())
  await subscribed(channel)
  say('ready')
  const begun = now()
  for (let number = 0; number < count; number++) {
    await channel.send({ type: 'broadcast', event: 'moved', payload: { number, to: 'the next place' } })
  }
  await all
  say(JSON.stringify({ per_second: (count / (now() - begun)) * 1000 }))
} else {
  const before = process.memoryUsage().rss
  // A hundred on each connection, as the server allows.
  for (let first = 0; first < count; first += 100) {
    const one = client()
    const some = Array.from({ length: Math.min(100, count - first) }, (_, place) => one.channel(`c${first + place}`))
    await Promise.all(some.map(subscribed))
  }
  say('ready')
  say(JSON.stringify({ bytes: process.memoryUsage().rss - before }))
}
process.exit(0)
