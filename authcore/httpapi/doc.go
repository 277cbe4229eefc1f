// Package httpapi is the wire: it serves the login API of an authcore.Service
// over plain net/http.
//
// It owns paths and methods, the decoding of JSON and form bodies, the wording
// of field errors, the shape of every answer, CORS, and what is logged of a
// request that failed. It does not own what a request means (package authcore),
// whether a token is good (package gate), or the server around it: listening,
// timeouts, TLS and which proxies are trusted are the caller's.
//
//	request ─▶ CORS ─▶ route ─▶ token? ─▶ body ─▶ fields ─▶ authcore.Service
//	                     │        │         │       │              │
//	                    404      401       400     400    value or authcore.Error
//	                    405              413 415                   │
//	answer  ◀──────────────────────────────────────────────────────┘
//
// An endpoint returns its answer as a value. Nothing is written before it is
// complete, so that a failure at any point, a panic included, still becomes a
// whole answer.
//
// The package knows no particular web server and builds for wasip1 and js.
package httpapi
