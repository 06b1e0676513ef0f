package auth

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/keytext"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

const (
	// sessionCookie is the cookie that a browser's session token is kept in. For other methods than GET and HEAD it is
	// accepted only from a page of this server, so that no other site can have a browser change anything here.
	sessionCookie = "telltale_session"
	// QueryToken is the query parameter that RequireBrowser accepts a token or API key in.
	QueryToken = "access_token"

	headerAPIKey = "X-API-Key"
	// maxCredential is longer than any token that fits what else a request's header may hold.
	maxCredential = 16 << 10
)

// source is the part of a request that credentials come from. The order is that of preference.
type source int

const (
	nowhere source = iota
	fromHeader
	fromAPIKeyHeader
	fromQuery
	fromCookie
)

// credential finds the request's credentials. The text is valid as long as the request is.
//
// What a caller has put into a request on purpose goes before the cookie, which a browser sends by itself; credentials
// that are there but malformed are refused rather than passed over for others.
func credential(c *fiber.Ctx, browser bool) (text string, from source, err error) {
	if header := c.Get(fiber.HeaderAuthorization); header != "" {
		text, err = parseAuthorization(header)
		return text, fromHeader, err
	}
	if key := c.Get(headerAPIKey); key != "" {
		return key, fromAPIKeyHeader, nil
	}
	if browser && c.Context().QueryArgs().Has(QueryToken) { //nolint:forbidigo // the guard's own parameter, on every route of its kind
		return c.Query(QueryToken), fromQuery, nil //nolint:forbidigo // see above
	}
	if cookie := c.Cookies(sessionCookie); cookie != "" {
		return cookie, fromCookie, checkOrigin(c)
	}
	return "", nowhere, nil
}

// checkOrigin returns a Forbidden fault for a request by session cookie that changes something, unless a page of this server has
// sent it.
func checkOrigin(c *fiber.Ctx) error {
	if method := c.Method(); method == fiber.MethodGet || method == fiber.MethodHead || httpapi.SameOrigin(c) {
		return nil
	}
	return fault.New(fault.Forbidden, "the session cookie is accepted for %s only from a page of this server, "+
		"and the browser has not said that this comes from one: neither Sec-Fetch-Site is same-origin, nor Origin this server; "+
		"a proxy in between has to keep Host or set X-Forwarded-Host; what is not a page sends a token or an API key", c.Method())
}

// parseAuthorization takes the token or API key out of an Authorization header: "Bearer <either>", or "Token <API key>"
// as clients of InfluxDB send it. It returns an Unauthenticated fault for anything else.
func parseAuthorization(header string) (string, error) {
	if len(header) > maxCredential {
		return "", fault.New(fault.Unauthenticated, "the credentials in the Authorization header are too long")
	}
	scheme, text, _ := strings.Cut(header, " ")
	text = strings.Trim(text, " ")
	bearer := strings.EqualFold(scheme, "Bearer")
	if !bearer && !(strings.EqualFold(scheme, "Token") && keytext.IsKey(text)) {
		return "", fault.New(fault.Unauthenticated, "the Authorization header has to read: Bearer, a space, and a token or API key")
	}
	if text == "" || strings.ContainsFunc(text, notTokenText) {
		return "", fault.New(fault.Unauthenticated, "the Authorization header holds no well-formed token or API key")
	}
	return text, nil
}

// notTokenText tells what neither a JWT nor an API key contains.
func notTokenText(r rune) bool {
	return keytext.NotBase62(r) && r != '-' && r != '_' && r != '.'
}
