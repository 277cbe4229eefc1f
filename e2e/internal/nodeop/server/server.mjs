// An OpenID provider for the tests: npm's oidc-provider with one client and one
// person, who is signed in and has agreed to everything. It demands PKCE, signs
// with ES256, and keeps e-mail and names for the userinfo endpoint.
//
// Standard input holds its configuration; the first line of standard output is
// its issuer. It ends with standard input.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

import Provider from 'oidc-provider'

const lines = createInterface({ input: process.stdin })
lines.once('close', () => process.exit(0))
const config = JSON.parse(await new Promise((resolve) => lines.once('line', resolve)))

// Not export() of a generated key: in Node 20 a garbage collection at that moment waits for
// ever for the lock of the key.
const encoding = { publicKeyEncoding: { format: 'jwk' }, privateKeyEncoding: { format: 'jwk' } }
const privateJWK = (type, options, extra) => ({
  ...generateKeyPairSync(type, { ...options, ...encoding }).privateKey,
  use: 'sig',
  ...extra,
})

function start (issuer) {
  const provider = new Provider(issuer, {
    clients: [{
      client_id: config.client_id,
      client_secret: config.client_secret,
      redirect_uris: config.redirect_uris,
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    }],
    jwks: {
      keys: [
        privateJWK('rsa', { modulusLength: 2048 }, { alg: 'RS256', kid: 'rsa' }),
        privateJWK('ec', { namedCurve: 'P-256' }, { alg: 'ES256', kid: 'ec' }),
      ],
    },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['given_name', 'family_name', 'preferred_username'],
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ ...config.person, sub: id }) }),
    async loadExistingGrant (ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) {
      return next()
    }
    ctx.respond = false
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: config.person.sub } })
  })
  return provider.callback()
}

let handle
const server = createServer((request, response) => handle(request, response))
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://localhost:${server.address().port}`
  handle = start(issuer)
  process.stdout.write(`${issuer}\n`)
})
