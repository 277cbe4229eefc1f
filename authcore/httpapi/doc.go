// Package httpapi serves the login API of a realm over net/http.
//
// It contains paths and methods, the decoding of JSON and form bodies, the texts of
// field errors, the form of every answer, CORS, the rule for cross-site requests,
// and the log of failures. It does not contain the meaning of a request (packages
// login, account, session), the check of a token (package gate), or the server:
// listening, timeouts, TLS and trusted proxies are the caller's.
//
//	request ─▶ CORS ─▶ route ─▶ cross-site? ─▶ token? ─▶ body ─▶ fields ─▶ realm
//	                     │           │           │         │       │         │
//	                    404         403         401       400     400   value or error
//	                    405                            413 415               │
//	answer  ◀────────────────────────────────────────────────────────────────┘
//
// An endpoint returns its answer as a value. Nothing is written before it is
// complete, so that a failure at any point, a panic included, becomes a whole
// answer. One timeout limits each request.
//
// The package depends on no particular web server and builds for wasip1 and js.
package httpapi
