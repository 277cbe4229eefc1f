package httpapi

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"sync"

	"github.com/edgeauth/edgeauth/authcore/revocation"
)

const (
	// minCompressed is the length from which a feed is compressed, in bytes.
	minCompressed = 1 << 10
	// maxCompressed limits the number of compressed feeds that are kept.
	maxCompressed = 16
)

// revocations publishes the revocations in force, for verifiers without access to
// the store: all of them, or those since the cursor of an earlier feed.
func (h *Handler) revocations(r *request) (answer, error) {
	document, err := h.realm.Feed.Document(r.URL.Query().Get("since"))
	if err != nil {
		return answer{}, err
	}
	a := answer{status: http.StatusOK, header: http.Header{
		"Cache-Control": {public(document.MaxAge)}, "Etag": {document.ETag}, "Vary": {"Accept-Encoding"},
	}}
	if matches(r.Header.Values("If-None-Match"), document.ETag) {
		a.status = http.StatusNotModified
		return a, nil
	}
	a.header.Set("Content-Type", "application/jwt") // RFC 7519, section 10.3.1
	a.body = document.Text
	if len(document.Text) >= minCompressed && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		if a.body, err = h.feeds.compress(document); err != nil {
			return answer{}, err
		}
		a.header.Set("Content-Encoding", "gzip")
		a.header.Set("Etag", "W/"+document.ETag) // other bytes, the same content
	}
	return a, nil
}

// compressedFeeds keeps compressed documents: many verifiers fetch the same one, and
// a large one takes a second to compress. The zero value is ready for use.
type compressedFeeds struct {
	mu    sync.Mutex
	byTag map[string][]byte
}

func (c *compressedFeeds) compress(document revocation.Document) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if body, found := c.byTag[document.ETag]; found {
		return body, nil
	}
	var body bytes.Buffer
	writer := gzip.NewWriter(&body)
	if _, err := writer.Write(document.Text); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	if c.byTag == nil || len(c.byTag) >= maxCompressed {
		c.byTag = make(map[string][]byte, maxCompressed)
	}
	c.byTag[document.ETag] = body.Bytes()
	return body.Bytes(), nil
}

// acceptsGzip evaluates Accept-Encoding (RFC 9110, section 12.5.3).
func acceptsGzip(values []string) bool {
	for _, value := range values {
		for listed := range strings.SplitSeq(value, ",") {
			coding, weight, _ := strings.Cut(listed, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding != "gzip" && coding != "x-gzip" {
				continue
			}
			name, q, _ := strings.Cut(strings.ReplaceAll(weight, " ", ""), "=")
			return !strings.EqualFold(name, "q") || strings.Trim(q, "0.") != ""
		}
	}
	return false
}
