package request

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// maxBody is more than the longest lists of ids need.
const maxBody = 4 << 20

// FromBody reads the parameters of a stream from a JSON object. Each is a string, a boolean, a whole number such as a seq, or a
// list of strings.
func FromBody(c *fiber.Ctx) (Values, error) {
	members, err := httpapi.ReadObject[any](c, maxBody, fiber.MIMEApplicationJSON)
	if err != nil {
		return nil, err
	}
	var faults fault.Fields
	values := Values{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		texts, ok := textsOf(members[name])
		if !ok {
			faults.Add(name, "must be a string, a whole number, true or false, or an array of strings")
		}
		values[name] = texts
	}
	return values, faults.Err()
}

// textsOf returns the texts that a query would have for the value.
func textsOf(value any) (texts []string, ok bool) {
	switch value := value.(type) {
	case string:
		return []string{value}, true
	case bool:
		return []string{strconv.FormatBool(value)}, true
	case float64:
		if value != math.Trunc(value) || math.Abs(value) > 1<<53 {
			return nil, false
		}
		return []string{strconv.FormatInt(int64(value), 10)}, true
	case []any:
		for _, element := range value {
			text, ok := element.(string)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
		}
		return texts, true
	}
	return nil, false
}
