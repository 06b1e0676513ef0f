package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// answer is how one kind of fault looks on the wire.
type answer struct {
	status int
	// name is the last part of the problem's type, a word that programs may rely on.
	name  string
	title string
}

// answers is the only place that maps kinds of faults to HTTP.
var answers = map[fault.Kind]answer{
	fault.Internal:          {fiber.StatusInternalServerError, "internal", "Something went wrong on our side"},
	fault.Invalid:           {fiber.StatusUnprocessableEntity, "invalid", "The request is not valid"},
	fault.Unauthenticated:   {fiber.StatusUnauthorized, "unauthenticated", "Valid credentials are needed"},
	fault.Forbidden:         {fiber.StatusForbidden, "forbidden", "The credentials do not cover this"},
	fault.NotFound:          {fiber.StatusNotFound, "not-found", "There is nothing here"},
	fault.Conflict:          {fiber.StatusConflict, "conflict", "The request contradicts what is stored"},
	fault.TooLarge:          {fiber.StatusRequestEntityTooLarge, "too-large", "The request is too large"},
	fault.UnsupportedMedia:  {fiber.StatusUnsupportedMediaType, "unsupported-media", "The body is in a format that is not read here"},
	fault.NotAcceptable:     {fiber.StatusNotAcceptable, "not-acceptable", "The answer cannot be given in the format asked for"},
	fault.MethodNotAllowed:  {fiber.StatusMethodNotAllowed, "method-not-allowed", "The path does not answer to this method"},
	fault.TooManyRequests:   {fiber.StatusTooManyRequests, "too-many-requests", "Too many requests"},
	fault.Unavailable:       {fiber.StatusServiceUnavailable, "unavailable", "This cannot be served now"},
	kindMalformed:           {fiber.StatusBadRequest, "malformed", "The request is not well-formed HTTP"},
	kindTimeout:             {fiber.StatusRequestTimeout, "timeout", "The request took too long to arrive"},
	kindHeaderTooLarge:      {fiber.StatusRequestHeaderFieldsTooLarge, "header-too-large", "The request's header is too large"},
	kindGone:                {StatusGone, "client-gone", "The client has closed its connection"},
	kindMethodNotRecognised: {fiber.StatusNotImplemented, "method-unknown", "The method is not known"},
}

// Kinds that only HTTP itself knows; services never return them.
const (
	kindMalformed fault.Kind = -1 - iota
	kindTimeout
	kindHeaderTooLarge
	kindMethodNotRecognised
	kindGone
)

// StatusGone is for the log and the metrics: there is no client left to read it. nginx has made it the usual number.
const StatusGone = 499

// fiberFault turns an error that Fiber or fasthttp made by itself into a fault, with words that fit an API: Fiber's own
// are written for a terminal, and fasthttp's may quote the request.
func fiberFault(err *fiber.Error, cfg fiber.Config) *fault.Fault {
	switch err.Code {
	case fiber.StatusNotFound:
		return &fault.Fault{Kind: fault.NotFound, Message: "no route leads to this path", Err: err}
	case fiber.StatusMethodNotAllowed:
		return &fault.Fault{Kind: fault.MethodNotAllowed, Message: "this path answers to the methods in the Allow header", Err: err}
	case fiber.StatusRequestEntityTooLarge:
		return &fault.Fault{Kind: fault.TooLarge, Message: "a request body may have at most " + httpserver.ByteCount(cfg.BodyLimit), Err: err}
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return &fault.Fault{Kind: kindHeaderTooLarge, Message: "request line and header may have at most " + httpserver.ByteCount(cfg.ReadBufferSize), Err: err}
	case fiber.StatusRequestTimeout:
		return &fault.Fault{Kind: kindTimeout, Message: "the request did not arrive in time", Err: err}
	case fiber.StatusNotImplemented:
		return &fault.Fault{Kind: kindMethodNotRecognised, Message: "the request's method is not known", Err: err}
	case fiber.StatusUnsupportedMediaType:
		return &fault.Fault{Kind: fault.UnsupportedMedia, Message: "the body's format or encoding is not read here", Err: err}
	case fiber.StatusBadRequest, fiber.StatusBadGateway: // Fiber calls a connection lost while reading a bad gateway
		return &fault.Fault{Kind: kindMalformed, Message: "the request could not be read as HTTP", Err: err}
	default:
		return &fault.Fault{Kind: fault.Internal, Err: err}
	}
}
