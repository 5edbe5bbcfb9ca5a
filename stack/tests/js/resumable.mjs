// What an app does with tus-js-client, which hosted projects are told to use, against the project the environment
// names. Prints one line of JSON with what each step saw; the Rust test beside it compares.
import * as tus from 'tus-js-client'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, TOKEN, SIGNATURE } = process.env
setTimeout(() => { console.error('this takes too long'); process.exit(1) }, 30_000).unref()
const endpoint = `${SUPABASE_URL}/storage/v1/upload/resumable`
const CHUNK = 6 * 1024 * 1024
const seen = {}

const upload = (objectName, bytes, { sign, upsert, url, stopAfter, ...more } = {}) => new Promise((resolve) => {
  let created = null
  const upload = new tus.Upload(Buffer.from(bytes), {
    endpoint: sign ? `${endpoint}/sign` : endpoint,
    uploadUrl: url ?? null,
    chunkSize: CHUNK,
    retryDelays: [0, 10],
    headers: {
      apikey: SUPABASE_PUBLISHABLE_KEY,
      ...(sign ? { 'x-signature': SIGNATURE } : { authorization: `Bearer ${TOKEN}`, 'x-upsert': `${upsert ?? false}` }),
    },
    metadata: { bucketName: 'own', objectName, contentType: 'image/png', cacheControl: '60', metadata: '{"k":"v"}' },
    onUploadUrlAvailable: () => { created = upload.url },
    onChunkComplete: (_size, sent) => {
      if (sent !== stopAfter) return
      upload.abort()
      resolve(['stopped', upload.url])
    },
    onSuccess: () => resolve(['done', upload.url]),
    onError: (error) => resolve(['failed', error.originalResponse?.getStatus(), error.originalResponse?.getBody()]),
    ...more,
  })
  upload.start()
})

const large = Buffer.alloc(CHUNK + 5, 'x')
const [stopped, url] = await upload('large', large, { stopAfter: CHUNK })
seen.stopped = stopped
const head = await fetch(url, {
  method: 'HEAD', headers: { 'tus-resumable': '1.0.0', authorization: `Bearer ${TOKEN}` },
})
seen.head = [head.status, head.headers.get('upload-offset'), head.headers.get('upload-length')]
seen.resumed = (await upload('large', large, { url }))[0]
seen.again = await upload('large', 'new')
seen.upsert = (await upload('large', 'new', { upsert: true }))[0]
seen.inOne = (await upload('one', 'tea', { uploadDataDuringCreation: true }))[0]
seen.empty = (await upload('empty', ''))[0]
seen.deferred = (await upload('deferred', 'tea', { uploadLengthDeferred: true }))[0]
seen.forbidden = await upload('forbidden', 'tea')
seen.tooLarge = await upload('huge', Buffer.alloc(7 * 1024 * 1024))
seen.signed = [(await upload('signed', 'tea', { sign: true }))[0], await upload('other', 'tea', { sign: true })]
const [, gone] = await upload('gone', large, { stopAfter: CHUNK })
await tus.Upload.terminate(gone, { headers: { authorization: `Bearer ${TOKEN}` } })
seen.terminated = (await fetch(gone, {
  method: 'HEAD', headers: { 'tus-resumable': '1.0.0', authorization: `Bearer ${TOKEN}` },
})).status

console.log(JSON.stringify(seen))
process.exit(0)
