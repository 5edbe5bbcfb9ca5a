// Every way to sign in that supabase-js has and the stack answers, against the project the environment
// names. Mails and texts are read in the stack's inbox, a browser is played by `browse`, and the provider
// people sign in by is the project's own. Prints one line of JSON with what each step saw; the Rust test
// beside it compares, so a step that is gone is missed.
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import postgres from 'postgres'
import ws from 'ws'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, SUPABASE_DB_URL } = process.env
const APP = 'http://app.test/back'
const password = 'correct horse'

// A device of its own: nothing is shared between two clients.
const client = (key, flowType) => createClient(SUPABASE_URL, key, {
  auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, flowType },
  realtime: { transport: ws },
})
const implicit = () => client(SUPABASE_PUBLISHABLE_KEY, 'implicit').auth
const pkce = () => client(SUPABASE_PUBLISHABLE_KEY, 'pkce').auth
const admin = client(SUPABASE_SECRET_KEY, 'implicit').auth.admin

const ok = async (answer) => {
  const { data, error } = await answer
  if (error) throw new Error(`${error.code ?? error.name}: ${error.message}`)
  return data
}
const refused = async (answer) => {
  const { error } = await answer
  if (!error) throw new Error('this was to be refused')
  return error.code ?? error.message ?? error.name
}
const check = (holds, what) => {
  if (!holds) throw new Error(what)
}

const secretly = async (method, path, body) => {
  const headers = { apikey: SUPABASE_SECRET_KEY, 'content-type': 'application/json' }
  const reply = await fetch(SUPABASE_URL + path, { method, headers, body: JSON.stringify(body) })
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`)
  return reply.json()
}
const provider = {
  external: { google: { client_id: 'app', client_secret: 's1', issuer: '/oidc' } },
  oidc: {
    clients: { app: 's1' },
    people: {
      ana: { sub: 'ana-1', email: 'ana@garage.test', email_verified: true, name: 'Ana', picture: 'p' },
      bea: { sub: 'bea-1', email: 'bea@garage.test', email_verified: true, name: 'Bea' },
      cy: { sub: 'cy-1', email: 'cy@garage.test', email_verified: true, name: 'Cy' },
    },
  },
}
const settings = (changes = {}) => secretly('PUT', '/inbox/settings', { ...provider, ...changes })
const message = async (to) => (await secretly('GET', `/inbox?to=${encodeURIComponent(to)}`)).at(-1)

// Goes where it is sent until that is outside the project.
const browse = async (address) => {
  let url = new URL(address)
  while (url.origin === SUPABASE_URL) {
    const reply = await fetch(url, { redirect: 'manual' })
    if (!reply.headers.has('location')) throw new Error(`${url.pathname}: ${reply.status} ${await reply.text()}`)
    url = new URL(reply.headers.get('location'), url)
  }
  const all = (pairs) => Object.fromEntries(new URLSearchParams(pairs))
  return { place: url.origin + url.pathname, query: all(url.search), fragment: all(url.hash.slice(1)) }
}
// What an app gets that asks the provider by itself.
const idToken = async (login, nonce) => {
  const asked = new URLSearchParams({
    client_id: 'app', redirect_uri: APP, response_type: 'code', scope: 'openid email profile', login_hint: login,
    ...(nonce && { nonce: createHash('sha256').update(nonce).digest('hex') }),
  })
  const { query } = await browse(`${SUPABASE_URL}/oidc/authorize?${asked}`)
  const body = new URLSearchParams({
    grant_type: 'authorization_code', code: query.code, redirect_uri: APP, client_id: 'app', client_secret: 's1',
  })
  return (await fetch(`${SUPABASE_URL}/oidc/token`, { method: 'POST', body })).json()
}
// What an authenticator app shows: RFC 6238.
const totp = (secret, steps = 0) => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0'))
  const bytes = bits.join('').match(/.{8}/g).map((byte) => parseInt(byte, 2))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps))
  const hash = createHmac('sha1', Buffer.from(bytes)).update(counter).digest()
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff
  return String(number % 1000000).padStart(6, '0')
}
const providers = (user) => user.app_metadata.providers
const fresh = (name) => `${name}-${randomUUID().slice(0, 8)}@garage.test`
const person = async (auth, name) => {
  const email = fresh(name)
  const { user, session } = await ok(auth.signUp({ email, password }))
  return { email, user, session }
}

const seen = {}
const step = async (name, run) => {
  try {
    seen[name] = await run()
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error })
  }
}

await settings()

await step('sign-up', async () => {
  const [auth, email] = [implicit(), fresh('up')]
  const { user, session } = await ok(auth.signUp({ email, password, options: { data: { name: 'Zoé' } } }))
  check(user.email === email && session.user.id === user.id, 'the session is theirs')
  const again = await refused(implicit().signUp({ email, password }))
  const weak = await implicit().signUp({ email: fresh('weak'), password: 'short' })
  const { code, reasons } = weak.error
  return { name: user.user_metadata.name, providers: providers(user), again, weak: [code, reasons] }
})

await step('sign-in', async () => {
  const { email, user } = await person(implicit(), 'in')
  const wrong = await refused(implicit().signInWithPassword({ email, password: 'wrong horse' }))
  const auth = implicit()
  const right = await ok(auth.signInWithPassword({ email: email.toUpperCase(), password }))
  check(right.user.id === user.id && (await ok(auth.getUser())).user.id === user.id, 'the same person')
  return { wrong, method: (await ok(auth.getClaims())).claims.amr[0].method }
})

await step('sign-up, confirmed by a code', async () => {
  await settings({ confirm_email: true })
  const [auth, email] = [implicit(), fresh('confirm')]
  const { user, session } = await ok(auth.signUp({ email, password }))
  const early = await refused(auth.signInWithPassword({ email, password }))
  const first = (await message(email)).token
  await ok(auth.resend({ type: 'signup', email }))
  const second = (await message(email)).token
  const wrong = await refused(auth.verifyOtp({ email, token: first === second ? '000000' : first, type: 'signup' }))
  const verified = await ok(auth.verifyOtp({ email, token: second, type: 'signup' }))
  check(verified.user.id === user.id && verified.session.access_token, 'a session for them')
  const pretended = await ok(implicit().signUp({ email, password }))
  return { session, early, wrong, confirmed: !!verified.user.email_confirmed_at, known: pretended.user.identities }
})

await step('sign-up, confirmed by a link and PKCE', async () => {
  const [auth, email] = [pkce(), fresh('link')]
  await ok(auth.signUp({ email, password, options: { emailRedirectTo: APP } }))
  const { place, query, fragment } = await browse((await message(email)).link)
  const other = await pkce().exchangeCodeForSession(query.code)
  const session = await ok(auth.exchangeCodeForSession(query.code))
  const again = await auth.exchangeCodeForSession(query.code)
  check(session.user.email === email, 'theirs')
  return { place, fragment, other: other.error.name, again: again.error.name, type: session.redirectType }
})

await step('one-time codes', async () => {
  await settings()
  const [auth, email] = [implicit(), fresh('otp')]
  const unknown = await refused(auth.signInWithOtp({ email, options: { shouldCreateUser: false } }))
  await ok(auth.signInWithOtp({ email, options: { data: { from: 'otp' } } }))
  const byCode = await ok(auth.verifyOtp({ email, token: (await message(email)).token, type: 'email' }))
  await ok(auth.signInWithOtp({ email }))
  const byHash = await ok(implicit().verifyOtp({ token_hash: (await message(email)).token_hash, type: 'email' }))
  check(byCode.user.id === byHash.user.id, 'the same person')
  const phone = `2126${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`
  const { messageId } = await ok(auth.signInWithOtp({ phone }))
  check(messageId === (await message(phone)).id, 'the text is named')
  const byText = await ok(auth.verifyOtp({ phone, token: (await message(phone)).token, type: 'sms' }))
  check(byText.user.phone === phone, 'their number')
  return { unknown, from: byCode.user.user_metadata.from, providers: providers(byText.user) }
})

await step('a magic link', async () => {
  const [auth, email] = [implicit(), fresh('magic')]
  await ok(auth.signInWithOtp({ email, options: { emailRedirectTo: APP } }))
  const { link } = await message(email)
  const { place, query, fragment } = await browse(link)
  const { session } = await ok(auth.setSession(fragment))
  check(session.user.email === email, 'theirs')
  const again = (await browse(link)).fragment
  return { place, query, type: fragment.type, again: [again.error, again.error_code] }
})

await step('a magic link with PKCE', async () => {
  const [auth, email] = [pkce(), fresh('magic')]
  await ok(auth.signInWithOtp({ email, options: { emailRedirectTo: APP } }))
  const { query } = await browse((await message(email)).link)
  const { session, redirectType } = await ok(auth.exchangeCodeForSession(query.code))
  check(session.user.email === email, 'theirs')
  return { method: (await ok(auth.getClaims())).claims.amr[0].method, redirectType }
})

await step('OAuth with PKCE', async () => {
  const auth = pkce()
  const events = []
  auth.onAuthStateChange((event) => events.push(event))
  const options = { redirectTo: `${APP}?page=1`, queryParams: { login_hint: 'ana' }, skipBrowserRedirect: true }
  const { url } = await ok(auth.signInWithOAuth({ provider: 'google', options }))
  const { place, query, fragment } = await browse(url)
  const { session, user, redirectType } = await ok(auth.exchangeCodeForSession(query.code))
  check(session.provider_token && session.provider_refresh_token, "the provider's tokens are handed on")
  const identity = user.identities[0]
  const { picture, full_name, provider_id, email_verified } = identity.identity_data
  return {
    place, page: query.page, fragment, redirectType, events: events.filter((event) => event !== 'INITIAL_SESSION'),
    email: user.email, providers: providers(user), identity: [identity.provider, identity.id],
    said: { picture, full_name, provider_id, email_verified },
    method: (await ok(auth.getClaims())).claims.amr[0].method,
  }
})

await step('OAuth without PKCE', async () => {
  const auth = implicit()
  const away = async (provider, login_hint) => {
    const options = { redirectTo: APP, queryParams: { login_hint }, skipBrowserRedirect: true }
    return (await ok(auth.signInWithOAuth({ provider, options }))).url
  }
  const { fragment } = await browse(await away('google', 'ana'))
  const { session } = await ok(auth.setSession(fragment))
  const denied = await browse(await away('google', 'nobody'))
  const off = await fetch(await away('apple', 'ana')).then((reply) => reply.json())
  return {
    email: session.user.email, tokens: !!fragment.provider_token,
    denied: [denied.place, denied.query.error, denied.fragment.error_description],
    off: [off.code, off.error_code, off.msg],
  }
})

await step('an ID token', async () => {
  const auth = implicit()
  const { id_token: token, access_token } = await idToken('bea', 'a nonce')
  const wrong = await refused(auth.signInWithIdToken({ provider: 'google', token, access_token, nonce: 'another' }))
  const without = await refused(auth.signInWithIdToken({ provider: 'google', token, access_token }))
  const off = await refused(auth.signInWithIdToken({ provider: 'apple', token, access_token, nonce: 'a nonce' }))
  const { user } = await ok(auth.signInWithIdToken({ provider: 'google', token, access_token, nonce: 'a nonce' }))
  return { wrong, without, off, email: user.email, providers: providers(user) }
})

await step('linking and unlinking', async () => {
  const auth = pkce()
  const { email, user } = await person(auth, 'link')
  const link = async (login_hint) => {
    const options = { redirectTo: APP, queryParams: { login_hint } }
    return browse((await ok(auth.linkIdentity({ provider: 'google', options }))).url)
  }
  const linked = await ok(auth.exchangeCodeForSession((await link('cy')).query.code))
  check(linked.user.id === user.id && linked.user.email === email, 'still themselves')
  const again = (await link('cy')).query
  const others = (await link('ana')).query
  const { identities } = await ok(auth.getUserIdentities())
  const of = (provider) => identities.find((identity) => identity.provider === provider)
  await ok(auth.unlinkIdentity(of('google')))
  const last = await refused(auth.unlinkIdentity(of('email')))
  const { id_token: token } = await idToken('cy')
  const byToken = await ok(auth.linkIdentity({ provider: 'google', token }))
  const twice = await refused(auth.linkIdentity({ provider: 'google', token }))
  await settings({ manual_linking: false })
  const off = await refused(auth.linkIdentity({ provider: 'google' }))
  await settings()
  return {
    linked: providers(linked.user), again: [again.error, again.error_code],
    others: others.error_description, identities: identities.map(({ provider }) => provider), last,
    byToken: [byToken.user.id === user.id, providers(byToken.user)], twice, off,
  }
})

await step('anonymous, and then somebody', async () => {
  await settings({ confirm_email: true })
  const [auth, email] = [implicit(), fresh('anonymous')]
  const { user } = await ok(auth.signInAnonymously({ options: { data: { theme: 'dark' } } }))
  const early = await refused(auth.updateUser({ password }))
  await ok(auth.updateUser({ email }))
  const { user: known } = await ok(auth.verifyOtp({ email, token: (await message(email)).token, type: 'email_change' }))
  check(known.id === user.id && known.email === email, 'the same person')
  await ok(auth.updateUser({ password }))
  await ok(implicit().signInWithPassword({ email, password }))
  await settings({ anonymous: false })
  const off = await refused(implicit().signInAnonymously())
  await settings()
  return {
    was: [user.is_anonymous, providers(user) ?? null], early, is: [known.is_anonymous, providers(known)],
    theme: known.user_metadata.theme, off,
  }
})

await step('a forgotten password', async () => {
  const auth = pkce()
  const { email } = await person(implicit(), 'forgot')
  await ok(auth.resetPasswordForEmail(email, { redirectTo: APP }))
  const { query } = await browse((await message(email)).link)
  const events = []
  auth.onAuthStateChange((event) => events.push(event))
  const { redirectType } = await ok(auth.exchangeCodeForSession(query.code))
  const same = await refused(auth.updateUser({ password }))
  await ok(auth.updateUser({ password: 'battery staple' }))
  const old = await refused(implicit().signInWithPassword({ email, password }))
  await ok(implicit().signInWithPassword({ email, password: 'battery staple' }))
  return { redirectType, events: events.filter((event) => event !== 'INITIAL_SESSION'), same, old }
})

await step('a change of address', async () => {
  const auth = implicit()
  const [{ email }, next] = [await person(auth, 'old'), fresh('new')]
  const { user } = await ok(auth.updateUser({ email: next }))
  const half = await ok(auth.verifyOtp({ token_hash: (await message(email)).token_hash, type: 'email_change' }))
  const whole = await ok(auth.verifyOtp({ token_hash: (await message(next)).token_hash, type: 'email_change' }))
  return { asked: user.new_email === next, half: half.session, whole: whole.user.email === next }
})

await step('reauthentication', async () => {
  await settings({ secure_password_change: true })
  const auth = implicit()
  const { email, user } = await person(auth, 'again')
  const sql = postgres(SUPABASE_DB_URL, { max: 1, onnotice: () => {} })
  await sql`update auth.sessions set created_at = now() - interval '2 days' where user_id = ${user.id}`
  await sql.end()
  const needed = await refused(auth.updateUser({ password: 'battery staple' }))
  await ok(auth.reauthenticate())
  const { token, kind } = await message(email)
  const other = token === '000000' ? '111111' : '000000'
  const wrong = await refused(auth.updateUser({ password: 'battery staple', nonce: other }))
  await ok(auth.updateUser({ password: 'battery staple', nonce: token }))
  await ok(implicit().signInWithPassword({ email, password: 'battery staple' }))
  await settings()
  return { needed, kind, wrong }
})

await step('second factors: an app', async () => {
  const auth = implicit()
  const { email, user } = await person(auth, 'totp')
  const level = async (of) => {
    const { currentLevel, nextLevel } = await ok(of.mfa.getAuthenticatorAssuranceLevel())
    return [currentLevel, nextLevel]
  }
  const before = await level(auth)
  const factor = await ok(auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone', issuer: 'Garage' }))
  check(factor.totp.qr_code.startsWith('data:image/svg+xml') && factor.totp.uri.startsWith('otpauth://'), 'a picture')
  const { all, totp: verified } = await ok(auth.mfa.listFactors())
  const factorId = factor.id
  const challenge = await ok(auth.mfa.challenge({ factorId }))
  const right = totp(factor.totp.secret)
  const code = right === '000000' ? '111111' : '000000'
  const wrong = await refused(auth.mfa.verify({ factorId, challengeId: challenge.id, code }))
  await ok(auth.mfa.challengeAndVerify({ factorId, code: right }))
  const raised = await level(auth)
  const methods = (await ok(auth.getClaims())).claims.amr.map(({ method }) => method).sort()
  const later = implicit()
  await ok(later.signInWithPassword({ email, password }))
  const half = await level(later)
  const refusedHalf = await refused(later.updateUser({ password: 'battery staple' }))
  await ok(later.mfa.challengeAndVerify({ factorId, code: totp(factor.totp.secret, 1) }))
  const whole = await level(later)
  const seenByAdmin = (await ok(admin.mfa.listFactors({ userId: user.id }))).factors.map(({ status }) => status)
  await ok(later.mfa.unenroll({ factorId }))
  const left = (await ok(later.mfa.listFactors())).all.length
  const listed = [all.length, verified.length]
  return { before, listed, wrong, raised, methods, half, refusedHalf, whole, seenByAdmin, left }
})

await step('second factors: a text', async () => {
  const auth = implicit()
  const { user } = await person(auth, 'text')
  const phone = `2126${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`
  const { id: factorId } = await ok(auth.mfa.enroll({ factorType: 'phone', phone: `+${phone}`, friendlyName: 'text' }))
  const { id: challengeId } = await ok(auth.mfa.challenge({ factorId, channel: 'sms' }))
  const { kind, token } = await message(phone)
  await ok(auth.mfa.verify({ factorId, challengeId, code: token }))
  const { currentLevel } = await ok(auth.mfa.getAuthenticatorAssuranceLevel())
  const factors = await ok(auth.mfa.listFactors())
  await ok(admin.mfa.deleteFactor({ id: factorId, userId: user.id }))
  const left = (await ok(admin.mfa.listFactors({ userId: user.id }))).factors
  return { kind, currentLevel, phones: factors.phone.length, left }
})

await step('signing out', async () => {
  const { email } = await person(implicit(), 'out')
  const device = async () => {
    const auth = implicit()
    await ok(auth.signInWithPassword({ email, password }))
    return auth
  }
  const live = async (auth) => !(await implicit().refreshSession({ refresh_token: auth.kept })).error
  const [one, two, three] = [await device(), await device(), await device()]
  for (const auth of [one, two, three]) auth.kept = (await ok(auth.getSession())).session.refresh_token
  await ok(one.signOut({ scope: 'others' }))
  const others = [!!(await one.getUser()).data.user, await live(two), await live(three)]
  const four = await device()
  await ok(one.signOut({ scope: 'local' }))
  const local = [(await ok(one.getSession())).session, !!(await four.getUser()).data.user]
  const five = await device()
  await ok(four.signOut())
  const global = await refused(five.getUser())
  return { others, local, global }
})

await step('refreshing', async () => {
  const auth = implicit()
  const { session } = await person(auth, 'refresh')
  const next = (await ok(auth.refreshSession())).session
  check(next.refresh_token !== session.refresh_token, 'a new token')
  const again = (await ok(implicit().refreshSession({ refresh_token: session.refresh_token }))).session
  const unknown = await refused(implicit().refreshSession({ refresh_token: 'no-such-token' }))
  return { sameSuccessor: again.refresh_token === next.refresh_token, unknown }
})

await step('claims', async () => {
  const claims = async (signing) => {
    await settings({ signing })
    const auth = implicit()
    const { session } = await person(auth, 'claims')
    const { header, claims } = await ok(auth.getClaims())
    const [head, , signature] = session.access_token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...claims, role: 'service_role' })).toString('base64url')
    const { error } = await implicit().getClaims([head, forged, signature].join('.'))
    check(claims.sub === session.user.id && claims.session_id, 'about them')
    return [header.alg, !!header.kid, claims.role, claims.aal, error.code ?? error.name]
  }
  const seen = { HS256: await claims('HS256'), ES256: await claims('ES256') }
  await settings()
  return seen
})

await step('administration of people', async () => {
  const email = fresh('made')
  const asked = { email, password, email_confirm: true, user_metadata: { a: 1 }, app_metadata: { team: 'x' } }
  const made = (await ok(admin.createUser(asked))).user
  const exists = await refused(admin.createUser({ email, password }))
  const read = (await ok(admin.getUserById(made.id))).user
  const changed = (await ok(admin.updateUserById(made.id, { user_metadata: { b: 2 }, ban_duration: '1h' }))).user
  const banned = await refused(implicit().signInWithPassword({ email, password }))
  const unbanned = (await ok(admin.updateUserById(made.id, { ban_duration: 'none' }))).user
  const auth = implicit()
  const { session } = await ok(auth.signInWithPassword({ email, password }))
  await ok(admin.signOut(session.access_token, 'global'))
  const out = await refused(auth.getUser())
  await ok(admin.deleteUser(made.id, true))
  const soft = (await ok(admin.getUserById(made.id))).user
  await ok(admin.deleteUser(made.id))
  const gone = await refused(admin.getUserById(made.id))
  const forbidden = await refused(client(SUPABASE_PUBLISHABLE_KEY, 'implicit').auth.admin.listUsers())
  return {
    exists, same: read.id === made.id, team: made.app_metadata.team,
    metadata: [changed.user_metadata.a, changed.user_metadata.b], banned,
    unbanned: unbanned.banned_until ?? null, out, soft: [soft.email !== email, !!soft.deleted_at], gone, forbidden,
  }
})

await step('people in pages', async () => {
  const all = (await ok(admin.listUsers({ page: 1, perPage: 1000 }))).users
  const ids = []
  let page = 1
  let total
  while (page) {
    const { users, nextPage, total: known } = await ok(admin.listUsers({ page, perPage: 5 }))
    ids.push(...users.map(({ id }) => id))
    total = known
    page = nextPage
  }
  return { complete: ids.length === all.length && new Set(ids).size === all.length, counted: total === all.length }
})

await step('invitations and links', async () => {
  const email = fresh('invited')
  const { user } = await ok(admin.inviteUserByEmail(email, { data: { by: 'boss' }, redirectTo: APP }))
  const mail = await message(email)
  const auth = implicit()
  const invited = await ok(auth.verifyOtp({ token_hash: mail.token_hash, type: 'invite' }))
  check(invited.user.id === user.id && user.user_metadata.by === 'boss', 'who was invited')
  const links = {}
  const types = [
    ['signup', { email: fresh('gen'), password }], ['invite', { email: fresh('gen') }], ['magiclink', { email }],
    ['recovery', { email }], ['email_change_current', { email, newEmail: fresh('next') }],
    ['email_change_new', { email, newEmail: fresh('next') }],
  ]
  for (const [type, asked] of types) {
    const { properties } = await ok(admin.generateLink({ type, ...asked, options: { redirectTo: APP } }))
    const { place, fragment } = await browse(properties.action_link)
    const led = fragment.type ?? fragment.message.split('.')[0]
    links[type] = [properties.verification_type, properties.email_otp.length, place, led]
  }
  const unknown = await refused(admin.generateLink({ type: 'recovery', email: fresh('nobody') }))
  return { kind: mail.kind, links, unknown }
})

await step('custom providers', async () => {
  await settings({ oidc: { ...provider.oidc, clients: { custom: 's3' } } })
  const custom = admin.customProviders
  const identifier = 'custom:acme'
  const asked = {
    provider_type: 'oidc', identifier, name: 'Acme', client_id: 'custom', client_secret: 's3',
    issuer: `${SUPABASE_URL}/oidc`, scopes: ['email', 'profile'], custom_claims_allowlist: ['picture'],
  }
  const made = await ok(custom.createProvider(asked))
  const twice = await refused(custom.createProvider(asked))
  const nowhere = { ...asked, identifier: 'custom:silent', issuer: 'http://127.0.0.1:9' }
  const silent = await refused(custom.createProvider(nowhere))
  const reserved = await refused(custom.createProvider({ ...asked, authorization_params: { state: 'x' } }))
  const listed = async (params) => (await ok(custom.listProviders(params))).providers.map((one) => one.identifier)
  const lists = [await listed(), await listed({ type: 'oidc' }), await listed({ type: 'oauth2' })]
  const read = await ok(custom.getProvider(identifier))
  const auth = pkce()
  const options = { redirectTo: APP, queryParams: { login_hint: 'ana' }, skipBrowserRedirect: true }
  const { url } = await ok(auth.signInWithOAuth({ provider: identifier, options }))
  const { user } = await ok(auth.exchangeCodeForSession((await browse(url)).query.code))
  const identity = user.identities.find((one) => one.provider === identifier)
  const changed = await ok(custom.updateProvider(identifier, { name: 'Acme Ltd', enabled: false }))
  const off = await fetch(url.replace(/code_challenge[^&]*&?/g, '')).then((reply) => reply.json())
  await ok(custom.deleteProvider(identifier))
  const gone = await refused(custom.getProvider(identifier))
  await settings()
  return {
    made: [made.identifier, made.scopes, made.pkce_enabled, made.enabled, 'client_secret' in made],
    document: made.discovery_document?.issuer === asked.issuer, twice, silent, reserved, lists,
    same: read.id === made.id, providers: providers(user), custom: identity.identity_data.custom_claims,
    changed: [changed.name, changed.enabled], off: off.msg, gone,
  }
})

await step('single sign-on', async () => ({
  unknown: await refused(implicit().signInWithSSO({ domain: 'acme.test' })),
}))

console.log(JSON.stringify(seen))
