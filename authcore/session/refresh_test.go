package session_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/session"
)

func TestRefresh(t *testing.T) {
	node := newNode(t, nil)
	login := node.Login(ann, nil)
	old := node.Claims(login.Token)
	node.Clock.Advance(24 * time.Hour)
	fresh := refresh(t, node, login.Token)
	claims := node.Claims(fresh.Token)
	if claims.Session != old.Session || claims.Subject != old.Subject || claims.AuthTime != old.AuthTime || claims.ID == old.ID {
		t.Errorf("refreshed claims = %+v, want those of the session of %+v with another jti", claims, old)
	}
	if want := node.Clock.Now().Add(days(14)); !fresh.ExpiresAt().Equal(want) || claims.ExpiresAt != want.Unix() || claims.IssuedAt != node.Clock.Now().Unix() {
		t.Errorf("refreshed token has exp %s and claims %+v, want exp %s", fresh.ExpiresAt(), claims, want)
	}
	if !accepted(node, login.Token) {
		t.Error("the gate refused the old token after a refresh, want it accepted")
	}
	stored := node.Account(t.Context(), login.User.ID).Sessions[0]
	if !stored.LastSeen.Equal(node.Clock.Now()) || !stored.Expires.Equal(fresh.ExpiresAt()) || stored.Token.ID != claims.ID {
		t.Errorf("stored session = %+v, want last seen now and the new token", stored)
	}
	node.Clock.Advance(days(13)) // the first token has expired, the second has not
	if accepted(node, login.Token) || !accepted(node, fresh.Token) {
		t.Error("after 14 days the gate accepted the first token or refused the second")
	}
	if got, want := node.Events(), []authcore.EventName{authcore.EventRefresh}; !slices.Equal(got, want) {
		t.Errorf("events = %v, want %v", got, want)
	}
}

// The token that is presented decides the answer.
func TestRefreshAnswers(t *testing.T) {
	const newest, same, reuse = "a successor", "the newest token", "the end of the session"
	for name, c := range map[string]struct {
		// presented is the age of the token in refreshes: 0 is the newest.
		presented int
		after     time.Duration
		want      string
	}{
		"newest":                              {0, 0, newest},
		"newest, later":                       {0, days(13), newest},
		"predecessor at the same time":        {1, 0, same},
		"predecessor within the grace":        {1, 29 * time.Second, same},
		"predecessor after the grace":         {1, 30 * time.Second, reuse},
		"older token within the grace":        {3, 26 * time.Second, same},
		"older token after the grace":         {3, 28 * time.Second, reuse}, // superseded two seconds earlier
		"oldest token, long after":            {4, time.Hour, reuse},
		"predecessor before the clock jumped": {1, -time.Minute, reuse},
	} {
		t.Run(name, func(t *testing.T) {
			node := newNode(t, nil)
			grants := []session.Grant{node.Login(ann, nil)}
			for range 4 {
				grants = append(grants, refresh(t, node, grants[len(grants)-1].Token))
				node.Clock.Advance(time.Second)
			}
			node.Clock.Advance(c.after - time.Second)
			last := grants[len(grants)-1]
			presented := node.Claims(grants[len(grants)-1-c.presented].Token)
			got, err := node.Refresh(t.Context(), presented)
			if c.want == reuse {
				wantError(t, "Refresh()", err, 401, authcore.CodeInvalidToken)
				for i, grant := range grants {
					if accepted(node, grant.Token) {
						t.Errorf("the gate accepted token %d of the session after its reuse", i)
					}
				}
				if events := node.Events(); events[len(events)-1] != authcore.EventReuse {
					t.Errorf("events = %v, want %s at the end", events, authcore.EventReuse)
				}
				return
			}
			if err != nil {
				t.Fatalf("Refresh() failed: %v", err)
			}
			idempotent := got.Session.Token == last.Session.Token && got.Token == last.Token
			if idempotent != (c.want == same) {
				t.Errorf("Refresh() = token %+v, newest was %+v, want %s", got.Session.Token, last.Session.Token, c.want)
			}
		})
	}
}

// Tabs that refresh one token at the same time get the same successor.
func TestRefreshAtTheSameTime(t *testing.T) {
	node := newNode(t, nil)
	claims := node.Claims(node.Login(ann, nil).Token)
	var mu sync.Mutex
	tokens := map[string]int{}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			grant, err := node.Refresh(t.Context(), claims)
			if err != nil {
				t.Errorf("Refresh() failed: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			tokens[grant.Token]++
		})
	}
	group.Wait()
	if len(tokens) != 1 {
		t.Errorf("50 refreshes of one token returned %d tokens, want 1", len(tokens))
	}
}

// A client keeps the token that it has until an answer arrives.
func TestRefreshWithLostAnswers(t *testing.T) {
	node := newNode(t, nil)
	login := node.Login(ann, nil)
	lost := refresh(t, node, login.Token)
	for range 5 {
		node.Clock.Advance(5 * time.Second)
		if again := refresh(t, node, login.Token); again.Token != lost.Token {
			t.Fatalf("repeated Refresh() = %+v, want %+v", again.Session.Token, lost.Session.Token)
		}
	}
}

func TestRefreshChecksTheClient(t *testing.T) {
	node := newNode(t, nil)
	login := node.Login(ann, nil)
	other := restart(t, node, func(c *session.Config) { c.Clients = c.Clients[1:] })
	_, err := other.Refresh(t.Context(), other.Claims(login.Token))
	wantError(t, "Refresh() for a removed client", err, 400, authcore.CodeInvalidClient)
	if !accepted(other, login.Token) {
		t.Error("the gate refused the token of a removed client, want it accepted until it expires")
	}
	refresh(t, node, login.Token)
}

// A refresh and a login follow the same rules.
func TestRefreshChecksTheAccount(t *testing.T) {
	social := func(email string, proven bool) func(*authcore.Account, *authcore.Session) {
		return func(a *authcore.Account, s *authcore.Session) {
			a.Identities = append(a.Identities, authcore.Identity{
				Provider: "github", Subject: "1", PublicID: "public", Email: email, EmailVerified: proven, Created: s.Created,
			})
			s.Method, s.Identity = "github", "public"
		}
	}
	nameless := func(next func(*authcore.Account, *authcore.Session)) func(*authcore.Account, *authcore.Session) {
		return func(a *authcore.Account, s *authcore.Session) {
			a.User.Email, a.User.EmailVerified = "", false
			next(a, s)
		}
	}
	for name, c := range map[string]struct {
		login func(*authcore.Account, *authcore.Session)
		rules account.Rules
		want  authcore.Code
	}{
		"no lists":                            {nil, account.Rules{}, ""},
		"denied address":                      {nil, account.Rules{Deny: []string{ann}}, authcore.CodeNotAdmitted},
		"no longer allowed":                   {nil, account.Rules{Allow: []string{"bob@example.com"}}, authcore.CodeNotAdmitted},
		"allowed":                             {nil, account.Rules{Allow: []string{"example.com"}}, ""},
		"signup closed":                       {nil, account.Rules{Signup: account.SignupClosed}, ""},
		"admitted by the provider's word":     {nameless(social("ann@corp.example", true)), account.Rules{Allow: []string{"corp.example"}}, ""},
		"not by an unverified address":        {nameless(social("ann@corp.example", false)), account.Rules{Allow: []string{"corp.example"}}, authcore.CodeNotAdmitted},
		"admitted by the user's address":      {social("x@y.example", true), account.Rules{Allow: []string{"example.com"}}, ""},
		"denied at the provider":              {social("ann@evil.example", false), account.Rules{Deny: []string{"evil.example"}}, authcore.CodeNotAdmitted},
		"denied at a provider of another one": {nil, account.Rules{Deny: []string{"evil.example"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			node := newNode(t, nil)
			node.Login(ann, func(a *authcore.Account, _ *authcore.Session) {
				a.Identities = append(a.Identities, authcore.Identity{Provider: "x", Subject: "9", PublicID: "9", Email: "ann@evil.example"})
			})
			if c.login == nil {
				c.login = func(*authcore.Account, *authcore.Session) {}
			}
			login := node.Login(ann, c.login)
			c.rules.SetDefaults()
			if err := c.rules.Validate(); err != nil {
				t.Fatalf("Validate() failed: %v", err)
			}
			now := restart(t, node, func(cfg *session.Config) { cfg.Rules = &c.rules })
			_, err := now.Refresh(t.Context(), now.Claims(login.Token))
			if c.want == "" && err != nil {
				t.Errorf("Refresh() = %v, want a token", err)
			} else if c.want != "" {
				wantError(t, "Refresh()", err, 403, c.want)
			}
		})
	}
}

func TestRefreshOfDisabledAndDeletedUsers(t *testing.T) {
	node := newNode(t, nil)
	login := node.Login(ann, nil)
	claims := node.Claims(login.Token)
	_, err := node.Store.UpdateAccount(t.Context(), login.User.ID, node.Clock.Now(), func(a *authcore.Account) error {
		a.User.Disabled = true
		return nil
	})
	if err != nil {
		t.Fatalf("UpdateAccount() failed: %v", err)
	}
	_, err = node.Refresh(t.Context(), claims)
	wantError(t, "Refresh() for a disabled user", err, 403, authcore.CodeUserInactive)
	if err := node.Store.DeleteUser(t.Context(), login.User.ID, authcore.Revocation{Kind: authcore.RevokeUser, ID: login.User.ID, Until: login.ExpiresAt()}); err != nil {
		t.Fatalf("DeleteUser() failed: %v", err)
	}
	_, err = node.Refresh(t.Context(), claims)
	wantError(t, "Refresh() for a deleted user", err, 403, authcore.CodeUserInactive)
}

func TestRefreshLimit(t *testing.T) {
	node := newNode(t, func(c *session.Config) {
		c.Limits.RefreshPerSession.N, c.Limits.RefreshPerSession.Window = 2, time.Minute
	})
	one, other := node.Login(ann, nil), node.Login(ann, nil)
	for range 2 {
		refresh(t, node, one.Token)
	}
	_, err := node.Refresh(t.Context(), node.Claims(one.Token))
	wantError(t, "third Refresh()", err, 429, authcore.CodeThrottled)
	refresh(t, node, other.Token)
}

// A session that is refreshed all the time keeps a bounded number of predecessors,
// and none of them is refused within the grace.
func TestSupersededTokensAreBounded(t *testing.T) {
	node := newNode(t, nil)
	login := node.Login(ann, nil)
	tokens := []string{login.Token}
	for range 100 {
		tokens = append(tokens, refresh(t, node, tokens[len(tokens)-1]).Token)
	}
	if n := len(node.Account(t.Context(), login.User.ID).Sessions[0].Superseded); n != 32 {
		t.Errorf("the session has %d superseded tokens, want 32", n)
	}
	for _, token := range tokens {
		refresh(t, node, token)
	}
	node.Clock.Advance(time.Minute)
	refresh(t, node, tokens[len(tokens)-1])
	if n := len(node.Account(t.Context(), login.User.ID).Sessions[0].Superseded); n != 1 {
		t.Errorf("the session has %d superseded tokens after the grace, want 1", n)
	}
}

func TestGrantContents(t *testing.T) {
	node := newNode(t, nil)
	login := node.Login(ann, func(a *authcore.Account, _ *authcore.Session) { a.User.FirstName, a.User.LastName = "Ann", "Lee" })
	claims := node.Claims(login.Token)
	if claims.Name != "Ann Lee" || claims.Email != ann || !claims.EmailVerified || claims.Client != "web" || claims.Method != "link" {
		t.Errorf("claims = %+v, want name, address, client and method", claims)
	}
	assertion, err := node.Assert(claims, "upstream", time.Minute)
	if err != nil || strings.Count(assertion, ".") != 2 {
		t.Errorf("Assert() = %q, %v, want a token", assertion, err)
	}
	if _, err := node.Verify(assertion); err == nil {
		t.Error("the gate accepted an assertion as a login token")
	}
	unverified := node.Login("bob@example.com", func(a *authcore.Account, _ *authcore.Session) { a.User.EmailVerified = false })
	if claims := node.Claims(unverified.Token); claims.Email != "" || claims.EmailVerified {
		t.Errorf("claims = %+v, want no unverified address", claims)
	}
}
