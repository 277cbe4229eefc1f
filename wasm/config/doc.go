// Package config reads the configuration of the gate at an edge other than Caddy:
// a JSON object that the host of a WebAssembly guest passes to it.
//
//	{
//	  "issuer":   "https://auth.example.com",
//	  "audience": "https://auth.example.com",
//	  "keys":     {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "…", "x": "…"}]},
//	  "public":   ["/health", "/static/*"],
//	  "require":  [{"field": "email_domain", "values": ["example.com"]}]
//	}
//
// These members have the meaning that they have in token_auth:
//
//	public         list of paths that need no token
//	optional       boolean: requests without a token proceed as anonymous ones
//	require        list of objects with field and values; all have to hold
//	max_age        duration: the greatest age of the login
//	headers        list of identity headers to set, also as NAME=field; or "all"
//	               or "off"
//	keys_basic     boolean: accept API keys as the password of HTTP Basic
//	schemes        list of the authentication schemes of login tokens: "Token",
//	               "Bearer" or both
//	forward_token  boolean: keep the token in Authorization
//
//	login_page     address of the login page: a path such as "/auth", or an
//	               address on another host; the session cookie is then accepted
//	origin         the origin of the site itself; required with login_page
//
// assertion, realm and handle_errors are errors: a guest signs nothing, serves one
// realm, and has no error routes. The other members replace what Caddy takes from
// the realm:
//
//	issuer               the "iss" of the tokens; required
//	audience             the "aud" of the tokens; default: the issuer
//	keys                 the public keys: a JSON Web Key Set, as an object, as a
//	                     text that contains one, or only the list of its keys
//	api_keys             "off", "on" or "only": whether API keys are accepted, the
//	                     option keys of token_auth
//	keys_file            a file with the key set instead, read again when it
//	                     changes; one of the two is required
//	origins              list of web origins whose pages may call the site:
//	                     their preflights are answered
//	revocations          list of objects with kind ("user" or "session"), id,
//	                     and until (RFC 3339; default: permanent); or the signed
//	                     feed of the issuer as a text
//	revocations_file     a file with one of the two, read again when it changes
//	revocations_by_host  boolean: the host passes the signed feed part by
//	                     part; the gate answers 503 until it is complete
//	revocations_max_age  duration: the greatest age of the feed; the gate
//	                     answers 503 while the feed is older or absent. Needs
//	                     the feed. Default: the feed's own expiry
//	cache_size           number of verified tokens that each instance of the
//	                     guest remembers, and requests for a quarter of them;
//	                     0 for none. Default: 1024
//
// An unknown member is an error, and so is a private or symmetric key anywhere.
//
// Hosts write values in several ways, which are all accepted: a number or boolean
// as a text ("5", "true"); a list as a text with commas between its elements
// ("/a,/b"), or as an object whose names are the positions ("0", "1" or "[0]",
// "[1]"); a duration as a text ("90s", "15m", "14d") or as a whole number of
// nanoseconds, as in Caddy's JSON. An empty text, list or object and null have the
// same meaning as an absent member.
package config
