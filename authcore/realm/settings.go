package realm

import (
	"fmt"

	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// Settings are the settings in force, without secrets, in the words of the Caddyfile.
type Settings struct {
	Realm     string `json:"realm"`
	Title     string `json:"title"`
	EmailLink string `json:"email_link"`
	APIURL    string `json:"api_url"`
	Issuer    string `json:"issuer"`
	Audience  string `json:"audience"`
	Algorithm string `json:"algorithm"`

	TokenLifetime          string `json:"token_lifetime"`
	MaxLifetime            string `json:"max_lifetime"`
	RefreshGrace           string `json:"refresh_grace"`
	MaxSessions            int    `json:"max_sessions"`
	LinkLifetime           string `json:"link_lifetime"`
	InvitationLifetime     string `json:"invitation_lifetime"`
	KeyRotation            string `json:"key_rotation"`
	CacheSize              int    `json:"cache_size"`
	RevocationMaxStaleness string `json:"revocation_max_staleness"`
	OnStale                string `json:"on_stale"`
	Notices                bool   `json:"notices"`
	InsecureDebugLinks     bool   `json:"insecure_debug_links"`

	Signup      string   `json:"signup"`
	Domains     []string `json:"signup_domains"`
	LinkByEmail string   `json:"link_by_email"`
	EmailTaken  string   `json:"email_taken"`
	Allow       []string `json:"allow"`
	Deny        []string `json:"deny"`
	// Roles lists the addresses and domains of each role that the configuration gives.
	Roles map[string][]string `json:"roles"`

	SecondFactor      string   `json:"second_factor"`
	SecondFactorRoles []string `json:"second_factor_roles"`
	RememberDevice    string   `json:"remember_device"`
	Passkeys          string   `json:"passkeys"`
	APIKeys           string   `json:"api_keys"`
	// Challenge is the host of the service that verifies captchas, or "".
	Challenge string `json:"challenge"`

	// Audit is "off", or describes the audit trail.
	Audit string `json:"audit"`

	Limits    map[string]string           `json:"limits"`
	Clients   map[string]ClientSettings   `json:"clients"`
	Providers map[string]ProviderSettings `json:"providers"`
}

// ClientSettings are the settings of a client, without its key.
type ClientSettings struct {
	Title         string   `json:"title"`
	EmailLink     string   `json:"email_link"`
	Locale        string   `json:"locale"`
	TokenLifetime string   `json:"token_lifetime"`
	Origins       []string `json:"origins"`
	RedirectURIs  []string `json:"redirect_uris"`
	Providers     []string `json:"providers"`
}

// ProviderSettings are the rules that a provider replaces.
type ProviderSettings struct {
	Signup      string   `json:"signup"`
	Domains     []string `json:"signup_domains"`
	LinkByEmail string   `json:"link_by_email"`
}

// Settings returns the settings in force.
func (r *Realm) Settings() Settings {
	c := &r.cfg
	s := Settings{
		Realm: c.Realm, Title: c.Title, EmailLink: c.EmailLink, APIURL: c.APIURL, Issuer: c.Issuer, Audience: c.Audience, Algorithm: c.Algorithm,
		TokenLifetime: c.TokenLifetime.String(), MaxLifetime: c.MaxLifetime.String(), RefreshGrace: c.RefreshGrace.String(),
		MaxSessions: c.MaxSessions, LinkLifetime: c.LinkLifetime.String(), InvitationLifetime: c.InvitationLifetime.String(),
		KeyRotation: c.KeyRotation.String(), CacheSize: c.CacheSize,
		RevocationMaxStaleness: c.RevocationMaxStaleness.String(), OnStale: c.OnStale,
		Notices: !c.NoNotices, InsecureDebugLinks: c.DebugLinks,
		Signup: c.Rules.Signup, Domains: c.Rules.Domains, LinkByEmail: c.Rules.LinkByEmail, EmailTaken: c.Rules.EmailTaken,
		Allow: c.Rules.Allow, Deny: c.Rules.Deny, Roles: map[string][]string{},
		SecondFactor: c.Rules.SecondFactor, SecondFactorRoles: c.Rules.SecondFactorRoles, RememberDevice: c.RememberDevice.String(),
		Passkeys: c.Passkeys, APIKeys: string(c.APIKeys),
		Audit:  auditSettings(c.Audit),
		Limits: limitSettings(c.Limits), Clients: map[string]ClientSettings{}, Providers: map[string]ProviderSettings{},
	}
	if c.Captcha != nil {
		s.Challenge = hostOf(c.Captcha.VerifyURL)
	}
	for _, rule := range c.Rules.Roles {
		s.Roles[rule.Role] = append(s.Roles[rule.Role], rule.To...)
	}
	for i := range c.Clients {
		client := &c.Clients[i]
		lifetime := c.TokenLifetime
		if client.Lifetime > 0 {
			lifetime = client.Lifetime
		}
		s.Clients[client.Name] = ClientSettings{
			Title: client.Title, EmailLink: client.EmailLink, Locale: client.Locale, TokenLifetime: lifetime.String(),
			Origins: client.Origins, RedirectURIs: client.RedirectURIs, Providers: client.Providers,
		}
	}
	for _, provider := range c.Providers {
		s.Providers[provider.Name()] = providerSettings(c.Rules.Through(c.ProviderRules[provider.Name()]))
	}
	return s
}

func providerSettings(rules *account.Rules) ProviderSettings {
	return ProviderSettings{Signup: rules.Signup, Domains: rules.Domains, LinkByEmail: rules.LinkByEmail}
}

func auditSettings(options *audit.Options) string {
	if options == nil {
		return "off"
	}
	text := "retention " + options.Retention.String()
	if options.Addresses {
		text += ", addresses"
	}
	if options.Emails {
		text += ", emails"
	}
	return text
}

func limitSettings(l ratelimit.Limits) map[string]string {
	text := func(rate ratelimit.Rate) string {
		if rate.N == 0 {
			return "off"
		}
		return fmt.Sprintf("%d in %s", rate.N, rate.Window)
	}
	return map[string]string{
		"link_per_address": text(l.LinkPerAddress), "link_per_ip": text(l.LinkPerIP), "link_per_client": text(l.LinkPerClient),
		"link_overall": text(l.LinkOverall), "login_per_ip": text(l.LoginPerIP), "code_per_ip": text(l.CodePerIP),
		"code_per_address": text(l.CodePerAddress), "authorize_per_ip": text(l.AuthorizePerIP),
		"authorize_overall": text(l.AuthorizeOverall), "refresh_per_session": text(l.RefreshPerSession),
	}
}
