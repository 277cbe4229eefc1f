package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// unit contains the settings of a systemd unit that matter without systemd.
type unit map[string][]string

// readUnit reads the settings of the section [Service].
func (w *walk) readUnit() unit {
	w.t.Helper()
	settings := unit{}
	section := ""
	for line := range strings.Lines(w.read("/usr/lib/systemd/system/edgeauth.service")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		if key, value, found := strings.Cut(line, "="); found && section == "[Service]" && !strings.HasPrefix(line, "#") {
			settings[key] = append(settings[key], value)
		}
	}
	return settings
}

// one returns the single value of a setting.
func (w *walk) one(settings unit, key string) string {
	w.t.Helper()
	if len(settings[key]) != 1 {
		w.t.Fatalf("the unit has %s %d times, want once", key, len(settings[key]))
	}
	return settings[key][0]
}

// start starts the service as systemd does: with the user, directories, credentials,
// environment and capabilities of the unit, and without any others. It waits for READY=1.
func (w *walk) start() {
	w.t.Helper()
	settings := w.readUnit()
	user, group := w.account(w.one(settings, "User"))
	credentials := "/run/credentials/edgeauth.service"
	w.directory("/var/lib/"+w.one(settings, "StateDirectory"), user, group)
	w.directory(credentials, user, group)
	for _, value := range settings["LoadCredential"] {
		id, source, _ := strings.Cut(value, ":")
		path := w.in(filepath.Join(credentials, id))
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(w.read(source)), 0o400); err != nil {
			w.t.Fatal(err)
		}
		if err := os.Chown(path, user, group); err != nil {
			w.t.Fatal(err)
		}
	}
	const socket = "/run/notify"
	_ = os.Remove(w.in(socket))
	notified, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: w.in(socket), Net: "unixgram"})
	if err != nil {
		w.t.Fatal(err)
	}
	defer notified.Close()
	if err := os.Chmod(w.in(socket), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if capability := w.one(settings, "AmbientCapabilities"); capability != "CAP_NET_BIND_SERVICE" {
		w.t.Fatalf("the unit has the capabilities %s, want CAP_NET_BIND_SERVICE", capability)
	}
	const bindService = 10 // CAP_NET_BIND_SERVICE
	cmd := exec.Command("/bin/sh", "-c", "umask "+w.one(settings, "UMask")+"; exec "+w.one(settings, "ExecStart"))
	cmd.Dir = "/"
	cmd.Env = append(strings.Fields(strings.Join(settings["Environment"], " ")),
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CREDENTIALS_DIRECTORY="+credentials, "NOTIFY_SOCKET="+socket,
		// As a drop-in would, because other services of this machine use the ports.
		"CADDY_ADMIN="+w.admin, "SSL_CERT_FILE=/etc/walk-ca.pem")
	cmd.Stdout, cmd.Stderr = &w.log, &w.log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: w.root, Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(group)}, AmbientCaps: []uintptr{bindService},
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatalf("starting the service failed: %v", err)
	}
	w.service, w.ended = cmd, make(chan error, 1)
	go func(ended chan<- error) { ended <- cmd.Wait() }(w.ended)
	w.awaitReady(notified)
}

// awaitReady reads the notifications of the service.
func (w *walk) awaitReady(notified *net.UnixConn) {
	w.t.Helper()
	if err := notified.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		w.t.Fatal(err)
	}
	for message := make([]byte, 4096); ; {
		n, err := notified.Read(message)
		if err != nil {
			w.t.Fatalf("the service sent no READY=1: %v", err)
		}
		if bytes.Contains(message[:n], []byte("READY=1")) {
			return
		}
	}
}

// stop ends the service within the time of the unit.
func (w *walk) stop() {
	w.t.Helper()
	limit, err := time.ParseDuration(w.one(w.readUnit(), "TimeoutStopSec"))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.service.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	kill := time.AfterFunc(limit, func() { _ = w.service.Process.Kill() })
	err = <-w.ended
	if !kill.Stop() || err != nil {
		w.t.Errorf("the service ended with %v, want a clean end within %s", err, limit)
	}
	w.service = nil
}

// directory makes a directory that only the service can read.
func (w *walk) directory(path string, user, group int) {
	w.t.Helper()
	if err := os.MkdirAll(w.in(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	// The parents are open to all.
	for parent := filepath.Dir(path); parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(w.in(parent), 0o755); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := os.Chown(w.in(path), user, group); err != nil {
		w.t.Fatal(err)
	}
}

// account returns the IDs of a user of the Debian.
func (w *walk) account(name string) (user, group int) {
	w.t.Helper()
	for line := range strings.Lines(w.read("/etc/passwd")) {
		fields := strings.Split(line, ":")
		if fields[0] != name || len(fields) < 4 {
			continue
		}
		user, err := strconv.Atoi(fields[2])
		if err != nil {
			w.t.Fatal(err)
		}
		group, err := strconv.Atoi(fields[3])
		if err != nil {
			w.t.Fatal(err)
		}
		return user, group
	}
	w.t.Fatal(fmt.Errorf("the Debian has no user %s", name))
	return 0, 0
}
