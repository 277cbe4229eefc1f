package provider

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxBody limits each response after decompression.
const maxBody = 1 << 20

// maxRedirects limits redirects within one host.
const maxRedirects = 3

var (
	errBadURL   = errors.New("the URL is not allowed")
	errTooLarge = errors.New("the response is larger than 1 MiB")
	errRedirect = errors.New("the redirect is not allowed")
)

// caller sends the requests of one provider.
type caller struct {
	// fetch follows redirects within a host.
	fetch *http.Client
	// redeem follows no redirects: a token request carries the code and the secret.
	redeem *http.Client
}

func newCaller(transport http.RoundTripper, allowPrivate bool) caller {
	guarded := &guard{next: transport, allowPrivate: allowPrivate}
	return caller{
		fetch:  &http.Client{Transport: guarded, CheckRedirect: withinHost},
		redeem: &http.Client{Transport: guarded, CheckRedirect: nowhere},
	}
}

// withinHost prevents that a redirect sends the access token or the request to
// another host (CWE-918, CWE-601).
func withinHost(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || next.URL.Scheme != first.Scheme || !strings.EqualFold(next.URL.Host, first.Host) {
		return errRedirect
	}
	return nil
}

func nowhere(*http.Request, []*http.Request) error { return errRedirect }

// guard wraps the transport. It refuses URLs that must not be requested, including
// those from discovery documents and redirects, and limits response bodies.
type guard struct {
	next         http.RoundTripper
	allowPrivate bool
}

// RoundTrip implements [http.RoundTripper].
func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := checkURL(request.URL.String(), g.allowPrivate); err != nil {
		if request.Body != nil {
			request.Body.Close()
		}
		if errors.Is(err, errPrivateAddress) {
			return nil, err
		}
		return nil, errBadURL
	}
	if request.Header.Get("Accept") == "" {
		request = request.Clone(request.Context())
		request.Header.Set("Accept", "application/json")
	}
	response, err := g.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxBody}
	return response, nil
}

// boundedBody fails if the body is longer than left bytes.
type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements [io.Reader].
func (b *boundedBody) Read(p []byte) (int, error) {
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if n > b.left {
		return b.left, errTooLarge
	}
	b.left -= n
	return n, err
}

// answer is a complete response of a provider.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ok returns an error unless the status is 200.
func (a answer) ok(what string) error {
	if a.status != http.StatusOK {
		return failed("%s: status %d", what, a.status)
	}
	return nil
}

// send sends a request with a client of a caller and reads the whole response. what
// names the document in errors.
func send(client *http.Client, what string, request *http.Request) (answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return answer{}, transportFault(what, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, transportFault(what, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}, nil
}
