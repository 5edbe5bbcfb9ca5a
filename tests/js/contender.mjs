// supabase-js in the benchmark (sdk/benches/rest): told on a line what to do, it answers on a line with what
// that took. The first argument is the server's address.
import { createInterface } from 'node:readline'
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

const options = { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws } }
const client = createClient(process.argv[2], 'sb_publishable_4f2b9c7d1e8a', options)

const ok = async (answer) => {
  const { data, error } = await answer
  if (error) throw new Error(`${error.code ?? error.name}: ${error.message}`)
  return data
}

const columns =
  'id,customer_id,license_plate,make,model,year,mileage_km,engine_litres,color,notes,archived,created_at,updated_at'
const vehicles = (rows) =>
  client.from('vehicles').select(columns).eq('archived', false).order('created_at', { ascending: false }).limit(rows)
const visits = () =>
  client
    .from('vehicles')
    .select('id,license_plate,make,customer:customers!inner(last_name,city),repairs(id,status,started_at)')
    .eq('archived', false)
    .in('make', ['Renault', 'Citroën', 'Škoda'])
    .gte('mileage_km', 50000)
    .or('notes.ilike."%brakes, front%",color.is.null')
    .neq('repairs.status', 'cancelled')
    .order('started_at', { referencedTable: 'repairs', ascending: false })
    .limit(5, { referencedTable: 'repairs' })
    .order('make')
    .order('created_at', { ascending: false })
    .limit(20)

const fetchOnce = async (rows) => {
  if ((await ok(vehicles(rows))).length !== rows) throw new Error('rows are missing')
}

const workers = async (rows, atOnce, millis) => {
  const begin = performance.now()
  const worker = async () => {
    let times = 0
    do {
      await fetchOnce(rows)
      times += 1
    } while (performance.now() - begin < millis)
    return times
  }
  const done = await Promise.all(Array.from({ length: atOnce }, worker))
  return done.reduce((sum, times) => sum + times)
}

const repeat = (millis, batch, once) => {
  const begin = performance.now()
  let times = 0
  while (performance.now() - begin < millis) {
    for (let i = 0; i < batch; i++) once()
    times += batch
  }
  return times
}

const bodies = new Map()
const body = async (rows) => {
  if (!bodies.has(rows)) bodies.set(rows, await (await fetch(vehicles(rows).url)).text())
  return bodies.get(rows)
}

const prepare = async ({ work, rows, at_once, millis }) => {
  switch (work) {
    case 'fetch':
      await workers(rows, at_once, 0)
      return () => workers(rows, at_once, millis)
    case 'simple':
      return () => repeat(millis, 64, () => vehicles(100).url.toString())
    case 'complex':
      return () => repeat(millis, 64, () => visits().url.toString())
    case 'read': {
      const text = await body(rows)
      return () => repeat(millis, rows === 1 ? 64 : 1, () => JSON.parse(text))
    }
  }
}

await ok(client.auth.signInWithPassword({ email: 'zoe@garage.test', password: 'correct horse' }))
for await (const line of createInterface({ input: process.stdin })) {
  const run = await prepare(JSON.parse(line))
  const [begin, used] = [process.hrtime.bigint(), process.cpuUsage()]
  const times = await run()
  const { user, system } = process.cpuUsage(used)
  const wall = Number(process.hrtime.bigint() - begin)
  console.log(JSON.stringify({ times, wall, cpu: (user + system) * 1000 }))
}
process.exit(0)
