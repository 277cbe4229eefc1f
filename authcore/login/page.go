package login

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/session"
)

const (
	// pageStateKind is the kind of the records of social logins that began at a login
	// page.
	pageStateKind = "page-state"
	// statesOfBrowser limits those of one browser.
	statesOfBrowser = 20
	// handoffKind is the kind of the records of handoffs.
	handoffKind = "handoff"
	// handoffLifetime is the time that a browser has to follow two redirects.
	handoffLifetime = time.Minute
	// handoffsOfUser limits the pending handoffs of a user.
	handoffsOfUser = 20
)

// PageStart describes the browser that begins a login at a login page.
type PageStart struct {
	// Browser is a digest of the cookie that binds the login to the browser.
	Browser string `json:"browser"`
	// ReturnTo is the path to which the browser continues. The page validates it.
	ReturnTo string `json:"return_to"`
	// Link is set if the user adds a login to the account.
	Link bool `json:"link,omitempty"`
}

// MatchesBrowser compares the digest of a cookie in constant time.
func (p PageStart) MatchesBrowser(digest string) bool {
	return p.Browser != "" && subtle.ConstantTimeCompare([]byte(p.Browser), []byte(digest)) == 1
}

// PageLink describes a mailed link that was requested at a login page.
type PageLink struct {
	PageStart
	// RequestID is that of the receipt.
	RequestID string
	// Email is the address that the link logs in.
	Email string
	// Code is the code of the same mail. It is a secret.
	Code string
	// Invitation is set for the link of an invitation, which no browser requested.
	Invitation bool
	// Requested is the time of the request; IP and UserAgent describe its sender.
	Requested time.Time
	IP        string
	UserAgent string
}

// linkPage is the part of a "link" record for the login page.
type linkPage struct {
	PageStart
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	// Code is the code, encrypted with the secret of the link: a reader of the store
	// does not learn it.
	Code string `json:"code"`
}

// pageOfLink returns the part of the record for the login page, or nil if the request
// came through the API.
func pageOfLink(r LinkRequest, secret []byte, code string) *linkPage {
	if r.Page == nil {
		return nil
	}
	page := &linkPage{
		PageStart: *r.Page, UserAgent: session.CleanUserAgent(r.Caller.UserAgent),
		Code: base64.RawURLEncoding.EncodeToString(maskCode(secret, []byte(code))),
	}
	if r.Caller.IP.IsValid() {
		page.IP = r.Caller.IP.Unmap().String()
	}
	return page
}

// maskCode encrypts and decrypts a code with a key that follows from the random secret
// of its link, which encrypts nothing else.
func maskCode(secret, code []byte) []byte {
	key := authcore.DigestOf("code of link", string(secret))
	masked := make([]byte, min(len(code), sha256.Size))
	subtle.XORBytes(masked, code, key[:])
	return masked
}

// ShowLink returns what a login page shows about the link with this token. It does not
// use up the link.
func (s *Service) ShowLink(ctx context.Context, token string) (PageLink, error) {
	if id, secret := parseInvitation(authcore.Trim(token)); id != nil {
		shown, err := s.showInvitation(ctx, id, secret)
		if err != nil {
			return PageLink{}, authcore.StoreError(err, invalidLink())
		}
		return shown, nil
	}
	requestID, secret := parseToken(authcore.Trim(token))
	if requestID == nil {
		return PageLink{}, invalidLink()
	}
	shown, link, err := s.showRequest(ctx, requestID)
	switch {
	case errors.Is(err, authcore.ErrNotFound) || err == nil && !link.matchesSecret(secret):
		return PageLink{}, invalidLink()
	case err != nil:
		return PageLink{}, authcore.Unavailable(err)
	}
	if link.Page != nil {
		masked, err := base64.RawURLEncoding.DecodeString(link.Page.Code)
		if err != nil {
			return PageLink{}, authcore.Unavailable(fmt.Errorf("read a link record: %w", err))
		}
		shown.Code = string(maskCode(secret, masked))
	}
	return shown, nil
}

func (s *Service) showRequest(ctx context.Context, requestID []byte) (PageLink, linkData, error) {
	record, err := s.store.Record(ctx, linkKey(requestID), s.cfg.Now())
	if err != nil {
		return PageLink{}, linkData{}, err
	}
	link, address, err := decodeLink(record)
	if err != nil {
		return PageLink{}, linkData{}, err
	}
	shown := PageLink{RequestID: requestText(requestID), Email: address.String(), Requested: record.Created}
	if link.Page != nil {
		shown.PageStart, shown.IP, shown.UserAgent = link.Page.PageStart, link.Page.IP, link.Page.UserAgent
	}
	return shown, link, nil
}

// keepStart stores the browser and the return address of a social login.
func (s *Service) keepStart(ctx context.Context, state string, start *PageStart) error {
	if start == nil {
		return nil
	}
	data, err := json.Marshal(start)
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	record := authcore.Record{
		RecordKey: pageStateKey(state), Owner: start.Browser, Created: now, Expires: now.Add(stateLifetime), Data: data,
	}
	return s.store.PutRecord(ctx, record, authcore.PutOptions{Now: now, Keep: statesOfBrowser})
}

// ShowStart returns the browser and the return address of a social login that began at
// a login page. The error is invalid_state for every other state.
func (s *Service) ShowStart(ctx context.Context, state string) (PageStart, error) {
	record, err := s.store.Record(ctx, pageStateKey(state), s.cfg.Now())
	if err != nil {
		return PageStart{}, authcore.StoreError(err, invalidState())
	}
	var start PageStart
	if err := record.Decode(&start); err != nil {
		return PageStart{}, authcore.Unavailable(err)
	}
	return start, nil
}

func pageStateKey(state string) authcore.RecordKey {
	return authcore.RecordKey{Kind: pageStateKind, Key: authcore.DigestOf("page state", state).String()}
}

// Handoff passes a session on to the login page of another site of the realm.
type Handoff struct {
	PageStart
	// Site is the address of the other login page.
	Site string `json:"site"`
	// UserID and SessionID identify the session.
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id"`
}

// BeginHandoff returns a code with which the login page at the address site continues
// the session of a token: once, within a minute, and in the browser of start only.
func (s *Service) BeginHandoff(ctx context.Context, claims *gate.Claims, site string, start PageStart) (string, error) {
	code := authcore.RandomSecret()
	data, err := json.Marshal(Handoff{PageStart: start, Site: site, UserID: claims.Subject, SessionID: claims.Session})
	if err != nil {
		return "", authcore.Unavailable(err)
	}
	now := s.cfg.Now()
	record := authcore.Record{
		RecordKey: handoffKey(code), Owner: claims.Subject, Created: now, Expires: now.Add(handoffLifetime), Data: data,
	}
	err = s.store.PutRecord(ctx, record, authcore.PutOptions{Now: now, Keep: handoffsOfUser, OwnedByUser: true})
	if err != nil {
		return "", authcore.StoreError(err, authcore.Inactive())
	}
	return code, nil
}

// TakeHandoff uses up a code and returns the session that it passes on. A code that
// reaches another site or browser is used up, too: it has leaked.
func (s *Service) TakeHandoff(ctx context.Context, code, site, browser string) (Handoff, error) {
	record, err := s.store.TakeRecord(ctx, handoffKey(code), s.cfg.Now())
	if err != nil {
		return Handoff{}, authcore.StoreError(err, invalidState())
	}
	var taken Handoff
	if err := record.Decode(&taken); err != nil {
		return Handoff{}, authcore.Unavailable(err)
	}
	if taken.Site != site || !taken.MatchesBrowser(browser) {
		return Handoff{}, invalidState()
	}
	return taken, nil
}

func handoffKey(code string) authcore.RecordKey {
	return authcore.RecordKey{Kind: handoffKind, Key: authcore.DigestOf("handoff", code).String()}
}
