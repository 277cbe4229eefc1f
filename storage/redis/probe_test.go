package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

func TestProbe(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	db := open(t, Config{URL: server.URL()})
	s := realm(t, db, "main")
	stats := func(name string, n int, f func(i int)) {
		server.Do(t, "config", "resetstat")
		for i := range n {
			f(i)
		}
		for _, l := range strings.Split(fmt.Sprint(server.Do(t, "info", "commandstats")), "\n") {
			if strings.HasPrefix(l, "cmdstat_evalsha") {
				t.Log(name, l)
			}
		}
	}
	ctx := t.Context()
	stats("count", 3000, func(i int) {
		_, err := s.Count(ctx, start, []authcore.Counter{{Limit: "l", Party: fmt.Sprint(i), Window: time.Minute, Add: 1}})
		if err != nil {
			t.Fatal(err)
		}
	})
	stats("put", 3000, func(i int) {
		s.PutRecord(ctx, record(fmt.Sprint(i)), authcore.PutOptions{Now: start, Keep: 3})
	})
	stats("read", 3000, func(i int) {
		s.load(ctx, []authcore.UserRef{{EmailKey: fmt.Sprint(i)}}, s.recordKey(record(fmt.Sprint(i)).RecordKey))
	})
	stats("login", 3000, func(i int) {
		k := fmt.Sprint(i)
		account := authcore.Account{User: user(id(k), k+"@example.com"), Sessions: []authcore.Session{session(id("s" + k))}}
		_, err := s.Login(ctx, authcore.LoginStep{Now: start, Proof: record(k).RecordKey, Refs: []authcore.UserRef{{EmailKey: k + "@example.com"}}, Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil }})
		if err != nil {
			t.Fatal(err)
		}
	})
	stats("empty", 3000, func(i int) {
		db.client.EvalSha(ctx, db.client.ScriptLoad(ctx, "return 0").Val(), []string{"a"}, 1)
	})
}
