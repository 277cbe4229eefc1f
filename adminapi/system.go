package adminapi

import (
	"fmt"
	"time"

	"github.com/edgeauth/edgeauth/authcore/realm"
)

// Health is the state of a realm, as far as it is known without asking anything.
type Health struct {
	// Ready reports that all checks are ok.
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks"`
}

// Check is the state of one part of a realm.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail is a sentence for people.
	Detail string `json:"detail"`
}

// Settings are the settings in force, without secrets.
type Settings struct {
	realm.Settings
	// Storage and Mailer are the names of modules.
	Storage string `json:"storage"`
	Mailer  string `json:"mailer"`
}

func health(c *call) (any, error) {
	checks := []Check{storeCheck(c.realm)}
	if c.realm.Checks != nil {
		checks = append(checks, c.realm.Checks()...)
	}
	found := Health{Ready: true, Checks: checks}
	for _, check := range checks {
		found.Ready = found.Ready && check.OK
	}
	return found, nil
}

// storeCheck is based on the revocations, which the realm reads twice a second.
func storeCheck(r *Realm) Check {
	const late = 5 * time.Second
	age := r.RevocationAge()
	if age < late {
		return Check{Name: "store", OK: true, Detail: "The store answers."}
	}
	return Check{Name: "store", Detail: fmt.Sprintf("The store has not answered for %s.", age.Round(time.Second))}
}

func settings(c *call) (any, error) {
	return Settings{Settings: c.realm.Settings(), Storage: c.realm.Storage, Mailer: c.realm.Mailer}, nil
}
