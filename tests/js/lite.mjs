// A REST server that knows nothing of ours, before the database the environment names.
// Prints one line of JSON with its address when it answers, and ends when its input does.
import { serve } from '@hono/node-server'
import { App } from '@supabase/lite'
import { createPostgresConnection } from '@supabase/lite/postgres'

const { DATABASE_URL, JWT_SECRET } = process.env
process.stdin.resume().on('end', () => process.exit())

const app = new App({
  connection: createPostgresConnection({ url: DATABASE_URL, postgresOptions: { onnotice: () => {} } }),
  api: { schemas: ['public'], aggregates_enabled: true },
  auth: { jwt_secret: JWT_SECRET },
  // The tokens say who asks; its own API keys are of another project.
  options: { server: { apiKeys: false, disableStudio: true } },
})
await app.init()
serve({ fetch: app.server.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }))
})
