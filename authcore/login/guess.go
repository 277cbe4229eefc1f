package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// maxTries limits the wrong codes that are checked for one link.
const maxTries = 5

// A wrong code must not reveal whether the link of its request is live, nor whether
// its address has an account (CWE-204). So a wrong code reads one record, counts in
// the same limits, and writes one record: the try of the link, or, if there is no
// link, a decoy with the same content. It loads no account.

// guesses returns the budgets of wrong codes: that of the network, which refuses,
// and that of the address. When the latter is used up, codes of the address stop
// and its links still work; the answer is that of a wrong code, because another one
// would reveal that the link is live.
func (m *byMail) guesses(ctx context.Context, a *attempt) ([]ratelimit.Check, error) {
	if a.method != MethodCode || m.requestID == nil {
		return nil, nil
	}
	party := "request " + linkKey(m.requestID).Key
	record, err := m.store.Record(ctx, linkKey(m.requestID), m.now())
	switch {
	case err == nil:
		if m.link, m.address, err = decodeLink(record.Data); err != nil {
			return nil, err
		}
		m.found, party = true, m.address.Key()
	case !errors.Is(err, authcore.ErrNotFound):
		return nil, err
	}
	return append(ratelimit.Parties("code-ip", a.caller.IP, m.cfg.Limits.CodePerIP),
		ratelimit.Check{Name: "code-address", Party: party, Rate: m.cfg.Limits.CodePerAddress, Over: &m.stopped}), nil
}

// proveCode compares the code with that of the record that guesses read. The step
// counts a wrong one, and compares a right one again.
func (m *byMail) proveCode(ctx context.Context, a *attempt) (proof, error) {
	switch {
	case !m.found:
		if err := m.putDecoy(ctx); err != nil {
			return proof{}, err
		}
		return proof{}, authcore.ErrNotFound
	case m.stopped || !m.link.matchesCode(m.requestID, m.code):
		return proof{record: linkKey(m.requestID), decide: countTry}, nil
	default:
		return m.proofOf(a, m.address)
	}
}

// countTry counts a wrong code in the record.
func countTry(found authcore.LoginFound) (decision, error) {
	link, _, err := decodeLink(found.Proof.Data)
	if err != nil {
		return decision{}, err
	}
	link.Tries = min(link.Tries+1, maxTries)
	if found.Proof.Data, err = json.Marshal(link); err != nil { //nolint:gosec // G117: the secret is a digest
		return decision{}, err
	}
	return decision{}, authcore.ErrProofFailed
}

// decoyDomain is the domain of the address in a decoy. It cannot have mail (RFC 6761,
// section 6.4), and no link is ever sent for a decoy.
const decoyDomain = "decoy.invalid"

// putDecoy stores a record that looks like a link after its first wrong code. No
// link and no code matches its digests.
func (m *byMail) putDecoy(ctx context.Context) error {
	random, err := m.cfg.Random.Bytes(secretLength)
	if err != nil {
		return err
	}
	address, err := authcore.ParseAddress(requestText(random[:8]) + "@" + decoyDomain)
	if err != nil {
		return err
	}
	data, err := json.Marshal(linkData{
		Email: address.String(), Secret: secretDigest(random), Code: codeDigest(random, m.code), Tries: 1,
	})
	if err != nil {
		return err
	}
	now := m.now()
	err = m.store.PutRecord(ctx, authcore.Record{
		RecordKey: linkKey(m.requestID), Owner: linkOwner(address),
		Created: now, Expires: now.Add(m.cfg.LinkLifetime), Data: data,
	}, authcore.PutOptions{Now: now, IfAbsent: true})
	if errors.Is(err, authcore.ErrExists) {
		return nil // a simultaneous guess
	}
	return err
}

func invalidCode() *authcore.Error {
	return &authcore.Error{
		Status: http.StatusBadRequest, Code: authcore.CodeInvalidCode, Detail: "The code is invalid or has expired.",
	}
}
