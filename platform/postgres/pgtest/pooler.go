package pgtest

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"telltale/config"
)

// BehindPooler returns the settings of connections through a pooler before the server that cfg leads to. As PgBouncer does,
// the pooler names another process than the server's; it passes no notifications on if it is to discard them. It ends with t.
func BehindPooler(t testing.TB, cfg config.DB, discard bool) config.DB {
	t.Helper()
	pooler := &relay{
		toServer: func(to, from net.Conn) { _, _ = io.Copy(to, from) },
		toClient: func(to, from net.Conn) { passAnswers(to, from, discard) },
	}
	cfg = pooler.start(t, cfg, func() {})
	cfg.PreparedStatements = false // the pooler reads what passes
	return cfg
}

// passAnswers passes the server's messages on: a byte for the type and four for the length, which counts itself.
func passAnswers(client io.Writer, server io.Reader, discard bool) {
	for {
		header := make([]byte, 5)
		if _, err := io.ReadFull(server, header); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		switch header[0] {
		case 'K': // BackendKeyData: process id, secret
			binary.BigEndian.PutUint32(body, 1)
		case 'A': // NotificationResponse
			if discard {
				continue
			}
		}
		if _, err := client.Write(append(header, body...)); err != nil {
			return
		}
	}
}
