package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// ClockSkew depends neither on the time zone of a session nor on its style of dates.
func TestClockSkew(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	and := "?"
	if strings.Contains(dsn, "?") {
		and = "&"
	}
	for _, setting := range []string{"TimeZone=UTC", "TimeZone=Asia/Kathmandu", "DateStyle=SQL,DMY", "DateStyle=German"} {
		dsn := dsn + and + setting
		for _, ahead := range []time.Duration{0, 90 * time.Second, -time.Hour} {
			begin := time.Now()
			got, err := ClockSkew(t.Context(), dsn, func() time.Time { return time.Now().Add(-ahead) })
			if off := (got - ahead).Abs(); err != nil || off > time.Since(begin) {
				t.Errorf("ClockSkew with %s = %s, error %v, want %s", setting, got, err, ahead)
			}
		}
	}
	_, err := ClockSkew(t.Context(), "postgres://edge:pg-s3cret@127.0.0.1:1/none", time.Now)
	if err == nil || strings.Contains(err.Error(), "pg-s3cret") {
		t.Errorf("ClockSkew without a server: error %v, want one without the password", err)
	}
	if _, err := Realms(t.Context(), dsn); err == nil {
		t.Error("ClockSkew has created a schema")
	}
}
