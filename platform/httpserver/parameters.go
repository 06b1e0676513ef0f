package httpserver

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// QueryValues returns a copy of the request's URL parameters: safe to keep.
func QueryValues(c *fiber.Ctx) url.Values {
	values := url.Values{}
	c.Context().QueryArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		values[name] = append(values[name], string(value))
	})
	return values
}

// Words returns the words of a parameter that may be repeated or list several with commas: each once, in the order given,
// nil when there are none. What is wrong with them, more than the most included, is noted.
func Words(faults *fault.Fields, name string, values []string, most int) []string {
	var words []string
	seen := map[string]bool{}
	for _, value := range values {
		for word := range strings.SplitSeq(value, ",") {
			switch {
			case word == "":
				faults.Add(name, "must not be empty")
			case !seen[word]:
				seen[word] = true
				words = append(words, word)
			}
		}
	}
	if len(words) > most {
		faults.Add(name, "must be given at most %d times, not %d", most, len(words))
	}
	return words
}
