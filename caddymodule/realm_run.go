package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	core "github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// openTimeout bounds what a start does with the store.
const openTimeout = 30 * time.Second

// errNotReady reports that a realm does not serve, yet or any more.
var errNotReady = errors.New("edgeauth: the realm is not ready")

// running holds what a started realm has to release.
type running struct {
	cancel  context.CancelFunc
	workers sync.WaitGroup
	release []func() error
}

// start opens store and mailer, starts the realm and its goroutines, and releases the
// waiting requests. If it fails, cleanup closes what it opened.
func (r *Realm) start() error {
	defer r.closeStarted()
	if err := r.checkClients(); err != nil {
		return fmt.Errorf("%s%w", r.label(), err)
	}
	r.warnAboutDebugLinks()
	run := &running{}
	r.running = run
	opening, cancel := context.WithTimeout(r.ctx, openTimeout)
	defer cancel()
	store, release, err := r.storage.OpenStorage(opening, r.name)
	if err != nil {
		return fmt.Errorf("%sstorage: %w", r.label(), err)
	}
	run.release = append(run.release, release)
	mailer, release, err := r.mailer.OpenMailer(MailerEnvironment{
		Realm: r.name, Observe: r.metrics.mailOutcome, Successor: r.handover.mailer,
	})
	if err != nil {
		return fmt.Errorf("%smailer: %w", r.label(), err)
	}
	run.release = append(run.release, release)

	counters, release, err := share("counters:"+r.name, memory.NewCounters)
	if err != nil {
		return err
	}
	run.release = append(run.release, release)

	stored, err := store.UpdateKeys(opening, func(stored []authcore.SigningKey) ([]authcore.SigningKey, error) { return stored, nil })
	if err != nil {
		return fmt.Errorf("%sstorage: %w", r.label(), err)
	}
	config := r.config
	config.Store, config.Mailer, config.LocalCounters = r.observed(store), tracedMailer{mailer, r.name}, counters
	made, err := core.New(opening, config)
	if err != nil {
		return fmt.Errorf("%s%w", r.label(), err)
	}
	working, stop := context.WithCancel(r.ctx)
	run.cancel = stop
	run.workers.Go(func() { made.Run(working) })
	run.workers.Go(func() { r.relay.run(working) })
	var clock *clockWatch
	if storage, ok := r.storage.(StorageClock); ok {
		clock = &clockWatch{storage: storage, logger: r.logger.With("realm", r.name)}
		run.workers.Go(func() { clock.run(working) })
	}
	providers := map[string]authcore.Provider{}
	for _, provider := range config.Providers {
		providers[provider.Name()] = provider
	}
	r.live.Store(&liveRealm{
		Realm: made, mailer: mailer, clock: clock,
		importer: socialauth.New(socialauth.Config{Store: config.Store, Accounts: made.Accounts, Providers: providers}),
	})
	r.handover.begin(r)
	r.logStart(len(stored) == 0)
	return nil
}

// logStart reports what the realm consists of. A store without keys is a warning: if
// it was expected to have users, its location is wrong.
func (r *Realm) logStart(isNew bool) {
	clients, providers := make([]string, len(r.config.Clients)), make([]string, len(r.config.Providers))
	for i := range clients {
		clients[i] = r.config.Clients[i].Name
	}
	for i := range providers {
		providers[i] = r.config.Providers[i].Name()
	}
	store := moduleName(r.storage)
	if located, ok := r.storage.(interface{ location() string }); ok {
		store += " " + located.location()
	}
	logger := r.logger.With("realm", r.name, "store", store, "new_store", isNew,
		"mailer", moduleName(r.mailer), "clients", clients, "providers", providers)
	if isNew {
		logger.Warn("realm started with a new store")
		return
	}
	logger.Info("realm started")
}

func (r *Realm) label() string {
	if r.name == "" {
		return ""
	}
	return "realm " + r.name + ": "
}

func (r *Realm) warnAboutDebugLinks() {
	if r.InsecureDebugLinks {
		r.logger.Warn("INSECURE: insecure_debug_links is set; any client of the login API can log in as any user; use it for development only",
			"realm", r.name, "also_on_public_sites", r.InsecureDebugLinksOnPublicSites)
	}
}

// serving returns the started realm. Caddy starts its apps in no particular order: a
// request that arrives early waits until ctx ends or startWait has passed. After a
// failed start, and when the wait is over, the error is errNotReady.
func (r *Realm) serving(ctx context.Context) (*liveRealm, error) {
	if r.ended.Load() { // r no longer follows revocations
		if next := r.successor(); next != nil {
			return next.serving(ctx)
		}
	}
	if live := r.live.Load(); live != nil {
		return live, nil
	}
	timer := time.NewTimer(r.startWait)
	defer timer.Stop()
	select {
	case <-r.started:
	case <-timer.C:
	case <-ctx.Done():
	}
	if live := r.live.Load(); live != nil {
		return live, nil
	}
	return nil, errNotReady
}

// current returns the started realm that follows revocations now, or nil.
func (r *Realm) current() *liveRealm {
	for r != nil && r.ended.Load() {
		r = r.successor()
	}
	if r == nil {
		return nil
	}
	return r.live.Load()
}

// hold is serving that keeps store and mailer open until release is called: on a
// reload, Caddy cleans up a configuration while its last requests are being served.
func (r *Realm) hold(ctx context.Context) (live *liveRealm, release func(), err error) {
	live, err = r.serving(ctx)
	if err != nil {
		return nil, nil, err
	}
	if r.uses.acquire() {
		return live, r.uses.release, nil
	}
	if next := r.successor(); next != nil {
		return next.hold(ctx)
	}
	return nil, nil, errNotReady
}

// cleanup ends the realm. Its goroutines end now; store and mailer are released now
// or when the last login request ends. A process that exits has waited for its
// requests already, as long as its grace period allows.
func (r *Realm) cleanup() error {
	if r.releaseHandover == nil {
		return nil // not provisioned, or cleaned up already
	}
	r.closeStarted()
	r.handover.end(r)
	r.ended.Store(true)
	released := r.releaseHandover()
	r.releaseHandover = nil
	return errors.Join(released, r.stop())
}

// stop ends the goroutines and releases what start opened.
func (r *Realm) stop() error {
	run := r.running
	if run == nil {
		return nil
	}
	r.running = nil
	if run.cancel != nil {
		run.cancel()
		run.workers.Wait()
	}
	return r.uses.end(caddy.Exiting(), func() error {
		var faults []error
		for _, release := range run.release {
			faults = append(faults, release())
		}
		return errors.Join(faults...)
	})
}

// observe receives the events of the core.
func (r *Realm) observe(_ context.Context, event authcore.Event) {
	r.metrics.event(r.name, event)
	r.providers.observe(event, time.Now())
	r.relay.offer(event)
}
