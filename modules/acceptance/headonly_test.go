package acceptance

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/platform/postgres/pgtest"
)

// Every operation refuses credentials without the scope that it needs, and none at all, before a byte of the body has come.
func TestCredentials_AreLookedAtBeforeTheBody(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	for path, item := range p.contract().Doc.Paths.Map() {
		for method, operation := range item.Operations() {
			needed, secured := needs[operation.OperationID]
			if operation.RequestBody == nil || !secured {
				continue
			}
			other := access.ReadingsRead
			if needed == other {
				other = access.DevicesRead
			}
			attempts := map[string]int{"": http.StatusUnauthorized, "Bearer tt_wrong": http.StatusUnauthorized, "Bearer a.b.c": http.StatusUnauthorized}
			if needed != "" {
				attempts["Bearer "+sign(t, map[string]any{"scope": string(other)})] = http.StatusForbidden
			}
			for authorization, status := range attempts {
				require.Equal(t, status, p.answerToHead(method, strings.NewReplacer("{", "", "}", "").Replace(path), authorization),
					"%s %s with %q", method, path, authorization)
			}
		}
	}
}

// answerToHead returns the status of a request of whose body of 16 MiB nothing is sent.
func (p *program) answerToHead(method, path, authorization string) int {
	p.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+p.port)
	require.NoError(p.t, err)
	defer conn.Close()
	require.NoError(p.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", method, path, 16<<20)
	if authorization != "" {
		head += "Authorization: " + authorization + "\r\n"
	}
	_, err = conn.Write([]byte(head + "\r\n"))
	require.NoError(p.t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(p.t, err, "%s %s with %q", method, path, authorization)
	defer response.Body.Close()
	return response.StatusCode
}
