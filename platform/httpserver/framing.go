package httpserver

import (
	"bytes"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// framing is how the body of a request is delimited. A request has one framing, or it is refused: what two servers on the
// way delimit differently, one of them takes for a further request (RFC 9112, 11.2).
type framing struct {
	length  int // of the body; 0 when it is chunked
	chunked bool
	expects bool // the client waits for "100 Continue"
}

// framingOf reads the fields of a head that fasthttp has accepted. It is stricter: a body has one length or is chunked,
// never both, and no other coding; HTTP/1.1 needs one Host, HTTP/1.0 knows no codings, and there are no other versions.
func framingOf(header *fasthttp.RequestHeader) (framing, *fiber.Error) {
	var f framing
	version := string(header.Protocol())
	if version != "HTTP/1.1" && version != "HTTP/1.0" {
		return f, fiber.ErrBadRequest
	}
	hosts, lengths, codings := 0, 0, 0
	for line := range bytes.SplitSeq(header.RawHeaders(), []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.Trim(value, " \t")
		ok := bytes.IndexByte(name, ' ') < 0
		switch {
		case isName(name, "host"):
			hosts++
			ok = isHost(value)
		case isName(name, "content-length"):
			lengths++
			f.length, ok = decimal(value)
		case isName(name, "transfer-encoding"):
			codings++
			f.chunked = true
			ok = isName(value, "chunked")
		case isName(name, "expect"):
			f.expects = version == "HTTP/1.1" && isName(value, "100-continue")
		}
		if !ok {
			return f, fiber.ErrBadRequest
		}
	}
	if hosts > 1 || lengths+codings > 1 || version == "HTTP/1.1" && hosts == 0 || version == "HTTP/1.0" && codings > 0 {
		return f, fiber.ErrBadRequest
	}
	return f, nil
}

// isName compares a token with one in lower case.
func isName(token []byte, lower string) bool {
	return len(token) == len(lower) && bytes.EqualFold(token, []byte(lower))
}

// decimal reads a number of digits only.
func decimal(text []byte) (int, bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(string(text))
	return n, err == nil
}

// isHost reports whether there is nothing in the field that no host's name, address and port have.
func isHost(value []byte) bool {
	for _, c := range value {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', bytes.IndexByte([]byte("-._~!$&'()*+,;=:[]%"), c) >= 0:
		default:
			return false
		}
	}
	return true
}
