// What an app does with files through supabase-js, against the project the environment names. Prints one line
// of JSON with what each step saw; the Rust test beside it compares.
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, EMAIL } = process.env
const client = (key) => createClient(SUPABASE_URL, key, {
  auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws },
})
const [app, stranger, secret] = [SUPABASE_PUBLISHABLE_KEY, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY].map(client)

const ok = async (answer) => {
  const { data, error } = await answer
  if (error) throw new Error(`${error.code ?? error.name}: ${error.message}`)
  return data
}
const refused = async (answer) => {
  const { error } = await answer
  if (!error) throw new Error('this was to be refused')
  return [error.status, error.statusCode, error.code, error.message]
}
const fetched = async (url, options) => {
  const reply = await fetch(url, options)
  return [reply.status, reply.headers.get('content-type'), await reply.text()]
}
const seen = {}

const { user } = await ok(app.auth.signUp({ email: EMAIL, password: 'correct horse' }))
const me = (name) => `${user.id}/${name}`
const short = (text) => text.replaceAll(user.id, 'me')
const avatars = app.storage.from('avatars')
const png = { contentType: 'image/png' }

const bytes = new Uint8Array(300_000).map((_, at) => at % 251)
const uploaded = await ok(avatars.upload(me('a b.png'), bytes, { ...png, cacheControl: '60', metadata: { k: 'é' } }))
const down = new Uint8Array(await (await ok(avatars.download(me('a b.png')))).arrayBuffer())
const stream = await ok(avatars.download(me('a b.png')).asStream())
let streamed = 0
for await (const piece of stream) streamed += piece.length
const info = await ok(avatars.info(me('a b.png')))
seen.upload = {
  path: short(uploaded.path), fullPath: short(uploaded.fullPath), sameId: uploaded.id === info.id,
  same: Buffer.compare(down, bytes) === 0, streamed,
  info: [info.size, info.contentType, info.cacheControl, info.metadata],
}
seen.again = await refused(avatars.upload(me('a b.png'), bytes, png))
await ok(avatars.upload(me('a b.png'), new Blob(['blob'], { type: 'image/webp' }), { upsert: true, cacheControl: '5' }))
const form = await ok(avatars.info(me('a b.png')))
seen.form = [form.size, form.contentType, form.cacheControl]
await ok(avatars.update(me('a b.png'), 'text', png))
seen.updated = await (await ok(avatars.download(me('a b.png')))).text()
seen.wrong = await refused(avatars.upload(me('x'), 'x', { contentType: 'text/html' }))
seen.large = await refused(avatars.upload(me('x'), new Uint8Array(2_097_153), png))
seen.name = (await refused(avatars.upload(me('é.png'), 'x', png)))[2]
seen.denied = await refused(stranger.storage.from('avatars').upload(me('x.png'), 'x', png))
seen.hidden = await refused(stranger.storage.from('vehicle-photos').download(me('x.png')))

seen.exists = [(await avatars.exists(me('a b.png'))).data, (await avatars.exists(me('nothing'))).data]
seen.public = await fetched(avatars.getPublicUrl(me('a b.png')).data.publicUrl)

await ok(avatars.copy(me('a b.png'), me('dir/c.png')))
await ok(avatars.move(me('a b.png'), me('d.png')))
const names = (list) => list.map(({ name, id }) => [name, id !== null])
seen.list = names(await ok(avatars.list(user.id)))
seen.page = names(await ok(avatars.list(user.id, { limit: 1, offset: 1, sortBy: { column: 'name', order: 'asc' } })))
seen.search = names(await ok(avatars.list(user.id, { search: 'd.' })))
const v2 = await ok(avatars.listV2({ prefix: me(''), with_delimiter: true }))
seen.v2 = [v2.hasNext, v2.folders.map(({ name }) => short(name)), v2.objects.map(({ name }) => short(name))]

const photos = app.storage.from('backups')
await ok(photos.upload(me('x.json'), '{}', { contentType: 'application/json' }))
const { signedUrl } = await ok(photos.createSignedUrl(me('x.json'), 60, { download: 'y.json' }))
seen.signed = await fetched(signedUrl)
seen.forged = (await fetched(`${signedUrl.split('&')[0]}x`))[0]
const many = await ok(photos.createSignedUrls([me('x.json'), me('none')], 60))
seen.many = [(await fetched(many[0].signedUrl))[2], many[1].error]
const toUpload = await ok(photos.createSignedUploadUrl(me('up.json')))
const put = await ok(stranger.storage.from('backups')
  .uploadToSignedUrl(me('up.json'), toUpload.token, '[1]', { contentType: 'application/json' }))
seen.uploadedTo = [short(put.fullPath), await (await ok(photos.download(me('up.json')))).text()]

const removed = await ok(avatars.remove([me('d.png'), me('dir/c.png'), me('none')]))
seen.removed = removed.map(({ name }) => short(name)).sort()
seen.left = await ok(avatars.list(user.id))

const { storage } = secret
await ok(storage.createBucket('notes', { public: true, fileSizeLimit: '1KB', allowedMimeTypes: ['text/plain'] }))
seen.twice = await refused(storage.createBucket('notes'))
await ok(storage.updateBucket('notes', { public: false }))
const bucket = await ok(storage.getBucket('notes'))
seen.bucket = [bucket.public, bucket.file_size_limit, bucket.allowed_mime_types]
await ok(storage.from('notes').upload('n.txt', 'n'))
seen.full = await refused(storage.deleteBucket('notes'))
await ok(storage.emptyBucket('notes'))
await ok(storage.deleteBucket('notes'))
seen.buckets = (await ok(storage.listBuckets())).map(({ id }) => id)
seen.noBuckets = await ok(app.storage.listBuckets())
seen.gone = await refused(app.storage.getBucket('notes'))

console.log(JSON.stringify(seen))
