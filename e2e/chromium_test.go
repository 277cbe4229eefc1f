package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/launcher"
)

// browserPath returns the path of Chromium.
func browserPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		missing(t, "there is no browser: %v", err)
	}
	return path
}

// startBrowser starts Chromium. It never downloads one.
func startBrowser(t *testing.T) *rod.Browser {
	t.Helper()
	path := browserPath(t)
	ctx, cancel := context.WithTimeout(t.Context(), pageLimit)
	defer cancel()
	start := launcher.New().Context(ctx).Bin(path).Leakless(false).UserDataDir(t.TempDir()).
		Headless(true).NoSandbox(true).Set("disable-gpu").Set("disable-quic").Set("no-first-run").
		Set("allow-pre-commit-input").Set("disable-background-networking").Set("disable-component-update").Set("disable-sync")
	address, err := start.Launch()
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	browser := rod.New().ControlURL(address)
	if err := browser.Connect(); err != nil {
		start.Kill()
		t.Fatal(err)
	}
	t.Cleanup(func() { stopBrowser(t, browser, start) })
	return browser
}

// stopBrowser ends Chromium and waits for its processes.
func stopBrowser(t *testing.T, browser *rod.Browser, start *launcher.Launcher) {
	t.Helper()
	if err := browser.Timeout(pageLimit).Close(); err != nil {
		t.Errorf("close the browser: %v", err)
		start.Kill()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		start.Cleanup()
	}()
	timer := time.NewTimer(pageLimit)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		t.Errorf("Chromium did not end within %s", pageLimit)
		start.Kill()
		<-ended
	}
}
