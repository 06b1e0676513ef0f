package httpserver

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// reporter is told of a request that was answered before the app's middleware saw it, and of when that began.
type reporter func(ctx *fasthttp.RequestCtx, began time.Time)

// Harden covers what fasthttp and Fiber answer by themselves: requests that fasthttp cannot read, methods that Fiber does not
// know, and bodies whose framing is ambiguous. The app's ErrorHandler answers them, and their connections are closed in such
// a way that the client sees the answer. Call it once for each app, before the app serves.
func Harden(app *fiber.App, unrouted reporter) {
	server := app.Server()
	server.SecureErrorLogMessage = true // header contents, tokens among them, stay out of error texts
	failed := server.ErrorHandler
	server.ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		began := time.Now()
		failed(ctx, err)
		lingerOnClose(ctx.Conn())
		unrouted(ctx, began)
	}
	server.Handler = framed(app, unrouted, knownMethods(app, unrouted, server.Handler))
}

// knownMethods refuses requests with other methods, which Fiber would answer in plain text.
func knownMethods(app *fiber.App, unrouted reporter, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	methods := app.Config().RequestMethods
	return func(ctx *fasthttp.RequestCtx) {
		if slices.Contains(methods, string(ctx.Method())) {
			next(ctx)
			return
		}
		refuse(app, unrouted, ctx, fiber.ErrNotImplemented)
	}
}

// framed refuses requests whose framing is ambiguous, and prepares the body of the others.
func framed(app *fiber.App, unrouted reporter, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		own := connOf(ctx.Conn())
		if own == nil {
			next(ctx)
			return
		}
		f, err := framingOf(&ctx.Request.Header)
		if err != nil {
			refuse(app, unrouted, ctx, err)
			ctx.SetConnectionClose()
			own.linger.Store(true)
			return
		}
		own.incoming.begin(own, f)
		defer own.incoming.end()
		next(ctx)
		own.incoming.settle(ctx)
	}
}

// refuse answers with the app's ErrorHandler, without the app's middleware.
func refuse(app *fiber.App, unrouted reporter, ctx *fasthttp.RequestCtx, err *fiber.Error) {
	began := time.Now()
	c := app.AcquireCtx(ctx)
	defer app.ReleaseCtx(c)
	if app.ErrorHandler(c, err) != nil {
		ctx.SetStatusCode(err.Code)
	}
	unrouted(ctx, began)
}

// withoutBody has fasthttp take a request for one without a body: Body reads it once a handler asks for it.
func withoutBody(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	header.SetContentLength(0)
	header.Del(fiber.HeaderExpect)
	return fasthttp.RequestConfig{}
}
