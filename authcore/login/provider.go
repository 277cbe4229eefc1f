package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// listTimeout limits the wait for providers that need discovery. A frontend shows
// nothing before it has the list.
const listTimeout = 3 * time.Second

// provider returns a provider that the client may use. An unknown provider and one
// that the client may not use have the same error.
func (s *Service) provider(client *authcore.Client, name string) (authcore.Provider, error) {
	provider := s.cfg.Providers[name]
	if provider == nil || !client.AllowsProvider(name) {
		return nil, authcore.NotFound()
	}
	return provider, nil
}

// Providers lists the providers of a client, by name. All are asked concurrently.
// A provider whose discovery fails or takes too long is left out and logged.
func (s *Service) Providers(ctx context.Context, clientKey string) ([]ProviderInfo, error) {
	client, err := s.clients.Find(clientKey)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	var (
		pending sync.WaitGroup
		mu      sync.Mutex
	)
	infos := []ProviderInfo{}
	for name, provider := range s.cfg.Providers {
		if !client.AllowsProvider(name) {
			continue
		}
		pending.Go(func() {
			endpoint, err := endpointOf(ctx, provider)
			if err != nil {
				s.log.Warn("provider left out of list", "provider", name, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			infos = append(infos, ProviderInfo{Name: name, Endpoint: endpoint})
		})
	}
	pending.Wait()
	slices.SortFunc(infos, func(a, b ProviderInfo) int { return strings.Compare(a.Name, b.Name) })
	return infos, nil
}

// endpointOf turns a panic of the provider into an error: it is called in a
// goroutine, where a panic would end the process.
func endpointOf(ctx context.Context, provider authcore.Provider) (endpoint authcore.Endpoint, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%w: panic of type %T", authcore.ErrProviderFailed, fault)
		}
	}()
	return provider.Endpoint(ctx)
}

// providerError maps a failure of a provider to a public error. It repeats nothing
// that the provider sent.
func (s *Service) providerError(name string, err error) error {
	public := func(status int, code authcore.Code, detail string) error {
		s.log.Warn("social login failed", "provider", name, "code", string(code), "error", err)
		return &authcore.Error{Status: status, Code: code, Detail: detail, Err: err}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return authcore.Unavailable(err) // the client disconnected; the provider did not fail
	case errors.Is(err, authcore.ErrProviderDenied):
		return public(http.StatusBadRequest, authcore.CodeProviderDenied, "The provider did not accept this login. Please try again.")
	case errors.Is(err, authcore.ErrIDTokenExpired):
		return public(http.StatusBadRequest, authcore.CodeIDTokenExpired, "This ID token is too old. Get a new one and try again.")
	case errors.Is(err, authcore.ErrProviderMismatch):
		return public(http.StatusBadRequest, authcore.CodeProviderMismatch, "The provider's response does not belong to this login. Please try again.")
	case errors.Is(err, authcore.ErrProviderTimeout) || errors.Is(err, context.DeadlineExceeded):
		return public(http.StatusGatewayTimeout, authcore.CodeProviderTimeout, "The provider did not answer in time.")
	case errors.Is(err, authcore.ErrProviderRedirectURI):
		return public(http.StatusBadGateway, authcore.CodeRedirectURIMismatch, "The provider does not accept the redirect URI of this application.")
	case errors.Is(err, authcore.ErrProviderMisconfigured):
		return public(http.StatusBadGateway, authcore.CodeProviderMisconfigured, "The provider does not accept the configuration of this application.")
	default:
		return public(http.StatusBadGateway, authcore.CodeProviderUnavailable, "The provider could not be reached or gave no usable answer.")
	}
}
