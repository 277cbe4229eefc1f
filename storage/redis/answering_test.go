package redis

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// answering starts a server that answers every command with one line.
func answering(t *testing.T, line string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("Listen failed: %v", err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				for readCommand(conn) {
					if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
	})
	return "redis://" + listener.Addr().String()
}

// readCommand reads one complete command.
func readCommand(conn net.Conn) bool {
	line := func() (string, bool) {
		var text []byte
		for one := make([]byte, 1); ; {
			if _, err := io.ReadFull(conn, one); err != nil {
				return "", false
			}
			if text = append(text, one[0]); bytes.HasSuffix(text, []byte("\r\n")) {
				return string(text[1 : len(text)-2]), true
			}
		}
	}
	count, open := line()
	parts, _ := strconv.Atoi(count)
	for range parts {
		length, _ := line()
		n, err := strconv.Atoi(strings.TrimSpace(length))
		if err != nil {
			return false
		}
		if _, err := io.CopyN(io.Discard, conn, int64(n)+2); err != nil {
			return false
		}
	}
	return open
}
