package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
	"io"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxImport bounds how many users one request brings. Each takes a few steps of
// the store, one after the other.
const maxImport = 1000

// importRequest is the body of an import.
type importRequest struct {
	// DryRun stores nothing.
	DryRun bool         `json:"dry_run,omitempty"`
	Users  []importUser `json:"users"`
}

// importUser is an socialauth.ImportedUser.
type importUser struct {
	Email         string        `json:"email,omitempty"`
	EmailVerified bool          `json:"email_verified,omitempty"`
	FirstName     string        `json:"first_name,omitempty"`
	LastName      string        `json:"last_name,omitempty"`
	Logins        []importLogin `json:"logins"`
}

// importLogin is an socialauth.ImportedLogin.
type importLogin struct {
	Provider    string `json:"provider"`
	UID         string `json:"uid,omitempty"`
	TransferSub string `json:"transfer_sub,omitempty"`
}

// importAnswer says what became of each user, in the same order.
type importAnswer struct {
	Users []importedUser `json:"users"`
}

// importedUser is an socialauth.ImportResult.
type importedUser struct {
	ID      string `json:"id"`
	IsNew   bool   `json:"is_new"`
	Stored  int    `json:"stored"`
	Present int    `json:"present"`
	// Refused says for each login why it was not taken, or "".
	Refused []string `json:"refused"`
}

// serveImport stores users one after the other. What was stored before an error
// stays, and is there already when the same comes again.
func serveImport(w http.ResponseWriter, r *http.Request) {
	answer, err := importUsers(w, r)
	if err != nil {
		answerAdmin(w, adminStatus(err), map[string]string{"error": err.Error()})
		return
	}
	answerAdmin(w, http.StatusOK, answer)
}

func importUsers(w http.ResponseWriter, r *http.Request) (importAnswer, error) {
	service, release, err := activeService(r)
	if err != nil {
		return importAnswer{}, err
	}
	defer release()
	request, err := readImport(w, r)
	if err != nil {
		return importAnswer{}, &authcore.Error{Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest, Detail: err.Error()}
	}
	answer := importAnswer{Users: make([]importedUser, 0, len(request.Users))}
	for _, user := range request.Users {
		result, err := service.ImportUser(r.Context(), user.given(), request.DryRun)
		var public *authcore.Error
		switch {
		case errors.As(err, &public) && public.Status == http.StatusBadRequest:
			for range user.Logins {
				result.Refused = append(result.Refused, public.Detail)
			}
		case err != nil:
			return importAnswer{}, err
		}
		answer.Users = append(answer.Users, importedUser{result.UserID, result.IsNew, result.Stored, result.Present, result.Refused})
	}
	return answer, nil
}

// readImport reads the body. An unknown member is refused: an address that was
// meant to be one must not get lost.
func readImport(w http.ResponseWriter, r *http.Request) (importRequest, error) {
	var request importRequest
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminBody))
	decoder.DisallowUnknownFields()
	faulty := decoder.Decode(&request) != nil
	if !faulty {
		_, err := decoder.Token()
		faulty = !errors.Is(err, io.EOF) // what follows would be lost
	}
	if faulty {
		return request, errors.New(`expected {"users": [{"logins": [{"provider": "…", "uid": "…"}], …}], …} of at most 1 MiB`)
	}
	if n := len(request.Users); n > maxImport {
		return request, fmt.Errorf("%d users are too many for one request; send at most %d", n, maxImport)
	}
	for n, user := range request.Users {
		if len(user.Logins) == 0 {
			return request, fmt.Errorf("user %d has no logins", n)
		}
	}
	return request, nil
}

func (u importUser) given() socialauth.ImportedUser {
	given := socialauth.ImportedUser{
		Email: u.Email, EmailVerified: u.EmailVerified, FirstName: u.FirstName, LastName: u.LastName,
		Logins: make([]socialauth.ImportedLogin, len(u.Logins)),
	}
	for i, login := range u.Logins {
		given.Logins[i] = socialauth.ImportedLogin(login)
	}
	return given
}
