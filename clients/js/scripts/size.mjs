// Prints the size of each module, minified and compressed, and fails above its limit.
// The other modules are counted without the client.
import { build } from 'esbuild'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const limits = { index: 3000, elements: 6100, passkeys: 700, factors: 700, keys: 300, react: 300, vue: 300, svelte: 300 }
for (const [name, limit] of Object.entries(limits)) {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../dist/${name}.js`, import.meta.url).pathname],
    bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, external: ['react', 'vue', './index.js'],
  })
  const code = outputFiles[0].contents
  const gzip = gzipSync(code, { level: 9 }).length
  console.log(`${name}: ${code.length} bytes minified, ${gzip} with gzip, ${brotliCompressSync(code).length} with brotli, limit ${limit}`)
  if (gzip > limit) {
    console.error(`${name}: more than ${limit} bytes with gzip`)
    process.exitCode = 1
  }
}
