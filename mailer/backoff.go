package mailer

import (
	"math/rand/v2"
	"time"
)

// Pauses between attempts. The first one is short, because links live for minutes. The
// longest suits servers with greylisting (RFC 6647), which require about a minute.
const (
	firstPause   = 2 * time.Second
	longestPause = time.Minute
)

// pauseAfter returns the pause after this many attempts, which is at least 1. It doubles
// with each attempt. Half of it is random, so that mails which failed together are not
// retried together.
func pauseAfter(attempts int) time.Duration {
	full := longestPause
	if shift := attempts - 1; shift < 5 { // 2 s << 5 exceeds the longest
		full = firstPause << shift
	}
	return full/2 + share(full/2)
}

// share returns a random part of d.
func share(d time.Duration) time.Duration { return rand.N(d + 1) } //nolint:gosec // not a secret
