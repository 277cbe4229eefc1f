package login_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
)

func (f *fixture) guessFrom(ip, requestID, code string) error {
	at := caller
	at.IP = mustAddr(ip)
	_, err := f.Logins.ByCode(f.t.Context(), login.CodeLogin{RequestID: requestID, Code: code, ClientKey: clientKey, Caller: at})
	return err
}

// An attacker guesses codes of many links from one network (CWE-307): 20 wrong codes
// in 15 minutes are evaluated, whatever they are for. Right codes cost nothing.
func TestHardeningGuessesOfANetwork(t *testing.T) {
	f := newFixture(t, withDefaultLimits)
	for i := range 20 {
		email := fmt.Sprintf("user%d@example.com", i)
		f.requestFrom("192.0.2.7", email)
		requestID, mail := f.request(email)
		if _, err := f.byCode(requestID, mail.Code); err != nil {
			t.Fatalf("ByCode() of user %d failed: %v", i, err)
		}
	}
	for range 20 {
		wantCode(t, f.guessFrom("198.51.100.1", strings.Repeat("A", 22), "123456"), 400, authcore.CodeInvalidCode)
	}
	wantCode(t, f.guessFrom("198.51.100.1", strings.Repeat("A", 22), "123456"), 429, authcore.CodeThrottled)
}

// An attacker requests links for a victim's address and guesses the codes of all of
// them from many networks (CWE-307). After 15 wrong codes in an hour the codes of the
// address stop, the right one too, with the answer of a wrong code; links still work.
func TestHardeningGuessesOfAnAddress(t *testing.T) {
	f := newFixture(t, withDefaultLimits)
	for i := range 15 {
		ip := fmt.Sprintf("198.51.%d.1", i)
		receipt, err := f.Logins.RequestLink(t.Context(), from(ip, "victim@example.com", clientKey))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, f.guessFrom(ip, receipt.RequestID, differentFrom(f.mails.last(t).Code)), 400, authcore.CodeInvalidCode)
		f.clock.Advance(3 * time.Minute)
	}
	f.clock.Advance(10 * time.Minute)
	requestID, mail := f.request("victim@example.com")
	wantCode(t, f.guessFrom("203.0.113.1", requestID, mail.Code), 400, authcore.CodeInvalidCode)
	other, second := f.request("bob@example.com")
	if _, err := f.byCode(other, second.Code); err != nil {
		t.Errorf("ByCode() for another address failed: %v", err)
	}
	if _, err := f.byLink(tokenOf(mail)); err != nil {
		t.Errorf("ByLink() while the codes are stopped failed: %v", err)
	}
}

// A wrong code must not reveal whether a link is live or its address has an account
// (CWE-204): store calls, counters and the written record are the same.
func TestHardeningGuessesAreIndistinguishable(t *testing.T) {
	f := newFixture(t, withDefaultLimits)
	f.loginAs("ann@example.com")
	known, _ := f.request("ann@example.com")
	unknown, mail := f.request("new@example.com")
	requests := map[string]string{"known": known, "unknown": unknown, "no link": strings.Repeat("A", 22)}
	traces := map[string]string{}
	// The first guess without a link makes the decoy, once a month.
	wantCode(t, f.guessFrom("198.51.100.1", requests["no link"], "123456"), 400, authcore.CodeInvalidCode)
	for i := range 7 {
		for name, requestID := range requests {
			f.store.failing(nil)
			f.store.steps = nil
			wantCode(t, f.guessFrom(fmt.Sprintf("192.0.2.%d", i), requestID, differentFrom(mail.Code)), 400, authcore.CodeInvalidCode)
			calls := f.store.counts()
			traces[name] = fmt.Sprintf("%d reads, %d counts, %d writes", calls["Record"], calls["Count"], calls["Login"]+calls["PutRecord"])
			for _, step := range f.store.steps {
				if len(step.Refs) > 0 {
					t.Errorf("%s: a wrong code loads an account", name)
				}
			}
		}
		if traces["known"] != traces["no link"] || traces["unknown"] != traces["no link"] {
			t.Fatalf("traces = %v, want the same", traces)
		}
		f.clock.Advance(2 * time.Minute)
	}
}

// The decoy that a guess leaves is not a way in: neither the guessed code nor any
// link of the request logs in.
func TestHardeningDecoyOfAGuess(t *testing.T) {
	f := newFixture(t, nil)
	requestID := strings.Repeat("A", 22)
	for range 3 {
		wantCode(t, f.guessFrom("192.0.2.7", requestID, "123456"), 400, authcore.CodeInvalidCode)
	}
	_, err := f.byLink(requestID[:21] + strings.Repeat("A", 43))
	wantCode(t, err, 400, authcore.CodeInvalidLink)
	f.store.failing(func(method string, _ int) (error, bool) {
		return map[bool]error{true: errDown}[method == "PutRecord"], false
	})
	err = f.guessFrom("192.0.2.7", strings.Repeat("B", 21)+"A", "123456")
	if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Status != 503 {
		t.Errorf("ByCode() without the store = %v, want 503", err)
	}
}
