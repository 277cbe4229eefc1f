package mailer

import (
	"cmp"
	"errors"
	"log/slog"
	netmail "net/mail"
	"time"
)

// Defaults of QueueConfig.
const (
	DefaultCapacity        = 1000
	DefaultRetries         = 2000
	DefaultRetriesOfDomain = 500
	DefaultWorkers         = 4
	DefaultSlowWorkers     = 16
	DefaultDelay           = 100 * time.Millisecond
)

// QueueConfig configures a Queue. The zero value of an optional field means its
// default.
type QueueConfig struct {
	// Transport delivers; required. The queue closes it.
	Transport Transport
	// Templates are the texts; nil means the built-in ones.
	Templates *Templates
	// From is the author: "Example <login@example.com>" or a bare address;
	// required.
	From string
	// ReplyTo is the address for replies, in the format of From; "" means From.
	ReplyTo string
	// DKIM signs the mails; nil means that the server does it, if at all. Transports
	// other than SMTP ignore it.
	DKIM *DKIM
	// Capacity limits the mails before their first attempt has ended. Default: 1000.
	Capacity int
	// Retries limits the mails that wait for another attempt, RetriesOfDomain those
	// of one recipient domain; the oldest are dropped. Defaults: 2000 and 500.
	Retries, RetriesOfDomain int
	// Workers limits concurrent attempts. An attempt of more than 10 seconds releases
	// its worker; SlowWorkers limits those. Defaults: 4 and 16.
	Workers, SlowWorkers int
	// Delay is the minimum time from Enqueue to the first attempt; up to the same
	// time is added randomly. Negative means none. Default: 100 ms.
	Delay time.Duration
	// Observe is called with every Outcome; nil for none. It is called from several
	// goroutines and must not block.
	Observe func(Outcome)
	// Logger receives failures; nil for none.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// AfterFunc calls f in its own goroutine after d, unless stop is called before;
	// stop reports whether it was. Nil means time.AfterFunc.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// prepare sets defaults and parses the addresses.
func (c *QueueConfig) prepare() (from, replyTo netmail.Address, err error) {
	var faults []error
	if c.Transport == nil {
		faults = append(faults, errors.New("mailer: transport: the transport is missing; set one"))
	}
	if min(c.Capacity, c.Retries, c.RetriesOfDomain, c.Workers, c.SlowWorkers) < 0 {
		faults = append(faults, errors.New("mailer: a size of the queue is negative; use positive numbers"))
	}
	if c.From == "" {
		faults = append(faults, errors.New("mailer: from: the address is missing; set it, for example login@example.com"))
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
	c.Capacity = cmp.Or(c.Capacity, DefaultCapacity)
	c.Retries = cmp.Or(c.Retries, DefaultRetries)
	c.RetriesOfDomain = cmp.Or(c.RetriesOfDomain, DefaultRetriesOfDomain)
	c.Workers = cmp.Or(c.Workers, DefaultWorkers)
	c.SlowWorkers = cmp.Or(c.SlowWorkers, DefaultSlowWorkers)
	c.Delay = cmp.Or(c.Delay, DefaultDelay)
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
}

func afterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
