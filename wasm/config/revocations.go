package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Revocations contains the revocations of a configuration or a file: a list, or
// the signed feed of the issuer, which is not verified yet.
type Revocations struct {
	List []gate.Revocation
	// Feed is a document of the feed, a part on each line.
	Feed string
}

func (r *Revocations) isEmpty() bool { return len(r.List) == 0 && r.Feed == "" }

// permanent is the end of a revocation without one, in seconds since 1970. It is
// after the expiry of every token.
const permanent = 1<<32 - 2

// ParseList reads the content of a file with a list in JSON.
func ParseList(data []byte) ([]gate.Revocation, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var elements []any
	if err := decoder.Decode(&elements); err != nil || decoder.More() {
		return nil, errors.New("neither a list of revocations nor a feed")
	}
	r, err := revocations(elements)
	return r.List, err
}

func revocations(value any) (r Revocations, err error) {
	if feed, ok := value.(string); ok {
		for part := range strings.SplitSeq(strings.TrimSpace(feed), "\n") {
			if strings.Count(part, ".") != 2 { // a JWS in its compact form
				return r, errors.New("neither a list of revocations nor a feed")
			}
		}
		return Revocations{Feed: feed}, nil
	}
	elements, err := list(value)
	if err != nil {
		return r, err
	}
	r.List = make([]gate.Revocation, len(elements))
	for i, element := range elements {
		if r.List[i], err = revocation(element); err != nil {
			return r, fmt.Errorf("revocation %d: %w", i+1, err)
		}
	}
	return r, nil
}

func revocation(value any) (r gate.Revocation, err error) {
	object, ok := value.(map[string]any)
	if !ok {
		return r, errors.New("must be an object with kind, id and until")
	}
	r.Until = time.Unix(permanent, 0)
	for name, value := range object {
		written, err := text(value)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		switch name {
		case "kind":
			r.Kind = gate.RevocationKind(written)
		case "id":
			r.ID = written
		case "until":
			if r.Until, err = time.Parse(time.RFC3339, written); err != nil {
				return r, errors.New("until: must be a time such as 2026-12-01T12:00:00Z")
			}
		default:
			return r, fmt.Errorf("%s: unknown name", name)
		}
	}
	if r.Kind != gate.RevokeUser && r.Kind != gate.RevokeSession {
		return r, errors.New("kind: must be user or session")
	}
	if r.ID == "" {
		return r, errors.New("id: is required")
	}
	return r, nil
}
