// Builds dist/: types of the API from openapi.yaml, error codes from errors.md, the
// modules, and texts of the elements from those of the login page.
import { execFileSync } from 'node:child_process'
import { transformSync } from 'esbuild'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const folder = new URL('..', import.meta.url)
const docs = new URL('../../docs/', folder)
const at = (path) => new URL(path, folder)

const api = astToString(await openapiTS(new URL('openapi.yaml', docs)))
writeFileSync(at('src/api.ts'), api)

// A row of the table of codes begins with the code in backquotes.
const table = readFileSync(new URL('errors.md', docs), 'utf8').split(/^## /m).find((part) => part.startsWith('Codes'))
const codes = [...table.matchAll(/^\| `([a-z_]+)`(?: ¹)? \|/gm)].map((match) => match[1])
if (codes.length < 20) throw new Error(`errors.md: found ${codes.length} codes, want at least 20`)
writeFileSync(at('src/codes.ts'), `/** A code of docs/errors.md. */\nexport type ErrorCode =\n${codes.map((code) => `  | '${code}'`).join('\n')}\n`)

rmSync(at('dist'), { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: folder, stdio: 'inherit' })

// Bundlers shorten no style sheet in a string.
const look = at('dist/elements-look.js')
const { english, style } = await import(look)
const short = JSON.stringify(transformSync(style, { loader: 'css', minify: true }).code.trim().replace(/([,:]) /g, '$1'))
writeFileSync(look, readFileSync(look, 'utf8').replace('`' + style + '`', () => short))
mkdirSync(at('dist/texts'))
for (const name of readdirSync(at('../../pages/texts/'))) {
  const all = JSON.parse(readFileSync(at('../../pages/texts/' + name), 'utf8'), (_, text) =>
    // From right to left, values are isolated, as on the login page.
    name === 'ar.json' && typeof text === 'string' ? text.replace(/\{\w+\}/g, '\u2068$&\u2069') : text)
  const texts = Object.fromEntries(Object.keys(english).filter((key) => all[key]).map((key) => [key, all[key]]))
  const path = 'dist/texts/' + name.replace('.json', '')
  writeFileSync(at(path + '.js'), `export default ${JSON.stringify(texts, null, 2)}\n`)
  writeFileSync(at(path + '.d.ts'), "import type { Texts } from '../elements.js'\ndeclare const texts: Partial<Texts>\nexport default texts\n")
}
