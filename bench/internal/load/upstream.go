package load

import (
	"bufio"
	"context"
	"errors"
	"net"
)

// answer is what the upstream says to every request.
const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n"

// ServeUpstream answers requests without a body until ctx ends, with next to no
// work. It stands for the application behind the proxy.
func ServeUpstream(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		accepted, err := listener.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go serve(accepted) // ends with the connection, at the latest with the process
	}
}

func serve(c net.Conn) {
	defer c.Close()
	reader := bufio.NewReaderSize(c, 8<<10)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) > len("\r\n") {
			continue
		}
		if _, err := c.Write([]byte(answer)); err != nil {
			return
		}
	}
}
