package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // the name that Redis gives to a script
	"embed"
	"encoding/hex"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var sources embed.FS

// script is a step that Redis runs as a whole.
type script struct {
	source, sha string
	// reads says that it changes nothing.
	reads bool
}

// newScript puts the common beginning before one of the files in lua.
func newScript(name string) script {
	source := ""
	for _, file := range []string{"prelude", name} {
		text, err := sources.ReadFile("lua/" + file + ".lua")
		if err != nil {
			panic(err) // a file of the program itself
		}
		source += string(text)
	}
	sum := sha1.Sum([]byte(source)) //nolint:gosec // as above
	return script{source: source, sha: hex.EncodeToString(sum[:])}
}

// newReading is newScript for one that changes nothing.
func newReading(name string) script {
	read := newScript(name)
	read.reads = true
	return read
}

// scripts are all the steps.
type scripts struct {
	open, userByEmail, ensureUser, updateUser, setDisabled, deleteUser,
	userByIdentity, ensureIdentity, linkIdentity, unlinkIdentity, replaceIdentity, identitiesOf,
	putLink, takeLink, takeCode, putFlow, takeFlow, updateFlow,
	putSession, sessionsOf, renewSession, endSessions, markSeen,
	revocationsSince, updateKeys, count, limits, sweep, sweepCounters, export, imports script
}

func newScripts() scripts {
	return scripts{
		open: newScript("open"), userByEmail: newReading("user_by_email"), ensureUser: newScript("ensure_user"),
		updateUser: newScript("update_user"), setDisabled: newScript("set_disabled"),
		deleteUser: newScript("delete_user"), userByIdentity: newReading("user_by_identity"),
		ensureIdentity: newScript("ensure_identity"), linkIdentity: newScript("link_identity"),
		unlinkIdentity: newScript("unlink_identity"), replaceIdentity: newScript("replace_identity"), identitiesOf: newReading("identities_of"),
		putLink: newScript("put_link"), takeLink: newScript("take_link"), takeCode: newScript("take_code"),
		putFlow: newScript("put_flow"), takeFlow: newScript("take_flow"), updateFlow: newScript("update_flow"),
		putSession: newScript("put_session"), sessionsOf: newReading("sessions_of"),
		renewSession: newScript("renew_session"), endSessions: newScript("end_sessions"),
		markSeen: newScript("mark_seen"), revocationsSince: newReading("revocations_since"),
		updateKeys: newScript("update_keys"), count: newScript("count"), limits: newReading("limits"),
		sweep: newScript("sweep"), sweepCounters: newScript("sweep_counters"), export: newReading("export"),
		imports: newScript("import"),
	}
}

// once is a command that is never sent a second time by itself. A connection may
// break after the command was carried out: a link that is taken again is gone, and
// its owner would be told that there never was one.
type once struct{ *goredis.Cmd }

func newOnce(ctx context.Context, command []any) once {
	sent := once{goredis.NewCmd(ctx, command...)}
	if command[0] == "evalsha" || command[0] == "eval" {
		sent.SetFirstKeyPos(3)
	}
	return sent
}

func (once) NoRetry() bool { return true }

// answer is what a script returned: a word and more.
type answer struct {
	word string
	rest []any
}

func newAnswer(value any) (answer, error) {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return answer{}, fmt.Errorf("a script returned %T", value)
	}
	word, ok := list[0].(string)
	if !ok {
		return answer{}, fmt.Errorf("a script returned a list that begins with %T", list[0])
	}
	return answer{word, list[1:]}, nil
}

// text returns the element at a place, or "".
func (a answer) text(i int) string {
	if i >= len(a.rest) {
		return ""
	}
	text, _ := a.rest[i].(string)
	return text
}

// number returns the element at a place, or 0.
func (a answer) number(i int) int {
	if i >= len(a.rest) {
		return 0
	}
	n, _ := a.rest[i].(int64)
	return int(n)
}

// texts returns the elements.
func texts(list []any) []string {
	all := make([]string, len(list))
	for i, element := range list {
		all[i], _ = element.(string)
	}
	return all
}

// overtaken reports whether what a step was computed from had been replaced.
func (a answer) overtaken() bool { return a.word == "changed" }
