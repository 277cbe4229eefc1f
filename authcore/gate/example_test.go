package gate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// edge checks the tokens of an edge without asking it about each.
type edge struct {
	api         string // where the login API is
	issuer      string // issuer of the realm
	client      *http.Client
	keys        *gate.KeySet
	revocations *gate.Revocations
	verifier    *gate.Verifier
	etag        string
}

func newEdge(api, issuer string) *edge {
	e := &edge{api: api, issuer: issuer, client: &http.Client{Timeout: 10 * time.Second}, revocations: gate.NewRevocations()}
	e.verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer:      issuer,
		Audience:    issuer, // unless the realm names another
		Purpose:     gate.PurposeLogin,
		Revocations: e.revocations,
	})
	return e
}

// follow reads the keys every ten minutes and what is revoked every five
// seconds, until ctx ends.
func (e *edge) follow(ctx context.Context) {
	keys, feed := time.NewTicker(10*time.Minute), time.NewTicker(5*time.Second)
	defer keys.Stop()
	defer feed.Stop()
	for ctx.Err() == nil {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-keys.C:
			err = e.loadKeys(ctx)
		case <-feed.C:
			err = e.loadRevocations(ctx)
		}
		if err != nil {
			log.Print(err) // what is known stays in use, and grows old
		}
	}
}

func (e *edge) loadKeys(ctx context.Context) error {
	text, _, err := e.get(ctx, "/.well-known/jwks.json", "")
	if err != nil {
		return err
	}
	keys, err := gate.ParseJWKS(text)
	if err != nil {
		return err
	}
	e.keys = keys
	e.verifier.SetKeys(keys)
	return nil
}

func (e *edge) loadRevocations(ctx context.Context) error {
	text, etag, err := e.get(ctx, "/revocations/", e.etag)
	if err != nil || text == nil { // nil: nothing new
		return err
	}
	feed, err := e.keys.RevocationFeed(string(text), e.issuer, time.Now())
	if err != nil {
		return err
	}
	// Another node behind the same name may be a second behind.
	if err := e.revocations.Load(feed); err != nil && !errors.Is(err, gate.ErrFeedOlder) {
		return err
	}
	e.etag = etag
	return nil
}

func (e *edge) get(ctx context.Context, path, known string) (text []byte, etag string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.api+path, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	if known != "" {
		request.Header.Set("If-None-Match", known)
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		text, err = io.ReadAll(io.LimitReader(answer.Body, gate.MaxRevocationFeed+1))
		return text, answer.Header.Get("Etag"), err
	case http.StatusNotModified:
		return nil, known, nil
	default:
		return nil, "", fmt.Errorf("%s: %s", path, answer.Status)
	}
}

// require lets requests with a good token through.
func (e *edge) require(next func(w http.ResponseWriter, r *http.Request, who *gate.Claims)) http.Handler {
	var policy gate.Policy
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		if age, loaded := e.revocations.FeedAge(now); !loaded || age > 5*time.Minute {
			http.Error(w, "it is not known who has logged out", http.StatusServiceUnavailable)
			return
		}
		decision := policy.Decide(e.verifier, gate.Request{Method: r.Method, Authorization: r.Header.Values("Authorization"), Now: now})
		if decision.Status != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("WWW-Authenticate", gate.Challenge)
			w.WriteHeader(decision.Status)
			fmt.Fprint(w, decision.Body)
			return
		}
		next(w, r, decision.Claims)
	})
}

// An upstream that verifies tokens by itself: the keys and what is revoked come
// from the edge every few seconds, the requests do not wait for it.
func Example_upstream() {
	server, ann, bob := exampleEdge() // a running edge; Bob has logged out
	defer server.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	e := newEdge(server.URL+"/v1/auth", "edgeauth")
	if err := errors.Join(e.loadKeys(ctx), e.loadRevocations(ctx)); err != nil {
		log.Print(err)
		return
	}
	go e.follow(ctx)
	application := e.require(func(w http.ResponseWriter, _ *http.Request, who *gate.Claims) {
		fmt.Fprint(w, "Good morning, ", who.Email)
	})
	fmt.Println(exampleCall(application, ann))
	fmt.Println(exampleCall(application, bob))
	fmt.Println(exampleCall(application, ""))
	// Output:
	// 200 Good morning, ann@example.com
	// 401 {"detail":"Invalid token."}
	// 401 {"detail":"Authentication credentials were not provided."}
}
