// What an app does with transformed images through supabase-js, against the project the environment names. Prints
// one line of JSON with what each step saw; the Rust test beside it compares. IMAGE is a PNG, 40 by 20.
import { createRequire } from 'node:module'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, IMAGE, PACKAGES } = process.env
const require = createRequire(PACKAGES)
const { createClient } = require('@supabase/supabase-js')
const ws = require('ws')

setTimeout(() => { console.error('this takes too long'); process.exit(1) }, 30_000).unref()
const app = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, {
  auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws },
})
const ok = ({ data, error }) => { if (error) throw error; return data }
ok(await app.auth.signUp({ email: 'ana@example.com', password: 'correct horse' }))
for (const bucket of ['open', 'own']) {
  ok(await app.storage.from(bucket).upload('a.png', Buffer.from(IMAGE, 'base64'), { contentType: 'image/png' }))
}
// Where a PNG says how large it is.
const size = (bytes) => [16, 20].map((at) => Buffer.from(bytes).readUInt32BE(at))
const get = async (url, accept = '*/*') => {
  const response = await fetch(url, { headers: { accept } })
  return [response, await response.arrayBuffer()]
}
const seen = {}
const shown = app.storage.from('open').getPublicUrl('a.png', { transform: { width: 10, height: 10 } }).data.publicUrl
const [response, bytes] = await get(shown)
seen.public = [response.status, response.headers.get('content-type'), size(bytes)]
seen.webp = (await get(shown, 'image/webp,*/*'))[0].headers.get('content-type')
const origin = app.storage.from('open').getPublicUrl('a.png', { transform: { width: 10, format: 'origin' } }).data.publicUrl
seen.origin = (await get(origin, 'image/webp,*/*'))[0].headers.get('content-type')
const download = (bucket, transform) => app.storage.from(bucket).download('a.png', { transform })
seen.own = size(await ok(await download('own', { width: 10, resize: 'contain' })).arrayBuffer())
const { signedUrl } = ok(await app.storage.from('own').createSignedUrl('a.png', 60, { transform: { height: 5, resize: 'fill' } }))
seen.signed = size((await get(signedUrl))[1])
seen.more = size((await get(`${signedUrl}&height=20`))[1])
seen.nonsense = (await download('own', { quality: 5 })).error.status
ok(await app.auth.signOut())
seen.nobody = (await download('own', { width: 10 })).error.status

console.log(JSON.stringify(seen))
process.exit(0)
