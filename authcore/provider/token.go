package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// tokenWhat names the token response in errors.
const tokenWhat = "token request"

// tokens is a successful token response (RFC 6749, section 5.1).
type tokens struct {
	access string
	// members are those of the response. Only the ones that a login uses are
	// checked: expires_in and refresh_token come in many forms.
	members object
}

// redeem exchanges the code for tokens with exactly one request. A code can be used
// once (RFC 6749, section 4.1.2), and providers treat a second request as theft and
// revoke the tokens.
func (p *provider) redeem(ctx context.Context, md metadata, request authcore.ExchangeRequest) (*tokens, error) {
	if request.Code == "" {
		return nil, denied("the code is empty")
	}
	sent, err := p.tokenRequest(ctx, md, request)
	if err != nil {
		return nil, err
	}
	answer, err := send(p.http.redeem, tokenWhat, sent)
	if err != nil {
		return nil, err
	}
	return p.readTokens(answer)
}

// tokenRequest is the token request (RFC 6749, section 4.1.3) with the client
// authentication of section 2.3.1.
func (p *provider) tokenRequest(ctx context.Context, md metadata, request authcore.ExchangeRequest) (*http.Request, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {request.Code}}
	if request.RedirectURI != "" {
		form.Set("redirect_uri", request.RedirectURI)
	}
	if md.pkce && request.Verifier != "" {
		form.Set("code_verifier", request.Verifier)
	}
	if p.spec.exchangeParams != nil {
		params, err := p.spec.exchangeParams(request)
		if err != nil {
			return nil, err
		}
		for name, value := range params {
			form.Set(name, value)
		}
	}
	secret := p.cfg.ClientSecret
	if p.spec.secret != nil {
		var err error
		if secret, err = p.spec.secret(p); err != nil {
			return nil, err
		}
	}
	inForm := md.authStyle == oauth2.AuthStyleInParams
	if inForm {
		form.Set("client_id", p.cfg.ClientID)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	}
	sent, err := http.NewRequestWithContext(ctx, http.MethodPost, md.token, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, failed("%s: %w", tokenWhat, errBadURL)
	}
	sent.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !inForm {
		sent.SetBasicAuth(url.QueryEscape(p.cfg.ClientID), url.QueryEscape(secret))
	}
	return sent, nil
}

// readTokens reads a token response by its content: many servers label it wrongly.
func (p *provider) readTokens(answer answer) (*tokens, error) {
	members, ok := parseMembers(answer.body)
	_, isObject := parseObject(members["error"])
	if answer.status/100 != 2 || isObject || members.display("error") != "" {
		return nil, p.tokenFault(answer.status, members)
	}
	if !ok {
		return nil, failed("%s: the response is not a token response", tokenWhat)
	}
	access, _ := members.idText("access_token") // some servers number them
	access = strings.TrimSpace(access)
	if access == "" {
		return nil, failed("%s: access_token is missing or not a string", tokenWhat)
	}
	if kind := strings.TrimSpace(members.display("token_type")); kind != "" && !strings.EqualFold(kind, "bearer") {
		return nil, failed("%s: token_type is not Bearer", tokenWhat)
	}
	return &tokens{access: access, members: members}, nil
}

// parseMembers parses a JSON object, or form data, which some servers send instead
// (Facebook and GitHub did).
func parseMembers(body []byte) (object, bool) {
	if members, ok := parseObject(body); ok {
		return members, true
	}
	text := string(bytes.TrimSpace(body))
	if text == "" || strings.ContainsAny(text[:1], "{[<\"") {
		return nil, false
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, false
	}
	members := object{}
	for name := range form {
		members[name], _ = json.Marshal(form.Get(name)) // a string can be encoded
	}
	return members, true
}
