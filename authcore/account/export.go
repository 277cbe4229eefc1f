package account

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Export contains everything that is stored about a user, without secrets.
type Export struct {
	ExportedAt time.Time         `json:"exported_at"`
	User       ExportedUser      `json:"user"`
	Identities []ExportedLogin   `json:"identities"`
	Sessions   []ExportedSession `json:"sessions"`
	Records    []ExportedRecord  `json:"records"`
}

// ExportedUser is a user.
type ExportedUser struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	FirstName     string    `json:"first_name"`
	LastName      string    `json:"last_name"`
	Nickname      string    `json:"nickname"`
	AvatarURL     string    `json:"avatar_url"`
	Roles         []string  `json:"roles"`
	GrantedRoles  []string  `json:"granted_roles"`
	Created       time.Time `json:"created"`
	LastLogin     time.Time `json:"last_login,omitzero"`
}

// ExportedLogin is an account at a provider. State is "active", "pending", "unlinked"
// or "retired".
type ExportedLogin struct {
	ID            string    `json:"id"`
	Provider      string    `json:"provider"`
	Issuer        string    `json:"issuer,omitempty"`
	Subject       string    `json:"subject"`
	State         string    `json:"state"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Roles         []string  `json:"roles,omitempty"`
	RolesAt       time.Time `json:"roles_at,omitzero"`
	Created       time.Time `json:"created"`
	ExpiresAt     time.Time `json:"expires_at,omitzero"`
}

// ExportedSession is a session or an API key, which has a name and roles.
type ExportedSession struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	Client    string    `json:"client"`
	Method    string    `json:"method"`
	AMR       []string  `json:"amr,omitempty"`
	ACR       string    `json:"acr,omitempty"`
	Device    bool      `json:"remembered_device,omitempty"`
	Identity  string    `json:"identity,omitempty"`
	Roles     []string  `json:"roles,omitempty"`
	Created   time.Time `json:"created"`
	LastSeen  time.Time `json:"last_seen"`
	ExpiresAt time.Time `json:"expires_at"`
	Address   string    `json:"address"`
	UserAgent string    `json:"user_agent"`
	Current   bool      `json:"current"`
}

// ExportedRecord is another fact, such as a passkey, a remembered device or a mailed link
// that was not used yet. Details are the RecordKind.Fields that it has.
type ExportedRecord struct {
	Kind      string                     `json:"kind"`
	Created   time.Time                  `json:"created"`
	ExpiresAt time.Time                  `json:"expires_at,omitzero"`
	Details   map[string]json.RawMessage `json:"details,omitempty"`
}

// Export returns everything that is stored about the token's user.
func (s *Service) Export(ctx context.Context, claims *gate.Claims) (Export, error) {
	now := s.cfg.Now()
	account, err := s.current(ctx, claims, now)
	if err != nil {
		return Export{}, err
	}
	export := Export{
		ExportedAt: now.Truncate(time.Second), User: exportUser(account.User),
		Identities: []ExportedLogin{}, Sessions: []ExportedSession{}, Records: []ExportedRecord{},
	}
	for _, identity := range account.Identities {
		export.Identities = append(export.Identities, exportLogin(identity))
	}
	for _, session := range account.Sessions {
		exported := exportSession(session)
		exported.Current = session.ID == claims.Session
		export.Sessions = append(export.Sessions, exported)
	}
	if export.Records, err = s.exportRecords(ctx, account.User, now); err != nil {
		return Export{}, authcore.Unavailable(err)
	}
	return export, nil
}

func exportUser(user authcore.User) ExportedUser {
	return ExportedUser{
		ID: user.ID, Email: user.Email, EmailVerified: user.EmailVerified,
		FirstName: user.FirstName, LastName: user.LastName, Nickname: user.Nickname, AvatarURL: user.AvatarURL,
		Roles: append([]string{}, user.Roles...), GrantedRoles: append([]string{}, user.Granted...), Created: user.Created, LastLogin: user.LastLogin,
	}
}

func exportSession(session authcore.Session) ExportedSession {
	return ExportedSession{
		ID: session.ID, Name: session.Name, Client: session.Client, Method: session.Method,
		AMR: session.AMR, ACR: session.ACR, Device: session.Device, Identity: session.Identity, Roles: session.Roles,
		Created: session.Created, LastSeen: session.LastSeen, ExpiresAt: session.Expires, Address: session.IP, UserAgent: session.UserAgent,
	}
}

func exportLogin(identity authcore.Identity) ExportedLogin {
	return ExportedLogin{
		ID: identity.PublicID, Provider: identity.Provider, Issuer: identity.Issuer, Subject: identity.Subject, State: identity.State.String(),
		Email: identity.Email, EmailVerified: identity.EmailVerified, Roles: identity.Roles, RolesAt: identity.RolesAt,
		Created: identity.Created, ExpiresAt: identity.Expires,
	}
}

func (s *Service) exportRecords(ctx context.Context, user authcore.User, now time.Time) ([]ExportedRecord, error) {
	exported := []ExportedRecord{}
	for _, kind := range s.cfg.Records {
		owner := kind.ownerOf(user)
		if owner == "" {
			continue
		}
		records, err := authcore.AllRecords(ctx, s.cfg.Store, authcore.RecordFilter{Kind: kind.Kind, Owner: owner}, now)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			exported = append(exported, ExportedRecord{
				Kind: record.Kind, Created: record.Created, ExpiresAt: record.Expires, Details: details(record.Data, kind.Fields),
			})
		}
	}
	return exported, nil
}

// details returns those of the fields that the data of a record has. Data that is damaged
// has none: the other facts are exported in any case.
func details(data []byte, fields []string) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if len(fields) == 0 || json.Unmarshal(data, &all) != nil {
		return nil
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return !slices.Contains(fields, name) })
	return all
}
