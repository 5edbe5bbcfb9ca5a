// What the official client sends for what `sdk/tests/fixtures/supabase-js.json` has no line of. Writes a file of the
// same form: node record.mjs > ../../sdk/tests/fixtures/auth-js.json
import { createClient } from '@supabase/supabase-js'
import { readFileSync } from 'node:fs'
import WebSocket from 'ws'

const earlier = JSON.parse(readFileSync(new URL('../../sdk/tests/fixtures/supabase-js.json', import.meta.url)))
const { url, publishable_key, secret_key, access_token } = earlier
const { version } = JSON.parse(
  readFileSync(new URL('./node_modules/@supabase/supabase-js/package.json', import.meta.url)),
)

const id = '6e9a1d5c-6a1e-4d0c-9b2e-0f6a3a7b8c9d'
const credential = `{ id: 'Y3I', rawId: 'Y3I', type: 'public-key', response: {}, clientExtensionResults: {} }`
const cases = [
  ['link-identity', 'session', `c.auth.linkIdentity({ provider: 'github', options: { redirectTo: 'https://app.example.com', scopes: 'read:user', queryParams: { prompt: 'consent' }, skipBrowserRedirect: true } })`],
  ['link-id-token', 'session', `c.auth.linkIdentity({ provider: 'google', token: 'tok', access_token: 'at', nonce: 'n' })`],
  ['unlink-identity', 'session', `c.auth.unlinkIdentity({ identity_id: '${id}' })`],
  ['web3-ethereum', 'auth', `c.auth.signInWithWeb3({ chain: 'ethereum', message: 'm', signature: '0xabcd', options: { captchaToken: 'cap' } })`],
  ['web3-solana', 'auth', `c.auth.signInWithWeb3({ chain: 'solana', message: 'm', signature: new Uint8Array([251, 255, 1]) })`],
  ['passkey-register-options', 'session', `c.auth.passkey.startRegistration()`],
  ['passkey-register-verify', 'session', `c.auth.passkey.verifyRegistration({ challengeId: '${id}', credential: ${credential} })`],
  ['passkey-signin-options', 'auth', `c.auth.passkey.startAuthentication({ options: { captchaToken: 'cap' } })`],
  ['passkey-signin-verify', 'auth', `c.auth.passkey.verifyAuthentication({ challengeId: '${id}', credential: ${credential} })`],
  ['passkey-list', 'session', `c.auth.passkey.list()`],
  ['passkey-update', 'session', `c.auth.passkey.update({ passkeyId: '${id}', friendlyName: 'phone' })`],
  ['passkey-delete', 'session', `c.auth.passkey.delete({ passkeyId: '${id}' })`],
  ['mfa-enroll-totp', 'session', `c.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone', issuer: 'Garage' })`],
  ['mfa-enroll-phone', 'session', `c.auth.mfa.enroll({ factorType: 'phone', friendlyName: 'phone', phone: '+212600000000' })`],
  ['mfa-enroll-webauthn', 'session', `c.auth.mfa.enroll({ factorType: 'webauthn', friendlyName: 'key' })`],
  ['mfa-challenge-webauthn', 'session', `c.auth.mfa.challenge({ factorId: 'f1', webauthn: { rpId: 'garage.test', rpOrigins: ['https://garage.test'] } })`],
  ['consent-details', 'session', `c.auth.oauth.getAuthorizationDetails('a1')`],
  ['consent-approve', 'session', `c.auth.oauth.approveAuthorization('a1')`],
  ['consent-deny', 'session', `c.auth.oauth.denyAuthorization('a1')`],
  ['consent-grants', 'session', `c.auth.oauth.listGrants()`],
  ['consent-revoke', 'session', `c.auth.oauth.revokeGrant({ clientId: '${id}' })`],
  ['admin-get', 'auth', `admin.auth.admin.getUserById('${id}')`],
  ['admin-factors', 'auth', `admin.auth.admin.mfa.listFactors({ userId: '${id}' })`],
  ['admin-factor-delete', 'auth', `admin.auth.admin.mfa.deleteFactor({ userId: '${id}', id: '${id}' })`],
  ['admin-passkeys', 'auth', `admin.auth.admin.passkey.listPasskeys({ userId: '${id}' })`],
  ['admin-passkey-delete', 'auth', `admin.auth.admin.passkey.deletePasskey({ userId: '${id}', passkeyId: '${id}' })`],
  ['admin-clients', 'auth', `admin.auth.admin.oauth.listClients({ page: 2, perPage: 10 })`],
  ['admin-client-create', 'auth', `admin.auth.admin.oauth.createClient({ client_name: 'App', redirect_uris: ['https://app.example.com/back'] })`],
  ['admin-client-get', 'auth', `admin.auth.admin.oauth.getClient('${id}')`],
  ['admin-client-update', 'auth', `admin.auth.admin.oauth.updateClient('${id}', { client_name: 'Other' })`],
  ['admin-client-delete', 'auth', `admin.auth.admin.oauth.deleteClient('${id}')`],
  ['admin-client-secret', 'auth', `admin.auth.admin.oauth.regenerateClientSecret('${id}')`],
  ['admin-providers', 'auth', `admin.auth.admin.customProviders.listProviders({ type: 'oidc' })`],
  ['admin-provider-create', 'auth', `admin.auth.admin.customProviders.createProvider({ provider_type: 'oidc', identifier: 'custom:mine', name: 'Mine', client_id: 'c', client_secret: 's', issuer: 'https://id.example.com' })`],
  ['admin-provider-get', 'auth', `admin.auth.admin.customProviders.getProvider('custom:mine')`],
  ['admin-provider-update', 'auth', `admin.auth.admin.customProviders.updateProvider('custom:mine', { enabled: false })`],
  ['admin-provider-delete', 'auth', `admin.auth.admin.customProviders.deleteProvider('custom:mine')`],
  ['claims', 'session', `c.auth.getClaims()`],
]

const out = []
for (const [name, area, js] of cases) {
  let requests = []
  const fetch = async (input, init) => {
    const address = new URL(input)
    const headers = Object.fromEntries(
      [...new Headers(init.headers)].filter(([header]) => header !== 'x-client-info'),
    )
    requests.push({
      method: init.method,
      path: address.pathname,
      query: [...address.searchParams],
      headers,
      body: init.body ? { json: JSON.parse(init.body) } : null,
    })
    return new Response('{}', { status: 200, headers: { 'content-type': 'application/json' } })
  }
  const client = (key) =>
    createClient(url, key, {
      auth: { persistSession: false, autoRefreshToken: false, flowType: 'pkce' },
      global: { fetch },
      realtime: { transport: WebSocket },
    })
  const c = client(publishable_key)
  const admin = client(secret_key)
  if (area === 'session') await c.auth.setSession({ access_token, refresh_token: 'r1' })
  requests = []
  await new Function('c', 'admin', `return ${js}`)(c, admin)
  if (requests.length === 0) throw new Error(`${name} sent nothing`)
  out.push({ id: name, area, js, requests })
}
console.log(JSON.stringify({ client: `@supabase/supabase-js ${version}`, access_token, cases: out }, null, 1))
process.exit(0)
