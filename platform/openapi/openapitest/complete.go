package openapitest

import (
	"fmt"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckComplete returns an error that names everything a reader of the document would miss: an operation without
// operationId, declared tag, summary, description or stated security; a parameter without description, or required and
// without example; a body, of request or answer, without example; and error answers that every operation of its kind can
// give but this one does not list.
func (c *Contract) CheckComplete() error {
	var errs []error
	for _, o := range c.operations() {
		check := &completeness{contract: c, operation: o}
		check.texts()
		check.parameters()
		check.bodies()
		check.errorAnswers()
		errs = append(errs, check.errs...)
	}
	return join(errs)
}

type completeness struct {
	contract  *Contract
	operation operation
	errs      []error
}

func (c *completeness) miss(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", c.operation, fmt.Sprintf(format, args...)))
}

func (c *completeness) texts() {
	o := c.operation
	for what, text := range map[string]string{"operationId": o.OperationID, "summary": o.Summary, "description": o.Description} {
		if text == "" {
			c.miss("no %s", what)
		}
	}
	if len(o.Tags) == 0 {
		c.miss("no tag")
	}
	for _, tag := range o.Tags {
		if c.contract.Doc.Tags.Get(tag) == nil {
			c.miss("the tag %s is not declared", tag)
		}
	}
	if o.Security == nil {
		c.miss("no security; an open operation says so by an empty list")
	}
}

func (c *completeness) parameters() {
	for _, ref := range c.operation.all() {
		p := ref.Value
		if p.Description == "" {
			c.miss("no description of the parameter %s", p.Name)
		}
		if p.Required && parameterExample(p) == nil {
			c.miss("no example of the required parameter %s", p.Name)
		}
	}
}

func (c *completeness) bodies() {
	if body := c.operation.RequestBody; body != nil {
		c.content("request", body.Value.Content)
	}
	for status, response := range c.operation.Responses.Map() {
		c.content(status, response.Value.Content)
	}
}

func (c *completeness) content(where string, content openapi3.Content) {
	for mediaType, media := range content {
		if len(examplesOf(media)) == 0 {
			c.miss("no example of the %s body in %s", where, mediaType)
		}
		if media.Schema == nil {
			c.miss("no schema of the %s body in %s", where, mediaType)
		}
	}
}

// errorAnswers demands what the server answers to any operation of the kind.
func (c *completeness) errorAnswers() {
	o := c.operation
	if o.secured() {
		c.status(401, "it needs credentials")
		c.status(500, "it does something")
	}
	if o.RequestBody != nil {
		c.status(413, "it takes a body")
		c.status(415, "it takes a body")
		c.status(422, "it takes a body")
	}
	for _, ref := range o.all() {
		switch ref.Value.In {
		case openapi3.ParameterInPath:
			c.status(404, "it names something in its path")
		case openapi3.ParameterInQuery:
			c.status(422, "it has query parameters")
		}
	}
}

func (c *completeness) status(code int, because string) {
	if c.operation.Responses.Status(code) == nil {
		text := fmt.Sprintf("no answer %d, although %s", code, because)
		for _, known := range c.errs {
			if known.Error() == c.operation.String()+": "+text {
				return
			}
		}
		c.miss("%s", text)
	}
}

// secured reports whether the operation needs credentials.
func (o operation) secured() bool { return o.Security != nil && len(*o.Security) > 0 }

// all returns the operation's parameters and those of its path.
func (o operation) all() openapi3.Parameters {
	return append(append(openapi3.Parameters(nil), o.item.Parameters...), o.Parameters...)
}

// success returns the lowest documented status below 400.
func (o operation) success() int {
	lowest := 0
	for text := range o.Responses.Map() {
		if status, err := strconv.Atoi(text); err == nil && status < 400 && (lowest == 0 || status < lowest) {
			lowest = status
		}
	}
	return lowest
}
