package faulty

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestFaults checks that each fault sends an invalid answer, or one without end.
func TestFaults(t *testing.T) {
	t.Parallel()
	server := Start(t)
	// get reads the answer of an issuer, that of a slow one for a moment.
	get := func(t *testing.T, issuer string, slow bool) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if slow {
			go func() {
				wait.Holds(time.Minute, func() bool { return server.Calls(issuer, UserInfo) > 0 })
				<-time.After(300 * time.Millisecond)
				cancel()
			}()
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.server.Client().Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		return string(body), err
	}
	issuer := server.Issuer("", UserInfo)
	good, err := get(t, issuer, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Faults() {
		t.Run(name, func(t *testing.T) {
			issuer := server.Issuer(name, UserInfo)
			got, err := get(t, issuer, Slow(name))
			if got == good && err == nil {
				t.Error("is as good as none")
			}
			if Slow(name) && err == nil {
				t.Error("ends")
			}
			if server.Calls(issuer, UserInfo) != 1 {
				t.Error("was not counted")
			}
		})
	}
	if server.Leaked() != 1 {
		t.Errorf("the redirect was followed %d times", server.Leaked())
	}
}
