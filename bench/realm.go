package main

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
	core "github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/bench/internal/load"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

const (
	clientKey       = "benchmark-client-key"
	emailLink       = "https://frontend.app/auth/link/"
	issuer          = "edgeauth" // and audience of the default realm
	sessionsPerUser = 10
)

// realm is a prepared realm in a file. The sessions of its tokens need not be stored,
// because the gate looks up revocations only.
type realm struct {
	path, algorithm string
	revoked         bool
	now             time.Time
	ring            *keys.Ring
	key             gate.Key
	// hot is the token of the first session. No server has received fresh.
	hot   string
	fresh []string
}

// prepare returns the realm with an algorithm and a number of stored sessions, with
// or without as many revocations of other sessions.
func (b *bench) prepare(algorithm string, sessions int, revoked bool) *realm {
	name := fmt.Sprintf("%s-%d-%t", algorithm, sessions, revoked)
	if known := b.realms[name]; known != nil {
		return known
	}
	b.Logf("prepare %s with %d sessions", algorithm, sessions)
	r := &realm{path: filepath.Join(b.dir, name+".db"), algorithm: algorithm, revoked: revoked, now: time.Now().UTC().Truncate(time.Second)}
	db, err := bolt.Open(r.path)
	b.check(err)
	store, err := db.Realm(b.Context(), "_default")
	b.check(err)
	r.ring = keys.New(keys.Config{
		Store: store, Algorithm: algorithm, Rotation: core.DefaultKeyRotation, Lifetime: core.DefaultTokenLifetime,
		Changed: func(set *gate.KeySet) { r.key = set.Keys()[0] },
	})
	b.check(r.ring.Maintain(b.Context(), r.now))
	const step = 1000 * sessionsPerUser
	for from := 0; from < sessions; from += step {
		_, err := store.Import(b.Context(), r.items(from, min(sessions, from+step)))
		b.check(err)
	}
	b.check(db.Close())
	r.hot = b.tokens(r, 0, 1)[0]
	b.realms[name] = r
	return r
}

// items returns the users, sessions and revocations of a range of sessions.
func (r *realm) items(from, to int) (items []authcore.Item) {
	expires := r.now.Add(core.DefaultTokenLifetime)
	for i := from; i < to; i++ {
		c := r.claims(i)
		if i%sessionsPerUser == 0 {
			items = append(items, authcore.Item{User: &authcore.User{
				ID: c.Subject, Email: c.Email, EmailVerified: true, FirstName: "Ann", LastName: "Example", Created: r.now,
			}})
		}
		items = append(items, authcore.Item{Session: &authcore.Session{
			ID: c.Session, UserID: c.Subject, Client: c.Client, Method: c.Method, Created: r.now, LastSeen: r.now, Expires: expires,
			IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
			Token: authcore.SessionToken{ID: c.ID, Issued: r.now, Expires: expires},
		}})
		if r.revoked {
			items = append(items, authcore.Item{Revocation: &authcore.Revocation{Kind: gate.RevokeSession, ID: uuid("ended", i), Until: expires}})
		}
	}
	return items
}

// uuid returns number i of a kind of identifiers. They ascend.
func uuid(kind string, i int) string {
	h := fmt.Sprintf("%08x%x", i, sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, i)))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

func (r *realm) claims(i int) gate.Claims {
	user := i / sessionsPerUser
	return gate.Claims{
		Subject: uuid("user", user), ID: uuid("token", i), Session: uuid("session", i),
		IssuedAt: r.now.Unix(), ExpiresAt: r.now.Add(core.DefaultTokenLifetime).Unix(), AuthTime: r.now.Unix(),
		Client: "web", Method: "link", Email: fmt.Sprintf("user%07d@example.com", user), EmailVerified: true, Name: "Ann Example",
	}
}

func (r *realm) sign(c gate.Claims) (string, error) {
	return r.ring.Sign(gate.PurposeLogin, gate.Statement{Issuer: issuer, Audience: issuer, Claims: c}, r.now)
}

// tokens returns the valid tokens number from to from+n-1.
func (b *bench) tokens(r *realm, from, n int) []string {
	tokens := make([]string, n)
	_, err := load.Share(b.Context(), 4, n, func(_, i int) (err error) {
		tokens[i], err = r.sign(r.claims(from + i))
		return err
	})
	b.check(err)
	return tokens
}

// stream returns the tokens of a row, of which n are needed if each is sent once.
type stream func(b *bench, r *realm, n int) []string

func noToken(*bench, *realm, int) []string { return []string{""} }

func hot(_ *bench, r *realm, _ int) []string { return []string{r.hot} }

func rotating(b *bench, r *realm, _ int) []string { return b.tokens(r, 0, b.rotating) }

func fresh(b *bench, r *realm, n int) []string {
	r.fresh = append(r.fresh, b.tokens(r, 1+len(r.fresh), max(0, n-len(r.fresh)))...)
	return r.fresh[:n]
}

// forged gives each token the signature of another, so that the gate has to verify it.
func forged(b *bench, r *realm, n int) []string {
	valid := fresh(b, r, n+1)
	tokens := make([]string, n)
	for i := range tokens {
		own, other := strings.LastIndexByte(valid[i], '.'), strings.LastIndexByte(valid[i+1], '.')
		tokens[i] = valid[i][:own] + valid[i+1][other:]
	}
	return tokens
}

func malformed(_ *bench, r *realm, _ int) []string {
	return []string{strings.ReplaceAll(r.hot, ".", "")}
}

// unknownKey names the key of another realm.
func unknownKey(b *bench, r *realm, _ int) []string {
	return []string{b.prepare(r.algorithm, 0, false).hot}
}

// wrongAlgorithm names the key of the realm with HS256, so that a careless verifier
// would use the public key as a secret (RFC 8725, section 2.1).
func wrongAlgorithm(_ *bench, r *realm, _ int) []string {
	header := gate.HeaderSegment(gate.Key{ID: r.key.ID, Algorithm: gate.HS256}, gate.PurposeLogin)
	return []string{header + r.hot[strings.IndexByte(r.hot, '.'):]}
}

func expired(b *bench, r *realm, _ int) []string {
	old := *r
	old.now = r.now.Add(-core.DefaultTokenLifetime - time.Hour)
	return b.tokens(&old, 0, 1)
}

// realmBlock is the global option of a realm without limits.
func realmBlock(more string) string {
	block := "edgeauth {\nclient web " + clientKey + "\nemail_link " + emailLink + authcore.LinkPlaceholder + "\ninsecure_debug_links\n"
	for _, limit := range strings.Fields("link_per_address link_per_ip link_per_client link_overall login_per_ip code_per_ip code_per_address authorize_per_ip authorize_overall refresh_per_session") {
		block += "limit " + limit + " off\n"
	}
	return block + more + "\n}"
}
