package caddymodule

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
)

// providerHealth remembers how the last login through each provider ended. The zero value
// is ready to use.
type providerHealth struct {
	mu   sync.Mutex
	last map[string]providerOutcome
}

// providerOutcome is the end of a login. Code is "" for a success.
type providerOutcome struct {
	at   time.Time
	code authcore.Code
}

// observe receives the events of a realm.
func (p *providerHealth) observe(event authcore.Event, at time.Time) {
	faults := []authcore.Code{authcore.CodeProviderUnavailable, authcore.CodeProviderTimeout, authcore.CodeProviderMisconfigured}
	failed := event.Name == authcore.EventLoginFailed && slices.Contains(faults, event.Code)
	if event.Name != authcore.EventLogin && !failed {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[string]providerOutcome{}
	}
	p.last[event.Method] = providerOutcome{at, event.Code}
}

// checks returns the state of the providers, in the order of their names.
func (p *providerHealth) checks(providers []authcore.Provider) []adminapi.Check {
	p.mu.Lock()
	defer p.mu.Unlock()
	checks := make([]adminapi.Check, 0, len(providers))
	for _, provider := range providers {
		name := provider.Name()
		outcome, known := p.last[name]
		if !known {
			checks = append(checks, adminapi.Check{Name: name, OK: true, Detail: "No user has logged in since the start."})
			continue
		}
		check := adminapi.Check{Name: name, OK: outcome.code == "", Detail: "A user logged in at "}
		if !check.OK {
			check.Detail = fmt.Sprintf("A login failed with %s at ", outcome.code)
		}
		check.Detail += outcome.at.UTC().Format(time.RFC3339) + "."
		checks = append(checks, check)
	}
	return checks
}

// mailCheck returns the state of the queue of a mailer.
func mailCheck(mailer authcore.Mailer) adminapi.Check {
	const many = 1000
	queue, counts := mailer.(interface{ Len() int })
	if !counts {
		return adminapi.Check{Name: "mail", OK: true, Detail: "The mailer has no queue."}
	}
	waiting := queue.Len()
	return adminapi.Check{Name: "mail", OK: waiting < many, Detail: fmt.Sprintf("%d mails wait for delivery.", waiting)}
}
