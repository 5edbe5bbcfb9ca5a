// What people write to bring rows to Supabase: one batch after the other.
import { readFileSync } from 'node:fs'

const [how, file] = process.argv.slice(2)
const rows = JSON.parse(readFileSync(file, 'utf8'))
const BATCH = 500

if (how === 'rest') {
  const { createClient } = await import('@supabase/supabase-js')
  const { default: WebSocket } = await import('ws')
  const supabase = createClient(process.env.SUPABASE_URL, process.env.SUPABASE_SECRET_KEY, {
    realtime: { transport: WebSocket },
  })
  for (let at = 0; at < rows.length; at += BATCH) {
    const { error } = await supabase.from('customers').upsert(rows.slice(at, at + BATCH))
    if (error) throw error
  }
} else {
  const { default: postgres } = await import('postgres')
  const sql = postgres(process.env.SUPABASE_DB_URL, { max: 1 })
  for (let at = 0; at < rows.length; at += BATCH) {
    const batch = rows.slice(at, at + BATCH).map((row) => ({ ...row, extra: sql.json(row.extra) }))
    await sql`insert into customers ${sql(batch)} on conflict (id) do nothing`
  }
  await sql.end()
}
