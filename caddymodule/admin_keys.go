package caddymodule

import (
	"context"
	"net/http"
)

// serveKeys lists the signing keys of a realm.
func serveKeys(w http.ResponseWriter, r *http.Request) {
	operateOnKeys(w, r, func(context.Context, *liveRealm) error { return nil })
}

// serveRotation makes the published successor sign now.
func serveRotation(w http.ResponseWriter, r *http.Request) {
	operateOnKeys(w, r, func(ctx context.Context, live *liveRealm) error { return live.Keys.Rotate(ctx, live.Now()) })
}

// serveKeyRevocation removes one key, or all present keys. Their tokens end.
func serveKeyRevocation(w http.ResponseWriter, r *http.Request) {
	operateOnKeys(w, r, func(ctx context.Context, live *liveRealm) error {
		if id := r.PathValue("key"); id != "" {
			return live.Keys.Revoke(ctx, id, live.Now())
		}
		for _, key := range live.Keys.List() {
			if err := live.Keys.Revoke(ctx, key.ID, live.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// operateOnKeys performs an operation and answers with the keys after it.
func operateOnKeys(w http.ResponseWriter, r *http.Request, operation func(context.Context, *liveRealm) error) {
	live, release, err := activeRealm(r)
	if err == nil {
		defer release()
		err = operation(r.Context(), live)
	}
	if err != nil {
		answerAdmin(w, adminStatus(err), map[string]string{"error": err.Error()})
		return
	}
	answerAdmin(w, http.StatusOK, map[string]any{"keys": live.Keys.List()})
}
