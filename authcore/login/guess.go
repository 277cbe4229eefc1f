package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// maxTries limits the wrong codes that are checked for one link.
const maxTries = 5

// A wrong code must not reveal whether the link of its request is live, nor whether
// its address has an account (CWE-204). So a wrong code reads one record, counts in
// the same limits, and changes one record: that of the link, or, if there is no link,
// one of a few decoys with the same content. It loads no account.

// guesses returns the budgets of wrong codes: that of the network, which refuses,
// and that of the address. When the latter is used up, codes of the address stop
// and its links still work; the answer is that of a wrong code, because another one
// would reveal that the link is live.
func (m *byMail) guesses(ctx context.Context, a *attempt) ([]ratelimit.Check, error) {
	if a.method != MethodCode || m.requestID == nil {
		return nil, nil
	}
	record, err := m.store.Record(ctx, linkKey(m.requestID), m.cfg.Now())
	m.found = err == nil
	if errors.Is(err, authcore.ErrNotFound) {
		record.Data, err = decoyData(m.requestID)
	}
	if err != nil {
		return nil, err
	}
	if m.link, m.address, err = decodeLink(record); err != nil {
		return nil, err
	}
	party := m.address.Key()
	return append(ratelimit.Parties("code-ip", a.caller.IP, m.cfg.Limits.CodePerIP),
		ratelimit.Check{Name: "code-address", Party: party, Rate: m.cfg.Limits.CodePerAddress, Over: &m.stopped}), nil
}

// proveCode compares the code with that of the record that guesses read. The step
// counts a wrong one, and compares a right one again.
func (m *byMail) proveCode(a *attempt) proof {
	switch {
	case !m.found:
		return proof{record: decoyKey(m.requestID), decide: countTry}
	case m.stopped || !m.link.matchesCode(m.requestID, m.code):
		return proof{record: linkKey(m.requestID), decide: countTry}
	default:
		return m.proofOf(a, m.address)
	}
}

// countTry counts a wrong code in the record.
func countTry(found authcore.LoginFound) (decision, error) {
	link, _, err := decodeLink(*found.Proof)
	if err != nil {
		return decision{}, err
	}
	link.Tries = min(link.Tries+1, maxTries)
	if found.Proof.Data, err = json.Marshal(link); err != nil { //nolint:gosec // G117: the secret is a digest
		return decision{}, err
	}
	return decision{}, authcore.ErrProofFailed
}

// Decoys count the wrong codes for requests without a link.
const (
	decoyCount    = 8
	decoyLifetime = 30 * 24 * time.Hour
	// decoyDomain is the domain of their addresses. It cannot have mail (RFC 6761,
	// section 6.4).
	decoyDomain = "decoy.invalid"
)

// decoyKey returns the key of the decoy for a request.
func decoyKey(requestID []byte) authcore.RecordKey {
	return linkKey([]byte{requestID[0] % decoyCount})
}

// decoyData returns the content of a link that no code and no secret matches: the
// digests are those of other purposes.
func decoyData(requestID []byte) ([]byte, error) {
	return json.Marshal(linkData{
		Email:  requestText(requestID[:3]) + "@" + decoyDomain,
		Secret: authcore.DigestOf("decoy secret", string(requestID)).String(),
		Code:   authcore.DigestOf("decoy code", string(requestID)).String(),
	})
}

// putDecoy stores the decoy for a request, which a later guess changes.
func (m *byMail) putDecoy(ctx context.Context) error {
	data, err := decoyData(m.requestID)
	if err != nil {
		return err
	}
	now := m.cfg.Now()
	err = m.store.PutRecord(ctx, authcore.Record{
		RecordKey: decoyKey(m.requestID), Owner: addressOwner(m.address), Created: now, Expires: now.Add(decoyLifetime), Data: data,
	}, authcore.PutOptions{Now: now, IfAbsent: true})
	if errors.Is(err, authcore.ErrExists) {
		return nil // a simultaneous guess
	}
	return err
}

func invalidCode() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeInvalidCode, "The code is invalid or has expired.")
}
