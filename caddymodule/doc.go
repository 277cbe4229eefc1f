// Package caddymodule makes edgeauth a part of Caddy: the app that holds the
// realms, the handlers login_api, login_page, token_auth and admin_page, the commands,
// and the modules for storage, mail and social providers.
//
// It owns the configuration in its two forms, Caddyfile and JSON, the life of
// everything that a configuration opens, and the translation between Caddy's
// requests, logs, metrics and events and those of the packages below it. It owns
// no rule about logins or tokens: package authcore does.
//
//	Caddyfile ──▶ JSON ──▶ App ──▶ Realm ──▶ core.Realm
//	                                 ▲  ▲          │
//	login_api, login_page ───────────┘  │          ├──▶ Storage ─┐
//	       token_auth, authentication ──┘          └──▶ Mailer ──┴▶ usage pool
//
// A configuration is provisioned, started, stopped and cleaned up while the one
// before it still serves. Therefore nothing is opened before the start (another
// process may hold the file while a configuration is validated), whatever must
// outlive a reload is kept in a usage pool under the name of the resource and
// never under that of the configuration, and it is given back at the cleanup,
// when the last login request of the old configuration has ended. Apps start in
// no particular order: a request that comes before its realm is ready waits for
// it.
package caddymodule
