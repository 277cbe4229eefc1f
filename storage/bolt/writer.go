package bolt

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

const (
	// queueLength is how many steps wait without blocking who hands them over.
	queueLength = 256
	// maxSteps bounds one transaction, so that its memory and the wait for its
	// commit are bounded.
	maxSteps = 1024
)

var (
	errClosed = fmt.Errorf("bolt: %w: the file was closed", authcore.ErrUnavailable)
	errBroken = fmt.Errorf("bolt: %w: a commit failed half-way, the file must be opened again",
		authcore.ErrUnavailable)
)

// stepFunc does the work of one caller and reports whether it wrote.
type stepFunc func(*bbolt.Tx) (wrote bool, err error)

// step is a stepFunc on its way through the writer.
type step struct {
	run   stepFunc
	ended func() error // the error of the caller's context
	done  chan struct{}
	err   error // to be read after done

	// mu is held while run is running, so that a caller who leaves can wait for
	// that, and left says that it must not run again.
	mu   sync.Mutex
	left bool
}

// writer is the one goroutine that writes to the file.
type writer struct {
	file    *bbolt.DB
	commit  func(*bbolt.Tx) error
	queue   chan *step
	quit    chan struct{}
	stopped chan struct{}
	broken  bool // of loop alone
}

func newWriter(file *bbolt.DB) *writer {
	return &writer{
		file:    file,
		commit:  (*bbolt.Tx).Commit,
		queue:   make(chan *step, queueLength),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
}

// do hands a step over and waits until it is on disk, the context ends or the
// writer stops. After do has returned the step's function does not run any more,
// though what it did may still be committed.
func (w *writer) do(ctx context.Context, run stepFunc) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	s := &step{run: run, ended: ctx.Err, done: make(chan struct{})}
	select {
	case w.queue <- s:
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-w.quit:
		return errClosed
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		s.leave()
		return unavailable(ctx.Err())
	case <-w.stopped:
		select {
		case <-s.done:
			return s.err
		default:
			return errClosed
		}
	}
}

// stop ends the loop after the transaction that is under way and waits for it.
func (w *writer) stop() {
	close(w.quit)
	<-w.stopped
}

func (w *writer) closed() bool {
	select {
	case <-w.quit:
		return true
	default:
		return false
	}
}

// loop runs until stop. It is the only caller of all methods below.
func (w *writer) loop() {
	defer close(w.stopped)
	for {
		select {
		case <-w.quit:
			return
		case first := <-w.queue:
			for steps := w.gather(first); len(steps) > 0; {
				steps = w.transact(steps)
			}
		}
	}
}

// gather takes everything that waits. Those whom the last commit answered may be
// about to hand over their next step; yielding once lets them, and costs a lone
// caller less than a thousandth of its fsync.
func (w *writer) gather(first *step) []*step {
	runtime.Gosched()
	steps := []*step{first}
	for len(steps) < maxSteps {
		select {
		case s := <-w.queue:
			steps = append(steps, s)
		default:
			return steps
		}
	}
	return steps
}

// transact runs the steps in one transaction and answers them. When a step fails
// after it has written, that step alone is answered, nothing of the transaction
// stays, and the others are returned to be run again.
func (w *writer) transact(steps []*step) (again []*step) {
	if w.broken {
		return answer(steps, errBroken)
	}
	engine, err := w.file.Begin(true)
	if err != nil {
		return answer(steps, unavailable(err))
	}
	written := false
	for i, s := range steps {
		var wrote bool
		wrote, s.err = s.perform(engine)
		if s.err != nil && wrote {
			_ = engine.Rollback() // fails only for a transaction that has ended
			close(s.done)
			return slices.Delete(steps, i, i+1)
		}
		written = written || wrote
	}
	if !written {
		_ = engine.Rollback() // as above
		return answer(steps, nil)
	}
	return answer(steps, w.finish(engine))
}

// finish commits. When that fails the old state mostly stands and the next
// transaction starts from it. But when the failure came after the new state was
// written and before it was known to be on disk, what follows would be built on
// pages that a power failure may take away: then nothing is acknowledged any more
// until the file is opened again and bbolt has chosen a state.
func (w *writer) finish(engine *bbolt.Tx) (err error) {
	number := engine.ID()
	defer func() {
		if cause := recover(); cause != nil { // bbolt panics at damaged pages
			_ = engine.Rollback()
			w.broken, err = true, panicError(cause)
		}
	}()
	if err := w.commit(engine); err != nil {
		_ = engine.Rollback() // some of bbolt's failures leave it open
		viewErr := w.file.View(func(now *bbolt.Tx) error {
			w.broken = now.ID() >= number
			return nil
		})
		w.broken = w.broken || viewErr != nil
		return unavailable(err)
	}
	return nil
}

// answer ends the steps: each with its own error, or all with the given one.
func answer(steps []*step, err error) (again []*step) {
	for _, s := range steps {
		if err != nil {
			s.err = err
		}
		close(s.done)
	}
	return nil
}

// perform runs the step unless its caller is gone. A panic becomes an error; how
// far the step came is unknown then, so it counts as having written.
func (s *step) perform(engine *bbolt.Tx) (wrote bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return false, errClosed // nobody reads it
	}
	if err := s.ended(); err != nil {
		return false, unavailable(err)
	}
	defer func() {
		if cause := recover(); cause != nil {
			wrote, err = true, panicError(cause)
		}
	}()
	return s.run(engine)
}

// leave returns when the step is not running and will not run any more.
func (s *step) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

// panicError tells where a panic came from. A value that somebody else chose may
// hold a secret and is named by its type only.
func panicError(cause any) error {
	if fault, ok := cause.(runtime.Error); ok {
		return unavailable(fmt.Errorf("panic: %w", fault))
	}
	return unavailable(fmt.Errorf("panic with a %T", cause))
}
