package login_test

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// Attack: the owner of a mailbox completes its pending login with the passkey of another
// user, or with a passkey whose response was used for another login (CWE-294, CWE-639).
func TestHardeningPasskeyOfAnotherLogin(t *testing.T) {
	f := newFixture(t, withPasskeyFactor)
	_, strong := f.enrol(f.loginAs("ann@example.com"))
	ann, _ := f.addPasskey(strong)
	eve, _ := f.addPasskey(f.loginAs("eve@example.com"))

	asked := f.challenged("ann@example.com")
	_, err := f.bySecond(login.FactorLogin{Challenge: asked.Challenge, Credential: f.assertion(eve)})
	wantCode(t, err, 400, authcore.CodeInvalidPasskey)
	_, err = f.bySecond(login.FactorLogin{Challenge: asked.Challenge, Credential: []byte("{}")})
	wantCode(t, err, 400, authcore.CodeInvalidPasskey)

	response := f.assertion(ann)
	if _, err := f.bySecond(login.FactorLogin{Challenge: asked.Challenge, Credential: response}); err != nil {
		t.Errorf("BySecondFactor() of the owner after refusals = %v, want nil", err)
	}
	_, err = f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Credential: response})
	wantCode(t, err, 400, authcore.CodeInvalidChallenge)
	_, err = f.bySecond(login.FactorLogin{Challenge: asked.Challenge, Credential: f.assertion(ann)})
	wantCode(t, err, 400, authcore.CodeInvalidChallenge)
}
