package mailer

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	netmail "net/mail"
	"sync"
	"time"
)

// Defaults of QueueConfig.
const (
	DefaultCapacity = 1000
	DefaultWorkers  = 4
	DefaultTimeout  = 30 * time.Second
)

// QueueConfig is what a Queue is made of. The zero value of an optional field
// means its default.
type QueueConfig struct {
	// Transport delivers; required. The queue closes it.
	Transport Transport
	// Templates are the texts; nil means the built-in ones.
	Templates *Templates
	// From is the author: "Example <login@example.com>" or a bare address;
	// required.
	From string
	// ReplyTo is where answers go, in the form of From; "" means From.
	ReplyTo string
	// Capacity is how many mails the queue holds, those that wait for another
	// attempt included. Default: 1000.
	Capacity int
	// Workers is how many mails are delivered at the same time. Default: 4.
	Workers int
	// Timeout of one attempt to deliver. Default: 30 s.
	Timeout time.Duration
	// Observe is told every Outcome; nil for nothing. It is called from several
	// goroutines and must not block.
	Observe func(Outcome)
	// Logger gets what went wrong; nil for nothing.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// AfterFunc calls f in its own goroutine after d, unless stop is called
	// first; stop reports whether it was in time. Nil means time.AfterFunc.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
	// Random is the source of jitter and message identifiers; nil means
	// crypto/rand.
	Random io.Reader
}

// prepare sets defaults and reads the addresses.
func (c *QueueConfig) prepare() (from, replyTo netmail.Address, err error) {
	var faults []error
	if c.Transport == nil {
		faults = append(faults, errors.New("mailer: a transport is required"))
	}
	if c.Capacity < 0 || c.Workers < 0 || c.Timeout < 0 {
		faults = append(faults, errors.New("mailer: capacity, workers and timeout must not be negative"))
	}
	if c.From == "" {
		faults = append(faults, errors.New("mailer: a sender (from) is required"))
	} else if from, err = ParseSender(c.From); err != nil {
		faults = append(faults, err)
	}
	if c.ReplyTo != "" {
		if replyTo, err = ParseSender(c.ReplyTo); err != nil {
			faults = append(faults, err)
		}
	}
	if c.Templates == nil {
		if c.Templates, err = LoadTemplates(""); err != nil {
			faults = append(faults, err)
		}
	}
	c.setDefaults()
	return from, replyTo, errors.Join(faults...)
}

func (c *QueueConfig) setDefaults() {
	if c.Capacity == 0 {
		c.Capacity = DefaultCapacity
	}
	if c.Workers == 0 {
		c.Workers = DefaultWorkers
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Observe == nil {
		c.Observe = func(Outcome) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.AfterFunc == nil {
		c.AfterFunc = afterFunc
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	c.Random = &lockedReader{reader: c.Random}
}

func afterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// lockedReader lets several workers share a source of randomness.
type lockedReader struct {
	mu     sync.Mutex
	reader io.Reader
}

func (r *lockedReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reader.Read(p)
}
