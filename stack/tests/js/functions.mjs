// What an app does with functions through supabase-js, against the project the environment names. Prints one line
// of JSON with what each step saw; the Rust test beside it compares. The packages are those of the repository's
// tests/js, whose package.json is named too.
import { createRequire } from 'node:module'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_ANON_KEY, PACKAGES } = process.env
const require = createRequire(PACKAGES)
const { createClient } = require('@supabase/supabase-js')
const ws = require('ws')

const client = (key) => createClient(SUPABASE_URL, key, {
  auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws },
})
setTimeout(() => { console.error('this takes too long'); process.exit(1) }, 30_000).unref()
const seen = {}
const app = client(SUPABASE_ANON_KEY)
const invoke = async (name, options) => {
  const { data, error } = await app.functions.invoke(name, options)
  if (error) throw error
  return data
}
const failure = async (promise, read) => {
  const { error } = await promise
  return [error.constructor.name, error.context.status, await read(error.context)]
}
const code = (response) => response.headers.get('sb-error-code')

// A publishable key is no token: supabase-js sends none, and is refused.
seen.keyless = await failure(client(SUPABASE_PUBLISHABLE_KEY).functions.invoke('json'), code)

const { data: told, response } = await app.functions.invoke('echo/deep', {
  method: 'PATCH', region: 'eu-west-1', headers: { 'x-mine': '1' }, body: { a: 1 },
})
seen.echo = [told.method, told.path, told.query, told.headers['x-region'], response.headers.get('x-sb-edge-region'),
  told.headers['x-mine'], told.body]
seen.json = await invoke('json')
seen.text = await invoke('text')
seen.bytes = [...new Uint8Array(await (await invoke('bytes')).arrayBuffer())]

const pieces = async (response) => {
  const [read, decoder] = [[], new TextDecoder()]
  try {
    for await (const piece of response.body) read.push(decoder.decode(piece))
  } catch { read.push('cut') }
  return read
}
seen.events = await pieces(await invoke('events'))
seen.cut = await pieces(await invoke('cut'))

// The second piece is sent when the first has come back.
let send
const body = new ReadableStream({ start: (controller) => { send = controller } })
send.enqueue(new TextEncoder().encode('one'))
const open = await fetch(`${SUPABASE_URL}/functions/v1/open`, { method: 'POST', body, duplex: 'half' })
const reader = open.body.getReader()
const next = async () => new TextDecoder().decode((await reader.read()).value)
seen.duplex = [await next()]
send.enqueue(new TextEncoder().encode('two'))
send.close()
seen.duplex.push(await next())

seen.teapot = await failure(app.functions.invoke('teapot'), (response) => response.json())
seen.crash = await failure(app.functions.invoke('crash'), code)
seen.missing = await failure(app.functions.invoke('missing'), code)

const preflight = await fetch(`${SUPABASE_URL}/functions/v1/json`, {
  method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' },
})
seen.preflight = [preflight.status, preflight.headers.get('access-control-allow-origin'),
  preflight.headers.get('access-control-allow-headers').includes('authorization')]

console.log(JSON.stringify(seen))
process.exit(0)
