import { readFile } from 'node:fs/promises'
import { Edge } from './edge/edge.mjs'
import { createServer } from './edge/node.mjs'

const { API, CONFIG, UPSTREAM, PORT } = process.env
const edge = new Edge({
  module: await WebAssembly.compile(await readFile(new URL('edge/edgeauth-gate.wasm', import.meta.url))),
  config: JSON.parse(CONFIG),
  keysURL: `${API}/.well-known/jwks.json`,
  revocationsURL: `${API}/revocations/`,
  revocationsInterval: 1
})
createServer(edge, { upstream: UPSTREAM }).listen(Number(PORT), '127.0.0.1')
