package httpapi

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// Parameters are those that one call takes, in the order in which its errors name them. A call takes no others: a name that
// is not here is a fault of the request, and Query panics when a handler asks for it. The zero value has none.
type Parameters struct{ all []parameter }

type parameter struct {
	name string
	once bool
}

// Once returns the parameters and others that may be given once.
func (p Parameters) Once(names ...string) Parameters { return p.with(true, names) }

// Repeatable returns the parameters and others that may be given more than once.
func (p Parameters) Repeatable(names ...string) Parameters { return p.with(false, names) }

func (p Parameters) with(once bool, names []string) Parameters {
	all := slices.Clone(p.all)
	for _, name := range names {
		all = append(all, parameter{name, once})
	}
	return Parameters{all}
}

// Names returns the names, in order.
func (p Parameters) Names() []string {
	names := make([]string, len(p.all))
	for i, parameter := range p.all {
		names[i] = parameter.name
	}
	return names
}

func (p Parameters) find(name string) (parameter, bool) {
	i := slices.IndexFunc(p.all, func(known parameter) bool { return known.name == name })
	if i < 0 {
		return parameter{}, false
	}
	return p.all[i], true
}

// Read returns a copy of the request's URL parameters.
func (p Parameters) Read(c *fiber.Ctx) *Query { return p.Of(QueryValues(c)) }

// ReadLoosely is Read for a call that takes the place of another server's, and passes over parameters which mean something there.
func (p Parameters) ReadLoosely(c *fiber.Ctx) *Query {
	values := QueryValues(c)
	maps.DeleteFunc(values, func(name string, _ []string) bool {
		_, ok := p.find(name)
		return !ok
	})
	return p.Of(values)
}

// ReadNone returns an Invalid fault for any URL parameter.
func ReadNone(c *fiber.Ctx) error { return Parameters{}.Read(c).Err() }

// Of returns the values given, for parameters that come in a body. It notes unknown names, and those given too often.
func (p Parameters) Of(values map[string][]string) *Query {
	q := &Query{values: values, known: p}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		known, ok := p.find(name)
		switch {
		case !ok && len(p.all) == 0:
			q.Fail(name, "is not a parameter of this call, which has none")
		case !ok:
			q.Fail(name, "is not a parameter of this call; it knows %s", strings.Join(p.Names(), ", "))
		case known.once && len(values[name]) > 1:
			q.Fail(name, "must not be given more than once")
		}
	}
	return q
}

// QueryValues returns a copy of the request's URL parameters: safe to keep.
func QueryValues(c *fiber.Ctx) url.Values {
	values := url.Values{}
	for key, value := range c.Context().QueryArgs().All() {
		name := string(key)
		values[name] = append(values[name], string(value))
	}
	return values
}

// PathParam returns the parameter of the request's path, percent-decoded and copied: safe to keep. Fiber's own decoding
// is off because it would turn a plus sign into a space.
func PathParam(c *fiber.Ctx, name string) (string, error) {
	value, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return "", fault.InvalidField(name, "is not a well-formed percent-encoding")
	}
	return strings.Clone(value), nil
}
