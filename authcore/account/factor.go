package account

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Values of Rules.SecondFactor.
const (
	// SecondFactorOff asks for no second factor, and users cannot add one.
	SecondFactorOff = "off"
	// SecondFactorOptional asks users for the second factor that they added.
	SecondFactorOptional = "optional"
	// SecondFactorRequired also makes users add one when they log in.
	SecondFactorRequired = "required"
)

// FactorNeed describes the lack of a login with one factor.
type FactorNeed int

// The values of FactorNeed.
const (
	FactorNotNeeded FactorNeed = iota
	// FactorProof means that the user has a second factor and has to prove it.
	FactorProof
	// FactorEnrolment means that the user has to add one.
	FactorEnrolment
)

// FactorNeed returns what a login of the user with one factor lacks.
func (r *Rules) FactorNeed(user authcore.User) FactorNeed {
	switch {
	case !r.OffersFactors():
		return FactorNotNeeded
	case hasFactor(user):
		return FactorProof
	case r.RequiresFactor(user):
		return FactorEnrolment
	}
	return FactorNotNeeded
}

// OffersFactors reports whether users may have a second factor.
func (r *Rules) OffersFactors() bool {
	return r.SecondFactor == SecondFactorOptional || r.SecondFactor == SecondFactorRequired
}

// RequiresFactor reports whether the user must have a second factor.
func (r *Rules) RequiresFactor(user authcore.User) bool {
	return r.SecondFactor == SecondFactorRequired && (len(r.SecondFactorRoles) == 0 ||
		slices.ContainsFunc(r.SecondFactorRoles, func(role string) bool { return slices.Contains(user.Roles, role) }))
}

// CheckFactor returns the 403 error second_factor_required if the user has a second
// factor and the session of the token has not proven one. A first factor alone, or a
// remembered device, must not be enough to change how the account is accessed.
func (r *Rules) CheckFactor(claims *gate.Claims, user authcore.User) error {
	if !r.OffersFactors() || !hasFactor(user) || claims.ACR == "2" {
		return nil
	}
	return FactorRequired(&authcore.MissingFactor{Methods: FactorMethods(user)})
}

// CheckFactor applies Rules.CheckFactor.
func (s *Service) CheckFactor(claims *gate.Claims, user authcore.User) error {
	return s.cfg.Rules.CheckFactor(claims, user)
}

// FactorRequired returns the 403 error second_factor_required.
func FactorRequired(missing *authcore.MissingFactor) *authcore.Error {
	return &authcore.Error{
		Status: http.StatusForbidden, Code: authcore.CodeSecondFactorRequired,
		Detail: "A second factor is required.", Missing: missing,
	}
}

// FactorMethods returns the second factors that a user can prove, as values of the claim
// amr.
func FactorMethods(user authcore.User) []string {
	var methods []string
	for _, kind := range []string{authcore.FactorTOTP, authcore.FactorRecovery} {
		if _, has := user.Factor(kind); has {
			methods = append(methods, kind)
		}
	}
	return methods
}

// hasFactor reports whether the user has a second factor. Recovery codes do not count.
func hasFactor(user authcore.User) bool {
	_, has := user.Factor(authcore.FactorTOTP)
	return has
}

func (r *Rules) validateFactor() error {
	if r.SecondFactor != SecondFactorRequired && len(r.SecondFactorRoles) > 0 {
		return fmt.Errorf("second_factor: roles are used with %q only; remove them or write second_factor required", SecondFactorRequired)
	}
	if slices.Contains(r.SecondFactorRoles, "") {
		return errors.New("second_factor: a role is empty; remove it")
	}
	return oneOf("second_factor", r.SecondFactor, "", SecondFactorOff, SecondFactorOptional, SecondFactorRequired)
}
