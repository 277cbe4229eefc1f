// Package adminapi is the HTTP API for operators of a realm: people with their sessions
// and logins, signing keys, imports. It uses plain net/http and can be mounted under any
// prefix; the caller authorizes the requests.
//
//	POST   /lookup                      show the user with the address {"email"}
//	POST   /users/search                a page of the users that match a filter
//	POST   /users                       create a user
//	GET    /users/{id}                  show, with identities and sessions
//	PUT    /users/{id}/roles            replace the roles
//	POST   /users/{id}/disable          end all sessions, refuse new ones
//	POST   /users/{id}/enable           accept logins again
//	DELETE /users/{id}                  delete with everything
//	GET    /users/{id}/sessions         list the sessions
//	DELETE /users/{id}/sessions[/{sid}] end all sessions, or one
//	POST   /invitations                 invite the owner of an address
//	GET    /invitations                 list invitations that were not accepted yet
//	DELETE /invitations/{id}            withdraw an invitation
//	POST   /api-keys                    create an API key for a user or a service account
//	GET    /api-keys[?user=id]          list the API keys
//	DELETE /api-keys/{id}               revoke an API key
//	POST   /audit/search                a page of the entries of the audit trail
//	GET    /webhooks                    the state of the webhooks
//	GET    /webhooks/{id}/dead          list messages that were given up
//	POST   /webhooks/{id}/dead/{msg}/retry  send such a message again
//	DELETE /webhooks/{id}/dead/{msg}    delete such a message
//	GET    /signing-keys                list the signing keys
//	POST   /signing-keys/rotate         sign with the published successor from now on
//	DELETE /signing-keys[/{id}]         revoke a key; without an ID, all keys
//	GET    /health                      the state of store, mail queue and providers
//	GET    /settings                    the settings in force, without secrets
//	POST   /backup                      a consistent copy of the store, as a stream
//	POST   /import                      store users of another system
//
// Addresses are only in bodies, because servers log URLs. An error has the form
// {"error": "sentence", "code": "…"}.
package adminapi
