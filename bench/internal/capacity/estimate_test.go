package capacity

import (
	"encoding/json"
	"math"
	"os"
)

// Constants are the measured figures of docs/capacity.json.
type Constants struct {
	// Engines by name.
	Engines map[string]Engine `json:"engines"`
	// RevocationMemory is the memory of a revocation at each node, and FeedBytes its
	// part of the feed, in bytes.
	RevocationMemory float64 `json:"revocation_memory"`
	FeedBytes        float64 `json:"feed_bytes"`
	// MaxMemory limits the revocations of a node, in bytes.
	MaxMemory float64 `json:"max_memory"`
	// MaxLinks is the default of the limit link_overall, per second.
	MaxLinks float64 `json:"max_links"`
}

// Engine has the bytes of stored items, and limits.
type Engine struct {
	User       float64 `json:"user"`
	Identity   float64 `json:"identity"`
	Session    float64 `json:"session"`
	Record     float64 `json:"record"`
	Revocation float64 `json:"revocation"`
	// Logins is the measured number of first logins per second, of docs/performance.md.
	Logins float64 `json:"logins"`
	// MaxBytes is the size beyond which the engine is a poor choice, and MaxNodes the
	// number of nodes that it serves.
	MaxBytes float64 `json:"max_bytes"`
	MaxNodes float64 `json:"max_nodes"`
}

// Load describes an installation.
type Load struct {
	Users     float64 `json:"users"`
	PerDay    float64 `json:"logins"`
	Nodes     float64 `json:"nodes"`
	MailShare float64 `json:"mail_share"`
	// SessionDays is the time for which a session is used, TokenDays the lifetime of
	// its tokens.
	SessionDays float64 `json:"session_days"`
	TokenDays   float64 `json:"token_days"`
	// LogoutShare is the part of the sessions that end by a logout.
	LogoutShare float64 `json:"logout_share"`
	// Peak is the rate of the busiest second, compared with the mean.
	Peak float64 `json:"peak"`
}

// Estimate lists the needs of an installation.
type Estimate struct {
	Store      float64 `json:"store"`
	Memory     float64 `json:"memory"`
	Feed       float64 `json:"feed"`
	FeedPerDay float64 `json:"feed_per_day"`
	Mails      float64 `json:"mails"`
	Logins     float64 `json:"logins"`
	Writes     float64 `json:"writes"`
	Reads      float64 `json:"reads"`
	// First names the limit of the engine or of the nodes that is reached first, and Used
	// its part that is in use.
	First string  `json:"first"`
	Used  float64 `json:"used"`
	// Links is the used part of the default of link_overall, which an option raises.
	Links float64 `json:"links"`
}

// Defaults of the realm, and of what a node does.
const (
	maxSessions   = 100
	linkDays      = 15. / (24 * 60)
	pollsOfNode   = 2 // of the revocations, per second
	secondsPerDay = 24 * 60 * 60
)

// Estimate computes the needs of a load with an engine.
func (c Constants) Estimate(name string, l Load) Estimate {
	engine := c.Engines[name]
	live := math.Min(l.PerDay*l.SessionDays, l.Users*maxSessions)
	revoked := l.PerDay * l.LogoutShare * l.TokenDays
	perSecond := l.Peak / secondsPerDay
	e := Estimate{
		Store: l.Users*engine.User + l.Users*(1-l.MailShare)*engine.Identity + live*engine.Session +
			l.PerDay*l.MailShare*linkDays*engine.Record + revoked*engine.Revocation,
		Memory: revoked * c.RevocationMemory, Feed: revoked * c.FeedBytes, FeedPerDay: l.PerDay * l.LogoutShare * c.FeedBytes,
		Mails: l.PerDay * l.MailShare * perSecond, Logins: l.PerDay * perSecond, Reads: l.Nodes * pollsOfNode,
	}
	e.Links = e.Mails / c.MaxLinks
	e.Writes = e.Logins + e.Mails + e.Logins*l.LogoutShare + live/(l.TokenDays/2)*perSecond
	for _, limit := range []struct {
		name        string
		value, most float64
	}{
		{"nodes", l.Nodes, engine.MaxNodes},
		{"size", e.Store, engine.MaxBytes},
		{"writes", e.Writes, engine.Logins},
		{"memory", e.Memory, c.MaxMemory},
	} {
		used := limit.value / limit.most
		if limit.name == "nodes" && used <= 1 {
			used = 0 // the number of nodes does not grow by itself
		}
		if used > e.Used {
			e.First, e.Used = limit.name, used
		}
	}
	return e
}

// Read reads the constants.
func Read(path string) (c Constants, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}
