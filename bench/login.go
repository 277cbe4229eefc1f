package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/bench/internal/edge"
	"github.com/edgeauth/edgeauth/bench/internal/load"
	"github.com/edgeauth/edgeauth/bench/internal/realm"
	"github.com/edgeauth/edgeauth/bench/internal/share"
	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// loginGoal is the number of logins per second on bolt that is aimed at.
const loginGoal = 2000

// phase is one kind of request on the login side.
type phase struct {
	rate, p50, p99 float64
	// cpu is microseconds of the edge for each request, busy how many
	// processors it kept busy.
	cpu, busy float64
	refused   int
}

func (p phase) cells() []string {
	return []string{
		stat.Whole(p.rate), stat.Whole(p.p50), stat.Whole(p.p99), stat.Micro(p.cpu), fmt.Sprintf("%.2f", p.busy),
	}
}

// logins measures links and logins through HTTP on every store, and the engines by
// themselves.
func (b *bench) logins(ctx context.Context, out *document) (err error) {
	if !b.wants(loginSection) {
		return nil
	}
	servers, err := b.startEngines(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	out.section("The login side")
	out.text("Requests to the login API over HTTP, limits off, mails rendered and dropped. A first login makes the account: it waits " +
		"for three writes that are on disk one after the other (link spent, account, session), a later one for two, a link for one. " +
		"PostgreSQL has " + postgresSettings + ", Redis " + redisSettings + "; both run on this machine, share its processors with " +
		"edge and load generator, and their processor time is not in the table.")
	for _, missing := range servers.missing {
		out.text(missing)
	}
	profiles, refused, err := b.loginTable(ctx, out, servers)
	if err != nil {
		return err
	}
	if refused > 0 {
		out.text(fmt.Sprintf("%s link requests were refused with 503, because the queue of mails was full, and are not counted.", count(refused)))
	}
	if err := b.bareEngines(ctx, out, servers); err != nil {
		return err
	}
	out.text("Shares of the processor time of the edge, from a profile:")
	out.table(loginProfileTable(profiles))
	return nil
}

// loginTable measures all stores, and takes a profile of the one with a goal.
func (b *bench) loginTable(
	ctx context.Context, out *document, servers engineServers,
) (profiles []taken, refused int, err error) {
	table := stat.NewTable("login API", "clients", "per second", "p50 µs", "p99 µs", "edge µs each", "processors busy", "goal", "met")
	for _, clients := range []int{1, connections} {
		for _, storage := range servers.storages() {
			b.progress("login: %s, %d clients", storage, clients)
			var profile *taken
			if storage == "bolt" && clients > 1 {
				profile = &taken{title: "first logins on bolt, 64 clients"}
			}
			phases, err := b.loginsOn(ctx, servers, storage, clients, profile)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", storage, err)
			}
			if profile != nil {
				profiles = append(profiles, *profile)
			}
			for i, what := range []string{"link", "first login", "link to a known address", "later login"} {
				cells := append([]string{what + ", " + storage, strconv.Itoa(clients)}, phases[i].cells()...)
				limit, met := "", ""
				if storage == "bolt" && clients > 1 && i%2 == 1 {
					limit, met = "≥ "+stat.Whole(loginGoal), verdict(-phases[i].rate, -loginGoal)
				}
				table.Add(append(cells, limit, met)...)
				refused += phases[i].refused
			}
		}
	}
	out.table(table)
	return profiles, refused, nil
}

func loginProfileTable(profiles []taken) *stat.Table {
	table := stat.NewTable(append([]string{""}, share.LoginNames()...)...)
	for _, p := range profiles {
		cells := []string{p.title}
		for _, name := range share.LoginNames() {
			cells = append(cells, fmt.Sprintf("%.1f %%", 100*p.shares[name]))
		}
		table.Add(cells...)
	}
	return table
}

// loginsOn measures the phases on one store.
func (b *bench) loginsOn(
	ctx context.Context, servers engineServers, storage string, clients int, profile *taken,
) (phases []phase, err error) {
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	started, err := edge.Start(ctx, edge.Options{
		Binary: b.binary, Dir: dir, Options: realmBlock(servers.option(storage, dir)),
		Site: "login_api\n\t" + b.proxy(), Path: "/v1/auth/.well-known/jwks.json",
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, started.Stop()) }()
	pool, err := load.Dial(ctx, started.Address, clients)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	l := &loginLoad{edge: started, pool: pool, n: b.alone}
	if clients > 1 {
		l.n = b.together
	}
	l.secrets = make([]string, l.n)
	for i := range 4 {
		run := l.links
		if i%2 == 1 {
			run = l.spend
		}
		if i == 1 && profile != nil {
			run = l.profiled(run, b.profileSeconds, profile)
		}
		p, err := run(ctx)
		if err != nil {
			return nil, err
		}
		phases = append(phases, p)
	}
	return phases, nil
}

// loginLoad asks for links and spends them.
type loginLoad struct {
	edge    *edge.Edge
	pool    *load.Clients
	n       int
	secrets []string
}

// links asks for a link for each of n addresses.
func (l *loginLoad) links(ctx context.Context) (phase, error) {
	head := l.head("/v1/auth/by-link/link/")
	refused := make([]bool, l.n)
	p, err := l.measure(ctx, load.Plan{
		Requests: l.n,
		Append: func(buffer []byte, i int) []byte {
			return appendBody(append(buffer, head...), fmt.Appendf(nil, `{"email":"user%07d@example.com"}`, i))
		},
		Check: func(i, status int, body []byte) error {
			if status == http.StatusServiceUnavailable {
				refused[i] = true
				l.secrets[i] = ""
				return nil
			}
			_, rest, found := bytes.Cut(body, []byte("/auth/link/"))
			secret, _, ended := bytes.Cut(rest, []byte(`"`))
			if status != http.StatusOK || !found || !ended {
				return fmt.Errorf("link: answered with %d", status)
			}
			l.secrets[i] = string(secret)
			return nil
		},
	})
	for _, r := range refused {
		if r {
			p.refused++
		}
	}
	p.rate *= float64(l.n-p.refused) / float64(l.n)
	return p, err
}

// spend logs in with every link.
func (l *loginLoad) spend(ctx context.Context) (phase, error) {
	var live []string
	for _, secret := range l.secrets {
		if secret != "" {
			live = append(live, secret)
		}
	}
	head := l.head("/v1/auth/by-link/login/")
	return l.measure(ctx, load.Plan{
		Requests: len(live),
		Append: func(buffer []byte, i int) []byte {
			return appendBody(append(buffer, head...), fmt.Appendf(nil, `{"token":%q,"client_key":%q}`, live[i], realm.ClientKey))
		},
		Check: func(_, status int, _ []byte) error {
			if status != http.StatusOK {
				return fmt.Errorf("login: answered with %d", status)
			}
			return nil
		},
	})
}

func (l *loginLoad) head(path string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: " + l.edge.Address + "\r\nContent-Type: application/json\r\nContent-Length: "
}

func appendBody(buffer, body []byte) []byte {
	buffer = strconv.AppendInt(buffer, int64(len(body)), 10)
	return append(append(buffer, "\r\n\r\n"...), body...)
}

func (l *loginLoad) measure(ctx context.Context, plan load.Plan) (phase, error) {
	before, err := l.edge.CPU()
	if err != nil {
		return phase{}, err
	}
	result, err := l.pool.Run(ctx, plan)
	if err != nil {
		return phase{}, err
	}
	after, err := l.edge.CPU()
	return phase{
		rate: result.Rate(),
		p50:  stat.Microseconds(result.Quantile(0.50)),
		p99:  stat.Microseconds(result.Quantile(0.99)),
		cpu:  stat.Microseconds(after-before) / float64(plan.Requests),
		busy: (after - before).Seconds() / result.Elapsed.Seconds(),
	}, err
}

// profiled takes a profile meanwhile. What follows the phase is idle and takes no
// samples.
func (l *loginLoad) profiled(run func(context.Context) (phase, error), seconds int, to *taken) func(context.Context) (phase, error) {
	return func(ctx context.Context) (phase, error) {
		var text bytes.Buffer
		done := make(chan error, 1)
		go func() { done <- l.edge.Profile(ctx, time.Duration(seconds)*time.Second, &text) }()
		p, err := run(ctx)
		if err := errors.Join(err, <-done); err != nil {
			return p, err
		}
		to.shares, err = share.Of(&text)
		return p, err
	}
}
