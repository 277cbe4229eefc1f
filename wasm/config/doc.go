// Package config reads the configuration of the gate at an edge that is not
// Caddy: a JSON object, as the host of a WebAssembly guest hands it over.
//
//	{
//	  "issuer":   "https://auth.example.com",
//	  "audience": "https://auth.example.com",
//	  "keys":     {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "…", "x": "…"}]},
//	  "public":   ["/health", "/static/*"],
//	  "require":  [{"field": "email_domain", "values": ["example.com"]}]
//	}
//
// What token_auth has under the same name means the same:
//
//	public         list of paths that need no token
//	optional       boolean: requests without a token go on as anonymous ones
//	require        list of objects with field and values; all have to hold
//	max_age        duration: how long ago the login may have been
//	headers        list of identity headers to set; or "all" or "off"
//	forward_token  boolean: leave Authorization in the request
//
// assertion, realm and handle_errors are errors: a guest signs nothing, knows one
// realm, and has nobody to hand errors to. What Caddy takes from the realm is said
// here:
//
//	issuer               the "iss" of the tokens; required
//	audience             the "aud" of the tokens; default: the issuer
//	keys                 the public keys: a JSON Web Key Set, as an object, as a
//	                     text that holds one, or the list of its keys alone
//	keys_file            a file with the key set instead, read again when it
//	                     changes; one of the two is required
//	origins              list of web origins whose pages may call the site:
//	                     their preflights are answered
//	revocations          list of objects with kind ("user", "session" or
//	                     "token"), id, and until (RFC 3339; default: for good);
//	                     or the signed feed of the issuer as a text
//	revocations_file     a file with one of the two, read again when it changes
//	revocations_max_age  duration: how old the feed may be; the gate answers 503
//	                     while it is older, and as long as there is none. Needs
//	                     the feed. Default: no limit
//	cache_size           how many verified tokens each instance of the guest
//	                     remembers; 0 for none. Default: 1024
//
// An unknown name is an error, and so is a private or symmetric key anywhere.
//
// Hosts write values in more than one way, so all of these are taken: a number or
// boolean as a text ("5", "true"); a list as a text with commas between its
// elements ("/a,/b"), or as an object whose names are the positions ("0", "1" or
// "[0]", "[1]"); a duration as a text ("90s", "15m", "14d") or as a whole number of
// nanoseconds, as in Caddy's JSON. An empty text, list or object and null are
// the same as leaving the name out.
package config
