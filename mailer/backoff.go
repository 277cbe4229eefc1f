package mailer

import (
	"encoding/binary"
	"io"
	"math"
	"time"
)

// Pauses between attempts. A link lives for minutes, so that the first pause is
// short; grey-listing servers (RFC 6647) want a minute, so that the longest is
// not much more.
const (
	firstPause   = 2 * time.Second
	longestPause = time.Minute
)

// backoff computes pauses that double from attempt to attempt. Half of each is
// random, so that mails which failed together do not come back together.
type backoff struct{ random io.Reader }

// pause returns how long to wait after the given number of attempts, from 1 on.
func (b backoff) pause(attempts int) time.Duration {
	full := longestPause
	if shift := attempts - 1; shift < 5 { // 2 s << 5 is above the longest
		full = firstPause << shift
	}
	var raw [4]byte
	if _, err := io.ReadFull(b.random, raw[:]); err != nil {
		return full // without randomness the whole pause is the polite one
	}
	half := full / 2
	share := float64(binary.BigEndian.Uint32(raw[:])) / math.MaxUint32
	return half + time.Duration(share*float64(half))
}
