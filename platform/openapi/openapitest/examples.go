package openapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Runner sends the document's own examples to a server.
type Runner struct {
	Contract *Contract
	// URL is the server's base URL, without a slash at the end.
	URL string
	// Client sends the requests. It is the place to add credentials; its exchanges are held against the document.
	Client *http.Client
	// Order lists operationIds that run first, in this order; the rest follows by path, creation first, deletion last.
	Order []string
	// Skip lists operationIds that the server under test does not serve, or whose example would end it.
	Skip []string
	// Prepare may change a request before it is sent, or the state that it needs; nil does nothing.
	Prepare func(ctx context.Context, operationID string, req *http.Request) error
	// Expect holds the statuses of operations whose example is not answered with their first documented success.
	Expect map[string]int
}

// Examples sends one request for each example of each operation (those with a body have one for each example of each
// content type) with every parameter that has an example, and returns an error that names all that were not answered
// with the documented success.
func (r *Runner) Examples(ctx context.Context) error {
	client, failures := r.checked()
	for _, o := range r.ordered() {
		if slices.Contains(r.Skip, o.OperationID) {
			continue
		}
		want, ok := r.Expect[o.OperationID]
		if !ok {
			want = o.success()
		}
		for _, body := range o.requests() {
			if err := r.run(ctx, client, o, body, want); err != nil {
				*failures = append(*failures, fmt.Errorf("%s (%s): %w", o, body, err))
			}
		}
	}
	return errors.Join(*failures...)
}

// Guarded sends each operation that needs credentials one request without any, and returns an error that names all that
// were not answered with 401 and a challenge. Anonymous must be a client that adds no credentials.
func (r *Runner) Guarded(ctx context.Context, anonymous *http.Client) error {
	var errs []error
	for _, o := range r.Contract.operations() {
		if !o.secured() || slices.Contains(r.Skip, o.OperationID) {
			continue
		}
		req, err := o.build(ctx, r.URL, o.requests()[0])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		res, err := anonymous.Do(req)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o, err))
			continue
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") == "" {
			errs = append(errs, fmt.Errorf("%s without credentials answered %d, or without a challenge", o, res.StatusCode))
		}
	}
	return errors.Join(errs...)
}

// checked returns the client with a transport that collects what does not fit the document.
func (r *Runner) checked() (*http.Client, *[]error) {
	failures := new([]error)
	client := *r.Client
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = r.Contract.Transport(client.Transport, func(err error) { *failures = append(*failures, err) })
	return &client, failures
}

func (r *Runner) ordered() []operation {
	all := r.Contract.operations()
	rank := func(o operation) int {
		if n := slices.Index(r.Order, o.OperationID); n >= 0 {
			return n - len(r.Order)
		}
		if o.method == http.MethodDelete {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b operation) int { return rank(a) - rank(b) })
	return all
}

func (r *Runner) run(ctx context.Context, client *http.Client, o operation, body example, want int) error {
	ctx, cancel := context.WithCancel(ctx) // ends event streams
	defer cancel()
	req, err := o.build(ctx, r.URL, body)
	if err != nil {
		return err
	}
	if r.Prepare != nil {
		if err := r.Prepare(ctx, o.OperationID, req); err != nil {
			return fmt.Errorf("preparing the request: %w", err)
		}
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == want {
		return nil
	}
	said := []byte("a stream")
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		said, _ = io.ReadAll(io.LimitReader(res.Body, 2000)) // it only illustrates
	}
	return fmt.Errorf("answered %d, not %d: %s", res.StatusCode, want, said)
}

// example is one request body of the document; the zero value is none.
type example struct {
	mediaType string
	name      string
	value     any
}

func (e example) String() string {
	if e.mediaType == "" {
		return "no body"
	}
	return strings.TrimSpace(e.mediaType + " " + e.name)
}

// requests returns what the operation's examples would send.
func (o operation) requests() []example {
	if o.RequestBody == nil {
		return []example{{}}
	}
	var all []example
	content := o.RequestBody.Value.Content
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		examples := examplesOf(content[mediaType])
		for _, name := range slices.Sorted(maps.Keys(examples)) {
			all = append(all, example{mediaType, name, examples[name]})
		}
	}
	if len(all) == 0 {
		return []example{{}}
	}
	return all
}

// build makes a request from the examples of the parameters and one of the body.
func (o operation) build(ctx context.Context, base string, body example) (*http.Request, error) {
	path, query, header := o.path, url.Values{}, http.Header{}
	for _, ref := range o.all() {
		value := parameterExample(ref.Value)
		if value == nil {
			if ref.Value.Required {
				return nil, fmt.Errorf("%s: the required parameter %s has no example", o, ref.Value.Name)
			}
			continue
		}
		texts := parameterTexts(ref.Value, value)
		switch ref.Value.In {
		case openapi3.ParameterInPath:
			path = strings.ReplaceAll(path, "{"+ref.Value.Name+"}", url.PathEscape(texts[0]))
		case openapi3.ParameterInQuery:
			query[ref.Value.Name] = texts
		case openapi3.ParameterInHeader:
			header[http.CanonicalHeaderKey(ref.Value.Name)] = texts
		}
	}
	payload, err := body.encode()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	target := base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, o.method, target, payload)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	req.Header = header
	if body.mediaType != "" {
		req.Header.Set("Content-Type", body.mediaType)
	}
	return req, nil
}

// encode writes the example as its media type wants it: text as it is, anything else as JSON, or as a form.
func (e example) encode() (io.Reader, error) {
	if e.mediaType == "" {
		return http.NoBody, nil
	}
	if text, ok := e.value.(string); ok {
		return strings.NewReader(text), nil
	}
	if fields, ok := e.value.(map[string]any); ok && e.mediaType == "application/x-www-form-urlencoded" {
		form := url.Values{}
		for name, value := range fields {
			form.Set(name, text(value))
		}
		return strings.NewReader(form.Encode()), nil
	}
	if e.mediaType == "application/x-ndjson" {
		return encodeLines(e.value)
	}
	data, err := json.Marshal(e.value)
	return bytes.NewReader(data), err
}

// encodeLines writes a list as its elements, one a line, and anything else as one line.
func encodeLines(value any) (io.Reader, error) {
	lines, ok := value.([]any)
	if !ok {
		lines = []any{value}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

// examplesOf returns a body's examples by name; a single one has none.
func examplesOf(media *openapi3.MediaType) map[string]any {
	all := make(map[string]any)
	if media.Example != nil {
		all[""] = media.Example
	}
	for name, ref := range media.Examples {
		all[name] = ref.Value.Value
	}
	return all
}

// parameterExample returns the parameter's example, or its schema's, or nil.
func parameterExample(p *openapi3.Parameter) any {
	for _, name := range slices.Sorted(maps.Keys(p.Examples)) {
		return p.Examples[name].Value.Value
	}
	if p.Example == nil && p.Schema != nil {
		return p.Schema.Value.Example
	}
	return p.Example
}

// parameterTexts writes a value as the parameter's style wants it: lists repeat the parameter, or join with commas.
func parameterTexts(p *openapi3.Parameter, value any) []string {
	list, ok := value.([]any)
	if !ok {
		return []string{text(value)}
	}
	var texts []string
	for _, element := range list {
		texts = append(texts, text(element))
	}
	explode := p.In == openapi3.ParameterInQuery
	if p.Explode != nil {
		explode = *p.Explode
	}
	if !explode || p.In != openapi3.ParameterInQuery {
		return []string{strings.Join(texts, ",")}
	}
	return texts
}

// text writes a value without quotes, and numbers without an exponent.
func text(value any) string {
	if number, ok := value.(float64); ok {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}
