import { createServer } from 'node:http'
import { createVerifier } from 'edgeauth-server'

const { API, AUDIENCE, PORT } = process.env
const edge = await createVerifier({ api: API, interval: 200, ...AUDIENCE ? { assertion: true, audience: AUDIENCE } : {} })
createServer((request, response) => edge.middleware(request, response, (error) => {
  response.writeHead(error ? 500 : 200).end(error ? String(error) : [request.user.sub, ...request.user.roles ?? []].join(' '))
})).listen(Number(PORT), '127.0.0.1')
