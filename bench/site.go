package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/edgeauth/edgeauth/bench/internal/edge"
	"github.com/edgeauth/edgeauth/bench/internal/realm"
)

// bench is one run of the program.
type bench struct {
	options
	dir      string
	upstream string
	realms   map[realmKey]*realmOf
	folders  int
}

type realmKey struct {
	algorithm string
	sessions  int
	revoked   bool
}

// realmOf is a prepared realm with tokens that several scenarios use.
type realmOf struct {
	*realm.Realm
	// revoked says that there are revocations.
	revoked bool
	// hot is the token of the first session.
	hot string
	// fresh and forged are what was made of each up to now.
	fresh, forged []string
}

// realm prepares a realm, once for each kind.
func (b *bench) realm(ctx context.Context, key realmKey) (*realmOf, error) {
	if known := b.realms[key]; known != nil {
		return known, nil
	}
	path := filepath.Join(b.dir, fmt.Sprintf("%s-%d-%t.db", key.algorithm, key.sessions, key.revoked))
	made, err := realm.Prepare(ctx, path, realm.Spec{Algorithm: key.algorithm, Sessions: key.sessions, Revoked: key.revoked})
	if err != nil {
		return nil, fmt.Errorf("prepare a realm: %w", err)
	}
	hot, err := made.Tokens(ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	r := &realmOf{Realm: made, revoked: key.revoked, hot: hot[0]}
	b.realms[key] = r
	return r, nil
}

// realmOf returns the realm of a scenario. Tokens of sessions that the store does
// not know are good all the same: a gate asks only what is revoked.
func (b *bench) realmOf(ctx context.Context, s scenario) (*realmOf, error) {
	if s.revoked > 0 {
		return b.realm(ctx, realmKey{s.algorithm, s.revoked, true})
	}
	return b.realm(ctx, realmKey{s.algorithm, rotating, false})
}

// folder makes an empty folder.
func (b *bench) folder() (string, error) {
	b.folders++
	dir := filepath.Join(b.dir, "edge"+strconv.Itoa(b.folders))
	return dir, os.Mkdir(dir, 0o700)
}

func (b *bench) proxy() string { return "reverse_proxy " + b.upstream }

// startPlain starts the proxy that everything is compared with.
func (b *bench) startPlain(ctx context.Context) (*edge.Edge, error) { return b.startProxy(ctx, "") }

// startDressed starts a proxy that changes headers as the gate does.
func (b *bench) startDressed(ctx context.Context) (*edge.Edge, error) {
	return b.startProxy(ctx, "request_header -Authorization\nrequest_header X-Auth-User-Id 3f2b8c9e-4d1a-4f6b-9a7c-0e5d8b2a1c4f\n"+
		"request_header X-Auth-Email user-0@example.com\n")
}

// startProxy starts a proxy after some directives that know of no realm.
func (b *bench) startProxy(ctx context.Context, directives string) (*edge.Edge, error) {
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	return edge.Start(ctx, edge.Options{Binary: b.binary, Dir: dir, Site: directives + b.proxy(), Path: "/"})
}

// startForward starts a proxy that asks another server.
func (b *bench) startForward(ctx context.Context, other *edge.Edge, token string) (*edge.Edge, error) {
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	site := fmt.Sprintf(`forward_auth %s {
		uri /v1/auth/verify/
		copy_headers X-Auth-User-Id X-Auth-Email X-Auth-Email-Verified X-Auth-Name X-Auth-Method X-Auth-Client X-Auth-Session-Id
	}
	%s`, other.Address, b.proxy())
	return edge.Start(ctx, edge.Options{Binary: b.binary, Dir: dir, Site: site, Authorization: "Token " + token, Path: "/"})
}

// startGate starts a gate with a copy of the realm's file, because several may
// run at a time; only the large files of realms with revocations are used
// themselves. More is options of the realm, inside options of token_auth.
func (b *bench) startGate(ctx context.Context, r *realmOf, more, inside string) (*edge.Edge, error) {
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	file := r.Path
	if !r.revoked {
		file = filepath.Join(dir, "edgeauth.db")
		if err := copyFile(file, r.Path); err != nil {
			return nil, err
		}
	}
	return edge.Start(ctx, edge.Options{
		Binary: b.binary, Dir: dir,
		Options:       realmBlock("algorithm " + r.Algorithm + "\nstorage bolt " + file + "\n" + more),
		Site:          "login_api\ntoken_auth {\n" + inside + "\n}\n" + b.proxy(),
		Authorization: "Token " + r.hot, Path: "/",
	})
}

// realmBlock is the global option of a realm without limits.
func realmBlock(options string) string {
	block := "edgeauth {\nclient " + realm.ClientName + " " + realm.ClientKey + "\nemail_link " + realm.EmailLink + "\ninsecure_debug_links\n"
	for _, limit := range []string{"link_per_address", "link_per_ip", "link_per_client", "link_overall", "login_per_ip", "authorize_per_ip"} {
		block += "limit " + limit + " off\n"
	}
	return block + options + "\n}"
}

func copyFile(to, from string) (err error) {
	source, err := os.Open(from) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // as above
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
