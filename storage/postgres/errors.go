package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/edgeauth/edgeauth/authcore"
)

// SQLSTATE codes that a step reacts to.
const (
	notNullViolation     = "23502"
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	readOnlyTransaction  = "25006"
)

// maxViolations limits attempts that end at a constraint. A step that loses a race
// against a first login of the same user finds the user at the next attempt.
const maxViolations = 3

var (
	errTimeout      = errors.New("no answer in time")
	errDamaged      = errors.New("a stored item cannot be decoded")
	errClosed       = errors.New("the store is closed")
	errNotCommitted = errors.New("no confirmation of the commit")
	// errConflict ends an attempt because another step came between.
	errConflict = errors.New("conflicting step")
)

// final marks an error that is the answer of a step: a sentinel, or the error of a
// callback.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// broken marks an error after which the connection is closed.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

// early marks an error of a step that had not sent anything to commit.
type early struct{ error }

func (e early) Unwrap() error { return e.error }

func undone(err error) error {
	if err == nil {
		return nil
	}
	return early{err}
}

func unavailable(err error) error {
	return fmt.Errorf("postgres: %w: %w", authcore.ErrUnavailable, err)
}

// panicError describes a recovered panic. Its value may contain secrets unless it
// comes from the runtime.
func panicError(cause any) error {
	if fault, ok := cause.(runtime.Error); ok {
		return fmt.Errorf("panic: %w", fault)
	}
	return fmt.Errorf("panic with a value of type %T", cause)
}

// sqlState returns the code of an error that the server reported, or "".
func sqlState(err error) string {
	var fault *pgconn.PgError
	if errors.As(err, &fault) {
		return fault.Code
	}
	return ""
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

// retryable reports whether a step certainly did not happen and another attempt
// may succeed.
func retryable(err error, attempt int) bool {
	var isFinal final
	var isBroken broken
	var isEarly early
	switch {
	case errors.As(err, &isFinal):
		return false
	case sqlState(err) == serializationFailure, sqlState(err) == deadlockDetected, errors.Is(err, errConflict):
		return true
	case violation(err) != nil:
		return attempt < maxViolations
	}
	return attempt == 1 && errors.As(err, &isBroken) && errors.As(err, &isEarly)
}

// answer turns the error of a step into one of the contract. Errors of the server
// about data may quote the data and are reported by their code (CWE-209).
func answer(ctx context.Context, err error) error {
	var told final
	var fault *pgconn.PgError
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
	case errors.As(err, &fault) && !strings.HasPrefix(fault.Code, "57") && !strings.HasPrefix(fault.Code, "53"):
		return unavailable(fmt.Errorf("error of the server (SQLSTATE %s)", fault.Code))
	}
	return unavailable(err)
}

// errNewer refuses a realm whose documents may have fields that this program would
// drop.
func errNewer(formats []int) error {
	return fmt.Errorf("postgres: the store has format %v, this program knows up to %d; run the newer program", formats, authcore.Format)
}
