// Prints the size of the client, minified and compressed, and fails above the limit.
import { build } from 'esbuild'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const limit = 3000
const { outputFiles } = await build({
  entryPoints: [new URL('../dist/index.js', import.meta.url).pathname],
  bundle: true, minify: true, format: 'esm', target: 'es2022', write: false,
})
const code = outputFiles[0].contents
const gzip = gzipSync(code, { level: 9 }).length
console.log(`edgeauth: ${code.length} bytes minified, ${gzip} with gzip, ${brotliCompressSync(code).length} with brotli`)
if (gzip > limit) {
  console.error(`more than ${limit} bytes with gzip`)
  process.exit(1)
}
