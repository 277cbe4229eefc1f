// A server-rendered application behind the login page of edgeauth:
//
//	orders.example.com {
//		login_page
//		token_auth {
//			assertion orders
//		}
//		reverse_proxy localhost:3000
//	}
//
// The server learns the user from the assertion. Scripts of its pages use the session
// cookie through the client, without a token.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Refused, createVerifier } from 'edgeauth-server'

const { API = 'http://localhost:8080/auth', ISSUER = 'edgeauth', PORT = '3000' } = process.env
const client = readFileSync(new URL('dist/index.js', import.meta.resolve('edgeauth/package.json')))
const edge = await createVerifier({ api: API, issuer: ISSUER, audience: 'orders', assertion: true })
/** @type {Map<string, string[]>} by user */
const orders = new Map()

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** @param {import('edgeauth-server').Claims} user */
const page = (user) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Orders</title>
<h1>Orders of <span id="user">${escape(user.email ?? user.sub)}</span></h1>
<ul id="orders">${(orders.get(user.sub) ?? []).map((order) => `<li>${escape(order)}</li>`).join('')}</ul>
<form method="post" action="/orders">
  <label>Order <input name="order" required></label>
  <button id="add">Add</button>
</form>
<p><a href="/auth/account">Account</a> <button id="logout">Sign out</button></p>
<p role="status" id="status"></p>
<script type="module">
  import { createAuth } from '/edgeauth.js'
  const auth = globalThis.auth = createAuth({ api: '/auth' })
  auth.onChange(({ session }) => {
    document.getElementById('status').textContent = session ? 'Signed in until ' + session.expiresAt.toLocaleString() : 'Signed out'
  })
  document.getElementById('logout').onclick = () => auth.logout()
</script>
</html>`

/** @param {import('node:http').IncomingMessage} request */
async function body(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > 10_000) throw new Error('the body is too long')
  }
  return new URLSearchParams(text)
}

createServer(async (request, response) => {
  /** @type {(status: number, headers: Record<string, string>, text?: string | Buffer) => unknown} */
  const send = (status, headers, text) => response.writeHead(status, headers).end(text)
  try {
    const user = await edge.user(request)
    if (!user) return send(401, { 'Content-Type': 'text/plain' }, 'There is no assertion.')
    switch (request.method + ' ' + request.url) {
      case 'GET /': return send(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }, page(user))
      case 'GET /edgeauth.js': return send(200, { 'Content-Type': 'text/javascript' }, client)
      case 'GET /orders': return send(200, { 'Content-Type': 'application/json' }, JSON.stringify(orders.get(user.sub) ?? []))
      case 'POST /orders': // the edge refuses forms of other sites
        orders.set(user.sub, [...orders.get(user.sub) ?? [], (await body(request)).get('order') ?? ''])
        return send(303, { Location: '/' })
      default: return send(404, { 'Content-Type': 'text/plain' }, 'Not found.')
    }
  } catch (error) {
    const refused = error instanceof Refused && error
    send(refused ? refused.status : 500, { 'Content-Type': 'text/plain' }, refused ? refused.message : 'Internal error.')
  }
}).listen(Number(PORT), '127.0.0.1')
