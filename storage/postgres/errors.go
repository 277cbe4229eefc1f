package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/edgeauth/edgeauth/authcore"
)

// SQLSTATE codes that a step reacts to.
const (
	divisionByZero       = "22012" // see guarded
	invalidText          = "22P02"
	notNullViolation     = "23502"
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	readOnlyTransaction  = "25006"
)

var (
	errTimeout      = errors.New("no answer in time")
	errClosed       = errors.New("the store is closed")
	errNotCommitted = errors.New("no confirmation of the commit")
)

// final marks an error that is the answer of a step: a sentinel, or the error of a
// callback.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

func unavailable(err error) error {
	return fmt.Errorf("postgres: %w: %w", authcore.ErrUnavailable, err)
}

// serverError is an error of the server without its texts, which may quote data
// (CWE-209): the SQLSTATE.
type serverError string

func (e serverError) Error() string { return "error of the server (SQLSTATE " + string(e) + ")" }

// sqlState returns the code of an error that the server reported, or "".
func sqlState(err error) string {
	var fault *pgconn.PgError
	var code serverError
	if errors.As(err, &fault) {
		return fault.Code
	}
	_ = errors.As(err, &code)
	return string(code)
}

// violation returns the sentinel for a violated constraint, or nil.
func violation(err error) error {
	var fault *pgconn.PgError
	switch {
	case !errors.As(err, &fault):
		return nil
	case fault.Code == uniqueViolation && fault.TableName == "users",
		fault.Code == notNullViolation && fault.TableName == "identities":
		return authcore.ErrTaken
	case fault.Code == notNullViolation && fault.TableName == "records":
		return authcore.ErrExists
	}
	return nil
}

// answer turns the error of a step into one of the contract.
func answer(ctx context.Context, err error) error {
	var told final
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told):
		return told.error
	case violation(err) != nil:
		return violation(err)
	case ctx.Err() != nil:
		return unavailable(ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable(errTimeout)
	case sqlState(err) != "":
		return unavailable(serverError(sqlState(err)))
	}
	return unavailable(err)
}
