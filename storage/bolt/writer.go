package bolt

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

const (
	// queueLength is the number of steps that wait without blocking their callers.
	queueLength = 256
	// maxSteps bounds one transaction, so that its memory and the wait for its
	// commit are bounded.
	maxSteps = 1024
)

// stepFunc does the work of one caller and reports whether it wrote.
type stepFunc func(*bbolt.Tx, *step) (wrote bool, err error)

// step is a stepFunc that was handed to the writer.
type step struct {
	run   stepFunc
	ended func() error // the error of the caller's context
	done  chan struct{}
	err   error // valid after done

	// mu is held while a callback of the caller runs. Left reports that the caller
	// has returned: then no callback may run any more.
	mu   sync.Mutex
	left bool
}

// writer is the goroutine that writes to the file.
type writer struct {
	file    *bbolt.DB
	begin   func(writable bool) (*bbolt.Tx, error)
	commit  func(*bbolt.Tx) error
	queue   chan *step
	quit    chan struct{}
	stopped chan struct{}
	broken  *failure
}

func newWriter(file *bbolt.DB, broken *failure) *writer {
	return &writer{
		file:    file,
		begin:   file.Begin,
		commit:  (*bbolt.Tx).Commit,
		queue:   make(chan *step, queueLength),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
		broken:  broken,
	}
}

// do hands a step over and waits until it is durable, the context ends or the
// writer stops. If the context ends while the step runs, do waits for a callback of
// the caller at most. The rest of the step may still be committed.
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
	case <-w.broken.happened: // the writer may wait for a lock of bbolt forever
		return s.outcome(errBroken)
	case <-w.stopped:
		return s.outcome(errClosed)
	}
}

// outcome returns the error of the step if it has ended, otherwise the given one.
func (s *step) outcome(otherwise error) error {
	if isClosed(s.done) {
		return s.err
	}
	s.leave()
	return otherwise
}

func (w *writer) closed() bool { return isClosed(w.quit) }

// loop runs until quit is closed. It is the only caller of the methods below.
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

// gather takes all waiting steps. Callers that the last commit answered may be
// about to hand over their next step; one yield lets them, and costs a single
// caller less than a thousandth of its commit.
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

// transact runs the steps in one transaction and answers them. If a step fails
// after a write, that step alone is answered, the transaction is rolled back, and
// the other steps are returned to be run again.
func (w *writer) transact(steps []*step) (again []*step) {
	if w.broken.isSet() {
		return answer(steps, errBroken)
	}
	var engine *bbolt.Tx
	err := w.broken.critical(func() (err error) {
		engine, err = w.begin(true)
		return err
	})
	if err != nil {
		return answer(steps, unavailable(err))
	}
	written := false
	for i, s := range steps {
		var wrote bool
		wrote, s.err = s.perform(engine)
		if s.err != nil && wrote {
			w.rollback(engine)
			close(s.done)
			return slices.Delete(steps, i, i+1)
		}
		written = written || wrote
	}
	if !written {
		w.rollback(engine)
		return answer(steps, nil)
	}
	lost, err := w.finish(engine)
	again = answer(steps, err)
	if lost { // after the answer, so that the callers get the cause
		w.broken.set()
	}
	return again
}

// rollback fails only for a transaction that has ended.
func (w *writer) rollback(engine *bbolt.Tx) { _ = w.broken.critical(engine.Rollback) }

// finish commits. Usually a commit that failed leaves the old state, and the next
// transaction starts from it. If it failed after the new state was written and
// before that was known to be on disk, later commits would depend on pages that a
// power failure may revert. Then nothing is acknowledged until the file is opened
// again, when bbolt selects a state: then finish reports that the state is lost.
func (w *writer) finish(engine *bbolt.Tx) (lost bool, err error) {
	number := engine.ID()
	err = w.broken.critical(func() error { return w.commit(engine) })
	if err == nil {
		return false, nil
	}
	w.rollback(engine) // some of bbolt's failures leave it open
	if !w.broken.isSet() {
		viewErr := w.broken.critical(func() error {
			return w.file.View(func(now *bbolt.Tx) error {
				lost = now.ID() >= number
				return nil
			})
		})
		lost = lost || viewErr != nil
	}
	return lost, unavailable(err)
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

// perform runs the step unless its caller has returned. A panic becomes an error;
// the step may have written before it.
func (s *step) perform(engine *bbolt.Tx) (wrote bool, err error) {
	if err := s.call(func() {}); err != nil {
		return false, err
	}
	if err := s.ended(); err != nil {
		return false, unavailable(err)
	}
	wrote = true
	err = guard("step", func() (err error) {
		wrote, err = s.run(engine, s)
		return err
	})
	return wrote, err
}

// call runs a callback of the caller unless the caller has returned.
func (s *step) call(callback func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return errClosed // not read by the caller
	}
	callback()
	return nil
}

// leave returns when no callback is running, and none will run any more.
func (s *step) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}
