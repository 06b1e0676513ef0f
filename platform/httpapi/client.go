package httpapi

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// addressKey is where the middleware leaves the client's address when there are proxies to ask for it.
const addressKey = "telltale.client_address"

// ClientAddress returns the IP address of the client that made the request: the connection's, unless that is one of
// config.HTTP.TrustedProxies, whose X-Forwarded-For is then believed. It is a string of its own, safe to keep.
//
// Fiber's own c.IP() is not used: behind a proxy it takes the first address of the header, which any client may have put there.
func ClientAddress(c *fiber.Ctx) string {
	if address, ok := c.Locals(addressKey).(string); ok {
		return address
	}
	return c.Context().RemoteIP().String()
}

// Proxies are the addresses whose word is taken for who is behind them.
type Proxies []netip.Prefix

// Address returns the client's address, and leaves it for ClientAddress.
func (p Proxies) Address(c *fiber.Ctx) string {
	if len(p) == 0 {
		return c.Context().RemoteIP().String()
	}
	address := p.client(c.Context())
	c.Locals(addressKey, address)
	return address
}

// client follows X-Forwarded-For from its end, to which each proxy adds the address of its own peer, and stops at the first
// address that is no proxy's: what is before it is only that client's word. Where the header ends before, or something in it
// is no address, the last proxy is all that is known.
func (p Proxies) client(ctx *fasthttp.RequestCtx) string {
	address, _ := netip.AddrFromSlice(ctx.RemoteIP())
	address = address.Unmap()
	if !p.trust(address) {
		return address.String()
	}
	path := string(bytes.Join(ctx.Request.Header.PeekAll(fiber.HeaderXForwardedFor), []byte{','}))
	for path != "" && p.trust(address) {
		comma := strings.LastIndexByte(path, ',')
		hop, err := parseHop(path[comma+1:])
		if err != nil {
			break
		}
		address, path = hop, path[:max(comma, 0)]
	}
	return address.String()
}

func (p Proxies) trust(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// parseHop reads one address of X-Forwarded-For, to which some proxies add the port.
func parseHop(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	address, err := netip.ParseAddr(text)
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(text)
		address = withPort.Addr()
	}
	return address.Unmap().WithZone(""), err
}
