package caddymodule

import (
	"context"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/edgeauth/edgeauth/authcore"
)

// eventBacklog limits the events that wait for slow subscribers.
const eventBacklog = 1024

// eventEmitter is Caddy's events app, bound to the context of our app.
type eventEmitter interface {
	wants(name string) bool
	emit(name string, data map[string]any)
}

// caddyEvents emits events named "edgeauth." and the name of the event.
type caddyEvents struct {
	app *caddyevents.App
	ctx caddy.Context
}

func (e caddyEvents) wants(name string) bool                { return e.app.ShouldEmit(name) }
func (e caddyEvents) emit(name string, data map[string]any) { e.app.Emit(e.ctx, name, data) }

// eventsApp returns Caddy's events app.
func eventsApp(ctx caddy.Context) (eventEmitter, error) {
	loaded, err := ctx.App("events")
	if err != nil {
		return nil, err
	}
	app, ok := loaded.(*caddyevents.App)
	if !ok {
		return nil, fmt.Errorf("edgeauth: unexpected app %T", loaded)
	}
	return caddyEvents{app, ctx}, nil
}

// eventRelay passes events to the events app. Subscribers run while the emitter waits,
// so the relay has a goroutine of its own and a bounded queue: a slow subscriber costs
// events, which are counted, and never a login.
type eventRelay struct {
	emitter eventEmitter
	realm   string
	queue   chan authcore.Event
	dropped func()
}

func newEventRelay(emitter eventEmitter, realm string, counters *metrics) *eventRelay {
	return &eventRelay{
		emitter: emitter,
		realm:   realm,
		queue:   make(chan authcore.Event, eventBacklog),
		dropped: counters.eventsDropped.WithLabelValues(realm).Inc,
	}
}

// offer queues an event that has a subscriber, and does not wait.
func (e *eventRelay) offer(event authcore.Event) {
	if !e.emitter.wants(eventName(event)) {
		return
	}
	select {
	case e.queue <- event:
	default:
		e.dropped()
	}
}

// run emits events until ctx ends, and then the remaining ones.
func (e *eventRelay) run(ctx context.Context) {
	for {
		select {
		case event := <-e.queue:
			e.emit(event)
		case <-ctx.Done():
			for {
				select {
				case event := <-e.queue:
					e.emit(event)
				default:
					return
				}
			}
		}
	}
}

// emit leaves out unknown values. The core puts no secret and no e-mail address into
// an event, because the events app logs all of it at debug level.
func (e *eventRelay) emit(event authcore.Event) {
	data := map[string]any{}
	for key, value := range map[string]string{
		"realm": e.realm, "method": event.Method, "client": event.Client,
		"user_id": event.UserID, "session_id": event.SessionID, "code": string(event.Code),
	} {
		if value != "" {
			data[key] = value
		}
	}
	e.emitter.emit(eventName(event), data)
}

func eventName(event authcore.Event) string { return appName + "." + string(event.Name) }
