package httpapi

import (
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// SameSite refuses what a page of another site has a browser send, for calls that change what the browser itself keeps, such as a
// session cookie, and that need no credentials which such a page lacks.
type SameSite struct {
	protection *http.CrossOriginProtection
	open       bool
}

// NewSameSite returns a SameSite that lets pages of the origins given through, as ALLOWED_ORIGINS lists them; "*" is none of them.
func NewSameSite(origins []string) *SameSite {
	s := &SameSite{protection: http.NewCrossOriginProtection()}
	for _, origin := range origins {
		if origin == "*" {
			s.open = true
			continue
		}
		if err := s.protection.AddTrustedOrigin(origin); err != nil {
			panic(err) // the configuration has checked them
		}
	}
	return s
}

// Open reports whether pages of every origin may call the API. They still may not change what browsers keep.
func (s *SameSite) Open() bool { return s.open }

// Check returns a Forbidden fault when a browser says that a page of another origin has sent the request. What is not a browser
// says nothing of the kind, and passes.
func (s *SameSite) Check(c *fiber.Ctx) error {
	request := &http.Request{Method: c.Method(), Host: c.Get(fiber.HeaderHost), Header: http.Header{}}
	for _, name := range []string{"Sec-Fetch-Site", fiber.HeaderOrigin} {
		if value := c.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	if s.protection.Check(request) == nil {
		return nil
	}
	// Behind a proxy the browser's host may be here alone. A page of another site cannot set it.
	if request.Host = c.Get(fiber.HeaderXForwardedHost); request.Host != "" && s.protection.Check(request) == nil {
		return nil
	}
	return fault.New(fault.Forbidden, "a page of another site has sent this: ALLOWED_ORIGINS has to name its origin")
}

// SameOrigin reports whether a browser says that a page of this server itself has sent the request. Sec-Fetch-Site says so, which no
// page can set or change; browsers leave it out for a server that they reach by plain HTTP, and then an Origin of the request's own host
// does. Everything else is no proof: a page of another site, port or of no origin, a sibling of this host, the address bar, and
// whatever is no browser, which says nothing of the kind.
func SameOrigin(c *fiber.Ctx) bool {
	if site := c.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(c.Get(fiber.HeaderOrigin))
	if err != nil || origin.Host == "" || origin.Scheme != "http" && origin.Scheme != "https" {
		return false
	}
	// Behind a proxy the browser's host may be in the second alone. A page of another site cannot set either.
	return origin.Host == c.Get(fiber.HeaderHost) || origin.Host == c.Get(fiber.HeaderXForwardedHost)
}
