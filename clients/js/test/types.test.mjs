// The types of the client, the size of the examples, and what the documentation shows.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import ts from 'typescript'
import { Server } from './server.mjs'

const at = (path) => new URL('../' + path, import.meta.url)
const read = (path) => readFileSync(at(path), 'utf8')

/** The files that a developer of each example writes. */
const examples = ['plain/index.html', 'react/src/main.tsx', 'node/server.mjs']

test('tsc --strict accepts the examples', () => {
  // The script of the page uses elements by their id.
  const page = read('examples/plain/index.html')
  const kinds = { form: 'HTMLFormElement', button: 'HTMLButtonElement' }
  const ids = [...page.matchAll(/<(\w+)[^>]* id="(\w+)"/g)].map(([, tag, id]) => `  var ${id}: ${kinds[tag] ?? 'HTMLElement'}\n`)
  const written = { 'page.mjs': page.match(/<script type="module">([^]*?)<\/script>/)[1].replace("'/edgeauth.js'", "'edgeauth'").replace("'/config.js'", "'./config.mjs'"),
    'config.mjs': "export const api = '', clientKey = ''\n",
    'ids.d.ts': `export {}\ndeclare global {\n${ids.join('')}  var auth: import('edgeauth').Auth\n}\n` }
  for (const [name, text] of Object.entries(written)) writeFileSync(at('examples/plain/' + name), text)
  try {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'examples'], { cwd: at(''), stdio: 'pipe', encoding: 'utf8' })
  } catch (error) {
    assert.fail(error.stdout)
  } finally {
    for (const name of Object.keys(written)) rmSync(at('examples/plain/' + name))
  }
})

test('an example has at most 100 lines', () => {
  for (const path of examples) {
    const lines = read('examples/' + path).trimEnd().split('\n').length
    assert.ok(lines <= 100, `${path} has ${lines} lines, want at most 100`)
  }
})

test('a file of the helpers for servers has at most 150 lines', () => {
  for (const path of ['../go/edgeauth.go', '../go/feed.go', '../go/keys.go', '../go/middleware.go', '../node/edgeauth.mjs', '../python/edgeauth.py', '../python/edgeauth_django.py', '../python/edgeauth_fastapi.py']) {
    const lines = read(path).trimEnd().split('\n').length
    assert.ok(lines <= 150, `${path} has ${lines} lines, want at most 150`)
  }
})

test('the public types contain no any', () => {
  const files = readdirSync(at('dist')).filter((name) => name.endsWith('.d.ts')).map((name) => 'dist/' + name)
  assert.ok(files.length > 5, 'the client was not built')
  for (const path of [...files, '../node/edgeauth.d.mts']) {
    const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
    const visit = (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart())
        assert.fail(`${path}:${line + 1} contains any: ${node.parent.getText()}`)
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
})

test('the codes in the types are those of the documentation', () => {
  const table = read('../../docs/errors.md').match(/## Codes[^]*?\n## /)[0]
  const documented = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code)
  const typed = [...read('dist/codes.d.ts').matchAll(/'(\w+)'/g)].map(([, code]) => code)
  assert.deepEqual(typed.sort(), documented.sort())
  assert.ok(typed.length > 30, `${typed.length} codes`)
})

test('the types of the API are those of the description', async () => {
  const { default: openapiTS, astToString } = await import('openapi-typescript')
  assert.equal(read('src/api.ts'), astToString(await openapiTS(at('../../docs/openapi.yaml'))))
})

test('the texts of the elements are those of the login page', async () => {
  const { english } = await import('../dist/elements-look.js')
  const files = readdirSync(at('dist/texts')).filter((name) => name.endsWith('.js'))
  assert.equal(files.length, 14)
  const { default: page } = await import('../dist/texts/en.js')
  for (const [key, text] of Object.entries(page)) assert.equal(english[key], text, key)
  for (const name of files) {
    const { default: texts } = await import('../dist/texts/' + name)
    assert.deepEqual(Object.keys(texts), Object.keys(page), name)
    assert.ok(Object.keys(texts).length > 40, `${name} has too few texts`)
  }
})

test('a server can import the elements', async () => {
  const { defineElements } = await import('../dist/elements.js')
  assert.equal(typeof defineElements, 'function')
})

test('the ten lines of the documentation run', async () => {
  const lines = read('examples/ten-lines.mjs')
  for (const page of ['../../README.md', '../../docs/frontend.md']) {
    assert.ok(read(page).includes('```js\n' + lines + '```\n'), `${page} does not show examples/ten-lines.mjs`)
  }
  assert.ok(lines.split('\n').filter(Boolean).length <= 10)
  const server = new Server(), fetchBefore = globalThis.fetch
  globalThis.fetch = server.fetch
  try {
    const { signIn, orders, signOut } = await import('../examples/ten-lines.mjs')
    assert.equal((await signIn('ann@example.com', async () => '123456')).user.email, 'ann@example.com')
    assert.equal((await orders()).status, 200)
    await assert.rejects(signIn('ann@example.com', async () => '000000'), (error) => error.code === 'invalid_code')
    await signOut()
    assert.equal((await orders()).status, 401)
  } finally {
    globalThis.fetch = fetchBefore
  }
})
