// Servers that render pages with the bindings, and the first render in the browser.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createElement } from 'react'
import { renderToString as renderReact } from 'react-dom/server'
import { createSSRApp, h } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
import { createAuth } from '../dist/index.js'
import { useSession as useInReact } from '../dist/react.js'
import { useSession as useInVue } from '../dist/vue.js'
import { Server, Storage, api } from './server.mjs'

/** A client that counts its listeners. */
function counted(storage) {
  const auth = createAuth({ clientKey: 'web', api, storage, fetch: new Server().fetch })
  const made = { auth: Object.create(auth, { onChange: { value: (listener) => {
    made.listeners++
    const stop = auth.onChange(listener)
    return () => {
      made.listeners--
      stop()
    }
  } } }), listeners: 0 }
  return made
}

test('a server that renders many pages keeps no listeners', async () => {
  const made = counted(new Storage())
  const vue = { setup: () => { const session = useInVue(made.auth); return () => h('p', session.value?.user.email ?? 'signed out') } }
  const react = () => createElement('p', null, useInReact(made.auth)?.user.email ?? 'signed out')
  for (let n = 0; n < 10; n++) {
    assert.equal(await renderVue(createSSRApp(vue)), '<p>signed out</p>')
    assert.equal(renderReact(createElement(react)), '<p>signed out</p>')
  }
  assert.equal(made.listeners, 0)
})

test('a server needs no address to create a client for the cookie', () => {
  assert.equal(globalThis.location, undefined)
  assert.equal(createAuth({ api: '/auth' }).snapshot, null)
  assert.equal(createAuth({ clientKey: 'web' }).snapshot, null)
})
