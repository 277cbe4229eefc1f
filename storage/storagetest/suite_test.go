package storagetest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// faultName names the fault of a test process.
const faultName = "EDGEAUTH_TEST_FAULT"

// TestFaulty runs the suite on a faulty store; TestSuiteFinds starts it.
func TestFaulty(t *testing.T) {
	fault, found := faults()[os.Getenv(faultName)]
	if !found {
		t.Skip("no fault is named")
	}
	if fault.run != nil {
		t.Run(fault.group, fault.run)
		return
	}
	config := storagetest.Config{Open: func(*testing.T) authcore.Store {
		h := hook()
		if fault.inject != nil {
			fault.inject(h)
		}
		return h
	}}
	if fault.config != nil {
		fault.config(&config)
	}
	storagetest.Run(t, config)
}

// TestSuiteFinds tests the suite: a store that breaks one rule of the contract
// fails its group.
func TestSuiteFinds(t *testing.T) {
	t.Parallel()
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite := exec.CommandContext(t.Context(), os.Args[0],
				"-test.run=^TestFaulty$/^"+fault.group+"$", "-test.timeout=60s", "-test.short")
			suite.Env = append(os.Environ(), faultName+"="+name)
			output, err := suite.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Errorf("group %s passed, or did not run: error %v\n%s", fault.group, err, output)
			}
		})
	}
}

// TestRight runs the suite on the store that the faults are derived from.
func TestRight(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, storagetest.Config{Open: func(*testing.T) authcore.Store { return hook() }})
}

func TestDurable(t *testing.T) {
	t.Parallel()
	storagetest.RunDurable(t, func(*testing.T) func() authcore.Store {
		store := memory.New()
		return func() authcore.Store { return store }
	})
}

// TestLoginFaults fails a login before and after its step.
func TestLoginFaults(t *testing.T) {
	t.Parallel()
	failLogins(t, func(*hooked, authcore.LoginStep) {})
}

// failLogins runs RunLoginFaults on a store that does something before it fails.
func failLogins(t *testing.T, before func(*hooked, authcore.LoginStep)) {
	t.Helper()
	h := hook()
	point := -1
	h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
		if point == 0 {
			before(h, step)
			return account{}, authcore.ErrUnavailable
		}
		got, err := h.Store.Login(ctx, step)
		if point == 1 {
			return account{}, authcore.ErrUnavailable
		}
		return got, err
	}
	storagetest.RunLoginFaults(t, h, func(n int) func() {
		point = n
		return func() { point = -1 }
	})
}

// TestSteps takes each step once on a store that works.
func TestSteps(t *testing.T) {
	t.Parallel()
	store := memory.New()
	storagetest.Furnish(t, store)
	for name, step := range storagetest.Steps(store) {
		if err := step(t.Context()); err != nil {
			t.Errorf("%s: error %v, want none", name, err)
		}
	}
}

// TestVictim reads the reports of victims that are stopped.
func TestVictim(t *testing.T) {
	t.Parallel()
	stopVictims(t, hook())
}

func stopVictims(t *testing.T, store authcore.Store) {
	t.Helper()
	journal := storagetest.NewJournal()
	for round := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		output, lines := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := storagetest.RunVictim(ctx, store, uint64(round), lines)
			lines.Close()
			ended <- err
		}()
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			if journal.Note(scanner.Text()); journal.Lines > 300*(round+1) {
				cancel()
			}
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("RunVictim = error %v, want %v", err, context.Canceled)
		}
		cancel()
		journal.Check(t, store, round)
	}
}
