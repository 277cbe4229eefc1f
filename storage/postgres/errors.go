package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/edgeauth/edgeauth/authcore"
)

// SQLSTATE codes that mean something to a call.
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	readOnlyTransaction  = "25006"
)

var (
	// errAgain says that another call came between and that the step has to be
	// tried again.
	errAgain = errors.New("postgres: another call came between")
	// errTimeout says that the database had its time.
	errTimeout = errors.New("no answer in time")
)

// unavailable wraps what the engine or the context said.
func unavailable(err error) error {
	return fmt.Errorf("postgres: %w: %w", authcore.ErrUnavailable, err)
}

// sqlState returns the code of an error of the server, or "".
func sqlState(err error) string {
	var fault *pgconn.PgError
	if errors.As(err, &fault) {
		return fault.Code
	}
	return ""
}

// violated returns the name of the constraint that a step would have broken, or
// "".
func violated(err error) string {
	var fault *pgconn.PgError
	if errors.As(err, &fault) && (fault.Code == uniqueViolation || fault.Code == foreignKeyViolation) {
		return fault.ConstraintName
	}
	return ""
}

// violations are the answers that lie in a violated constraint.
var violations = map[string]error{
	"users_pkey":      authcore.ErrTaken,
	"users_email_key": authcore.ErrTaken,
	"identities_pkey": authcore.ErrTaken,
	"sessions_pkey":   authcore.ErrTaken,
	"sessions_user":   authcore.ErrNotFound,
	"identities_user": authcore.ErrNotFound,
}

// transient reports whether a step did not happen and may be tried again at once.
func transient(err error) bool {
	switch sqlState(err) {
	case serializationFailure, deadlockDetected:
		return true
	}
	return errors.Is(err, errAgain) || pgconn.SafeToRetry(err)
}

// answer turns the error of a step into one of the contract. Sentinels and the
// errors of change functions are answers and stay as they are; no row is "not
// found"; the rest is a failure of the engine. An error of the server about data
// may cite the data, and is told by its code alone (CWE-209).
func answer(ctx context.Context, err error) error {
	var told answered
	var fault *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told):
		return told.error
	case violations[violated(err)] != nil:
		return violations[violated(err)]
	case errors.Is(err, pgx.ErrNoRows):
		return authcore.ErrNotFound
	case ctx.Err() != nil:
		return unavailable(ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable(errTimeout)
	case errors.As(err, &fault) && (strings.HasPrefix(fault.Code, "22") || strings.HasPrefix(fault.Code, "23")):
		return unavailable(errors.New("the server refused a value (SQLSTATE " + fault.Code + ")"))
	}
	return unavailable(err)
}

// answered marks an error as the answer of a step, not a failure of the engine.
type answered struct{ error }

func (a answered) Unwrap() error { return a.error }
