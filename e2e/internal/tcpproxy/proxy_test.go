package tcpproxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// echo answers each line with itself.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// talk sends a line and returns how it was answered within a time.
func talk(conn net.Conn, line string, patience time.Duration) (string, error) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

const long, short = 10 * time.Second, 100 * time.Millisecond

func TestPassDelayFreezeHeal(t *testing.T) {
	p := New(t, echo(t))
	conn := dial(t, p)
	if got, err := talk(conn, "a", long); got != "a\n" {
		t.Errorf("passing: %q, %v", got, err)
	}
	p.Delay(50 * time.Millisecond)
	began := time.Now()
	if got, err := talk(conn, "b", long); got != "b\n" || time.Since(began) < 100*time.Millisecond {
		t.Errorf("delayed: %q, %v after %s", got, err, time.Since(began))
	}
	p.Freeze()
	if got, err := talk(conn, "c", short); err == nil {
		t.Errorf("frozen: %q", got)
	}
	fresh := dial(t, p) // accepted, and nothing more
	if got, err := talk(fresh, "d", short); err == nil {
		t.Errorf("frozen anew: %q", got)
	}
	p.Heal()
	_ = conn.SetDeadline(time.Now().Add(long))
	if got, err := bufio.NewReader(conn).ReadString('\n'); got != "c\n" {
		t.Errorf("healed: %q, %v", got, err)
	}
}

func TestCutAndRefuse(t *testing.T) {
	for _, direction := range []Direction{ToServer, ToClient} {
		p := New(t, echo(t))
		conn := dial(t, p)
		p.CutAfter(3, direction)
		_ = conn.SetDeadline(time.Now().Add(long))
		_, _ = io.WriteString(conn, "12345")
		if got, err := io.ReadAll(conn); len(got) > 3 || direction == ToClient && string(got) != "123" {
			t.Errorf("%d: got %q, %v", direction, got, err)
		}
		p.Refuse()
		wait.Until(t, long, "connections are refused", func() bool {
			conn, err := net.Dial("tcp", p.Address())
			if err != nil {
				return true
			}
			defer conn.Close()
			_, err = talk(conn, "a", long)
			return err != nil
		})
		p.Heal()
		if got, err := talk(dial(t, p), "e", long); got != "e\n" {
			t.Errorf("healed: %q, %v", got, err)
		}
	}
}

// What vanished stays dead when the network is back, and neither end hears that the
// other one has left.
func TestVanish(t *testing.T) {
	ends := make(chan error, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := New(t, listener.Addr().String())
	conn := dial(t, p)
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := io.WriteString(conn, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p.Vanish()
	go func() {
		_, err := io.Copy(io.Discard, server)
		ends <- err
	}()
	if got, err := talk(dial(t, p), "b", short); err == nil {
		t.Errorf("a new connection: %q", got)
	}
	p.Heal()
	for _, from := range []net.Conn{conn, server} {
		if _, err := io.WriteString(from, "c\n"); err != nil {
			t.Error(err)
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(short))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the client hears %d bytes, %v", n, err)
	}
	_ = conn.Close()
	fresh := dial(t, p) // takes longer than it would to hear of that
	if _, err := listener.Accept(); err != nil {
		t.Fatal(err)
	}
	_ = fresh.Close()
	select {
	case err := <-ends:
		t.Errorf("the server hears that the client has left: %v", err)
	default:
	}
	p.Cut()
	<-ends
}

func TestMute(t *testing.T) {
	p := New(t, echo(t))
	p.Mute("listen")
	muted, other := dial(t, p), dial(t, p)
	if got, err := talk(muted, "LISTEN x", short); err == nil {
		t.Errorf("muted: %q", got)
	}
	if got, err := talk(other, "select", long); got != "select\n" {
		t.Errorf("other: %q, %v", got, err)
	}
}
