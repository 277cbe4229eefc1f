package main

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// front is what stands before the upstream.
type front int

const (
	// plainProxy is reverse_proxy and nothing else.
	plainProxy front = iota
	// dressed is reverse_proxy after Caddy's own request_header has done to the
	// headers what the gate does, without any check.
	dressed
	// gated is login_api, token_auth and reverse_proxy.
	gated
	// forwarded asks a second server for each request, with forward_auth.
	forwarded
)

// stream is which tokens the requests bring. The first three are good ones.
type stream int

const (
	hotToken       stream = iota // always the same
	rotatingTokens               // many in turn, all of them seen before
	freshTokens                  // never the same twice
	forgedTokens                 // signed by somebody else, never the same twice
	noToken
	malformedToken
	unknownKey
	wrongAlgorithm
	expiredToken
)

// rotating is the number of tokens in rotation.
const rotating = 10_000

// The scenarios that others refer to.
const (
	plainName  = "plain"
	bareName   = "plain-bare"
	hotName    = "hot"
	rotateName = "rotate"
	noneName   = "none"
	firstName  = "first"
	forgedName = "forged"
)

// scenario is one row of the tables.
type scenario struct {
	name, title string
	front       front
	algorithm   string
	tokens      stream
	// inside is options of token_auth.
	inside string
	// bare requests have few headers, as those of a program; others have what a
	// browser sends.
	bare bool
	// revoked is the number of sessions, each with a revocation.
	revoked int
	// goal is the greatest ratio to the plain proxy that is aimed at; zero
	// means that there is none. goalAllocs is the same for further allocations.
	goal, goalAllocs float64
	// status is what every request must be answered with.
	status int
}

// scenarios lists what is compared with the plain proxy, which comes first, or
// with the plain proxy that gets the same requests.
func (s scale) scenarios() []scenario {
	list := []scenario{
		{name: plainName, title: "plain `reverse_proxy`"},
		{name: "again", title: "plain `reverse_proxy`, a second time"},
		{name: hotName, title: "one hot token", front: gated, goal: 1.02, goalAllocs: 10},
		{name: "dressed", title: "the same headers by `request_header`, without any check", front: dressed},
		{name: "one-header", title: "one hot token, `headers X-Auth-User-Id`", front: gated, inside: "headers X-Auth-User-Id"},
		{name: bareName, title: "plain `reverse_proxy`, requests of four headers", bare: true},
		{name: "hot-bare", title: "one hot token, requests of four headers", front: gated, bare: true},
		{name: rotateName, title: "10,000 distinct tokens in rotation, each seen before", front: gated, tokens: rotatingTokens, goal: 1.05},
		{name: "revoked", title: "one hot token, " + count(s.many) + " revocations", front: gated, revoked: s.many, goal: 1.02},
		{name: firstName, title: "every token for the first time", front: gated, tokens: freshTokens, goal: 1.6},
		{name: forgedName, title: "forged signature, every token for the first time", front: gated, tokens: forgedTokens, goal: 0.95},
		{name: noneName, title: "no token", front: gated, tokens: noToken, goal: 0.45},
		{name: "malformed", title: "malformed token", front: gated, tokens: malformedToken, goal: 0.45},
		{name: "unknown", title: "unknown key", front: gated, tokens: unknownKey, goal: 0.45},
		{name: "algorithm", title: "wrong algorithm", front: gated, tokens: wrongAlgorithm, goal: 0.45},
		{name: "expired", title: "expired token", front: gated, tokens: expiredToken, goal: 0.45},
		{name: "forward", title: "one hot token, `forward_auth` to `/verify/` of a second server (both together)", front: forwarded},
	}
	for _, algorithm := range []string{gate.ES256, gate.RS256, gate.HS256} {
		list = append(list,
			scenario{name: hotName + "-" + algorithm, title: "one hot token, " + algorithm, front: gated, algorithm: algorithm},
			scenario{
				name: firstName + "-" + algorithm, title: "every token for the first time, " + algorithm,
				front: gated, algorithm: algorithm, tokens: freshTokens,
			},
		)
	}
	for i := range list {
		list[i].complete()
	}
	return list
}

// complete fills in what follows from the rest.
func (s *scenario) complete() {
	if s.algorithm == "" {
		s.algorithm = gate.EdDSA
	}
	s.status = http.StatusUnauthorized
	if s.tokens <= freshTokens {
		s.status = http.StatusOK
	}
}

// The sections of the report.
const (
	priceSection    = "price"
	memorySection   = "memory"
	loginSection    = "login"
	issuanceSection = "issuance"
	growthSection   = "growth"
	edgesSection    = "edges"
)

// names lists everything that can be chosen.
func names() []string {
	list := []string{priceSection, memorySection, loginSection, issuanceSection, growthSection, edgesSection}
	for _, s := range fullScale().scenarios() {
		list = append(list, s.name)
	}
	return list
}
