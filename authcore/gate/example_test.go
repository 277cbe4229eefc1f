package gate_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// edge checks the tokens of an issuer without a request to it for each.
type edge struct {
	api         string // the URL of the login API
	issuer      string // the issuer of the realm
	client      *http.Client
	keys        *gate.KeySet
	revocations *gate.Revocations
	verifier    *gate.Verifier
}

func newEdge(api, issuer string) *edge {
	e := &edge{api: api, issuer: issuer, client: &http.Client{Timeout: time.Minute}, revocations: gate.NewRevocations()}
	e.verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer:      issuer,
		Audience:    issuer, // unless the realm has another one
		Purpose:     gate.PurposeLogin,
		Revocations: e.revocations,
	})
	return e
}

// follow fetches the keys every ten minutes and the revocations every five seconds,
// until ctx ends. Keys are published long before they sign.
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
			log.Print(err) // keys and revocations in use stay in use, and grow old
		}
	}
}

func (e *edge) loadKeys(ctx context.Context) error {
	body, err := e.get(ctx, "/.well-known/jwks.json")
	if err != nil {
		return err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1<<20))
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

// loadRevocations fetches what changed since the last document, or the full list. A
// document is one or more parts, a line each.
func (e *edge) loadRevocations(ctx context.Context) error {
	state, _ := e.revocations.Feed()
	err := e.load(ctx, state.Cursor)
	if errors.Is(err, gate.ErrFeedGap) {
		err = e.load(ctx, "")
	}
	if errors.Is(err, gate.ErrFeedOlder) { // nothing changed, or from a node that is a second behind
		return nil
	}
	return err
}

func (e *edge) load(ctx context.Context, cursor string) error {
	path := "/revocations/"
	if cursor != "" {
		path += "?since=" + url.QueryEscape(cursor)
	}
	body, err := e.get(ctx, path) // compressed: http.Transport asks for it and unpacks it
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, gate.MaxFeedPart)
	complete := false
	for lines.Scan() {
		part, err := e.keys.RevocationFeed(lines.Text(), e.issuer, time.Now())
		if err != nil {
			return err
		}
		if complete, err = e.revocations.Load(part); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if !complete {
		return fmt.Errorf("%s: incomplete", path)
	}
	return nil
}

func (e *edge) get(ctx context.Context, path string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.api+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return answer.Body, nil
}

// require forwards requests with a valid token.
func (e *edge) require(next func(w http.ResponseWriter, r *http.Request, user *gate.Claims)) http.Handler {
	var site gate.Site
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		decision := gate.Unavailable(nil)
		if state, loaded := e.revocations.Feed(); loaded && !state.IsStale(now, 5*time.Minute) {
			decision = site.Decide(e.verifier, gate.Request{Method: r.Method, Header: gate.Header(r.Header), Now: now}, nil)
		}
		if decision.Claims == nil {
			decision.Answer(gate.Header(w.Header()))
			w.WriteHeader(decision.Status)
			fmt.Fprint(w, decision.Body)
			return
		}
		next(w, r, decision.Claims)
	})
}

// An upstream that verifies tokens itself: it fetches keys and revocations from the
// issuer every few seconds, and requests do not wait for them.
func Example_upstream() {
	server, ann, bob := exampleIssuer() // Bob has logged out
	defer server.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	e := newEdge(server.URL+"/v1/auth", "edgeauth")
	if err := errors.Join(e.loadKeys(ctx), e.loadRevocations(ctx)); err != nil {
		log.Print(err)
		return
	}
	go e.follow(ctx)
	application := e.require(func(w http.ResponseWriter, _ *http.Request, user *gate.Claims) {
		fmt.Fprint(w, "Good morning, ", user.Email)
	})
	fmt.Println(exampleCall(application, ann))
	fmt.Println(exampleCall(application, bob))
	fmt.Println(exampleCall(application, ""))
	// Output:
	// 200 Good morning, ann@example.com
	// 401 {"detail":"Invalid token."}
	// 401 {"detail":"Authentication credentials were not provided."}
}
