package mailer

import (
	"encoding/binary"
	"io"
	"math"
	"time"
)

// Pauses between attempts. The first one is short, because links live for minutes. The
// longest suits servers with greylisting (RFC 6647), which require about a minute.
const (
	firstPause   = 2 * time.Second
	longestPause = time.Minute
)

// backoff computes pauses that double with each attempt. Half of each pause is random,
// so that mails which failed together are not retried together.
type backoff struct{ random io.Reader }

// pause returns the pause after this many attempts, which is at least 1.
func (b backoff) pause(attempts int) time.Duration {
	full := longestPause
	if shift := attempts - 1; shift < 5 { // 2 s << 5 exceeds the longest
		full = firstPause << shift
	}
	return full/2 + b.share(full/2)
}

// share returns a random part of d, or all of it without randomness.
func (b backoff) share(d time.Duration) time.Duration {
	var raw [4]byte
	if _, err := io.ReadFull(b.random, raw[:]); err != nil {
		return d
	}
	return time.Duration(float64(binary.BigEndian.Uint32(raw[:])) / math.MaxUint32 * float64(d))
}
