package authcore_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// Limits hold while the store cannot count: otherwise whoever can slow the
// store down could guess and mail without end (CWE-307, CWE-799).
func TestLimitsWithoutTheStore(t *testing.T) {
	for _, name := range []string{"down", "hanging"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				act := down
				if name == "hanging" {
					act = hang
				}
				store := newScripted(memory.New())
				node := newNode(t, store, func(c *authcore.Config) {
					c.LocalCounters = memory.NewCounters()
					c.Limits = authcore.Limits{LoginPerIP: authcore.Rate{N: 3, Window: time.Hour}}
				})
				store.do(act, "Count")
				for range 3 {
					_, err := node.spend("x") // counted here, judged by the store
					wantCode(t, err, 400, authcore.CodeInvalidLink)
				}
				asked := store.begun("Count")
				began := time.Now()
				_, err := node.spend("x")
				wantCode(t, err, 429, authcore.CodeThrottled)
				if name == "hanging" && (asked != 1 || time.Since(began) != 0) {
					t.Errorf("asked %d times, waited %s", asked, time.Since(began))
				}
				store.do(act)
				pass(time.Hour)
				_, err = node.spend("x")
				wantCode(t, err, 503, authcore.CodeUnavailable) // by what comes after the limit
				store.do(nil)
				pass(3 * time.Second)
				for range 3 { // in common again
					_, err := node.spend("x")
					wantCode(t, err, 400, authcore.CodeInvalidLink)
				}
				_, err = node.spend("x")
				wantCode(t, err, 429, authcore.CodeThrottled)
			})
		})
	}
}

// Limits of two nodes are one limit.
func TestLimitsAcrossNodes(t *testing.T) {
	store := memory.New()
	few := func(c *authcore.Config) {
		c.LocalCounters = memory.NewCounters()
		c.Limits = authcore.Limits{LoginPerIP: authcore.Rate{N: 4, Window: time.Hour}}
	}
	a, b := newNode(t, store, few), newNode(t, store, few)
	for range 2 {
		for _, node := range []*fixture{a, b} {
			_, err := node.spend("x")
			wantCode(t, err, 400, authcore.CodeInvalidLink)
		}
	}
	for _, node := range []*fixture{a, b} {
		_, err := node.spend("x")
		wantCode(t, err, 429, authcore.CodeThrottled)
	}
}
