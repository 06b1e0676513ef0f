package openapitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Transport returns a RoundTripper that holds each exchange which passes through it against the document, and reports
// what does not fit; it reports concurrently when it is used so. Answers must have a documented status, with documented
// header, content type and body. A request which is answered with success must have been one that the document allows:
// tests may send nonsense, but only to see it refused. Paths in except are not looked at.
//
// Bodies are read whole, except event streams, of which only status and header are checked.
func (c *Contract) Transport(next http.RoundTripper, report func(error), except ...string) http.RoundTripper {
	registerDecoders()
	return &transport{contract: c, next: next, report: report, except: except}
}

type transport struct {
	contract *Contract
	next     http.RoundTripper
	report   func(error)
	except   []string
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if slices.Contains(t.except, req.URL.Path) {
		return t.next.RoundTrip(req)
	}
	sent, err := taken(&req.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	res, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	received, err := answered(res)
	if err != nil {
		return nil, err
	}
	if err := t.contract.check(req, sent, res, received); err != nil {
		t.report(fmt.Errorf("%s %s answered %d: %w", req.Method, req.URL.RequestURI(), res.StatusCode, err))
	}
	return res, nil
}

// taken reads a body and puts a copy into its place.
func taken(body *io.ReadCloser) ([]byte, error) {
	if *body == nil || *body == http.NoBody {
		return nil, nil
	}
	data, err := io.ReadAll(*body)
	if closed := (*body).Close(); err == nil {
		err = closed
	}
	*body = io.NopCloser(bytes.NewReader(data))
	return data, err
}

// answered returns the answer's body, unless it is an event stream. An answer that breaks off is the client's to see.
func answered(res *http.Response) ([]byte, error) {
	if isEventStream(res.Header) {
		return nil, nil
	}
	body, err := taken(&res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer's body: %w", err)
	}
	return body, nil
}

func isEventStream(header http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type")) // an odd one is not in the document
	return mediaType == "text/event-stream"
}

func (c *Contract) check(req *http.Request, sent []byte, res *http.Response, received []byte) error {
	req = req.Clone(req.Context())
	if sent != nil {
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		if res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed {
			return nil // as it should
		}
		return fmt.Errorf("it is not documented: %w", err)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc,
			ExcludeRequestBody:                req.Header.Get("Content-Encoding") != "",
			RejectWhenRequestBodyNotSpecified: true,
			IncludeResponseStatus:             true,
			SkipSettingDefaults:               true,
			MultiError:                        true,
		},
	}
	var errs []error
	if res.StatusCode < 400 {
		if err := openapi3filter.ValidateRequest(req.Context(), input); err != nil {
			errs = append(errs, fmt.Errorf("the request does not fit the document: %w", err))
		}
		errs = append(errs, undocumentedQuery(req, route)...)
	}
	if err := c.checkAnswer(input, res, received); err != nil {
		errs = append(errs, fmt.Errorf("the answer does not fit the document: %w", err))
	}
	return errors.Join(errs...)
}

func (c *Contract) checkAnswer(input *openapi3filter.RequestValidationInput, res *http.Response, received []byte) error {
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: res.StatusCode, Header: res.Header, Options: input.Options,
	}
	if isEventStream(res.Header) {
		return checkEventStream(input, answer)
	}
	documented := input.Route.Operation.Responses.Status(res.StatusCode)
	if documented != nil && len(documented.Value.Content) == 0 && len(received) > 0 {
		return fmt.Errorf("it has a body of %d bytes, which is not documented", len(received))
	}
	return openapi3filter.ValidateResponse(input.Request.Context(), answer.SetBodyBytes(received))
}

func checkEventStream(input *openapi3filter.RequestValidationInput, answer *openapi3filter.ResponseValidationInput) error {
	documented := input.Route.Operation.Responses.Status(answer.Status)
	if documented != nil && documented.Value.Content.Get("text/event-stream") == nil {
		return errors.New("it is an event stream, which is not documented")
	}
	options := *input.Options
	options.ExcludeResponseBody = true
	answer.Options = &options
	return openapi3filter.ValidateResponse(input.Request.Context(), answer)
}

// undocumentedQuery finds query parameters that the operation does not list; openapi3filter does not look for them.
func undocumentedQuery(req *http.Request, route *routers.Route) []error {
	var errs []error
	o := operation{req.Method, route.Path, route.PathItem, route.Operation}
	for name := range req.URL.Query() {
		if o.all().GetByInAndName(openapi3.ParameterInQuery, name) == nil && !o.takesCredentials(name, route.Spec) {
			errs = append(errs, fmt.Errorf("the query parameter %s is not documented", name))
		}
	}
	return errs
}

// takesCredentials reports whether the operation may be authenticated by the query parameter.
func (o operation) takesCredentials(name string, doc *openapi3.T) bool {
	if !o.secured() || doc.Components == nil {
		return false
	}
	for _, requirement := range *o.Security {
		for scheme := range requirement {
			if ref := doc.Components.SecuritySchemes[scheme]; ref != nil && ref.Value.In == "query" && ref.Value.Name == name {
				return true
			}
		}
	}
	return false
}
