package webhook

import "context"

// Pass sends what is due to all endpoints, once.
func (s *Sender) Pass(ctx context.Context) {
	for _, w := range s.workers {
		w.step(ctx)
	}
}
