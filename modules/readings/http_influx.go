package readings

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/version"
)

// The parameters of two calls of InfluxDB's, whose clients send others too.
var (
	pingParameters      = httpapi.Parameters{}.Repeatable("verbose")
	statementParameters = httpapi.Parameters{}.Repeatable("q", "db", "u", "p")
)

// ping says that the server is there, in the way that clients of InfluxDB expect: with `verbose`, which version it has too.
func ping(c *fiber.Ctx) error {
	c.Set("X-Influxdb-Build", "Telltale")
	c.Set("X-Influxdb-Version", version.Number())
	switch pingParameters.ReadLoosely(c).First("verbose") {
	case "", "0", "false":
		return c.Status(fiber.StatusNoContent).Send(nil)
	case "1", "true":
		return c.JSON(struct {
			Version string `json:"version"`
		}{version.Number()})
	}
	return fault.InvalidField("verbose", "must be true or false")
}

// maxStatement bounds the body of a query for clients of InfluxDB, in bytes; what is answered here is short.
const maxStatement = 16 << 10

// queryResult is the answer to one statement, as InfluxDB 1 gives it.
type queryResult struct {
	StatementID int           `json:"statement_id"`
	Series      []queryColumn `json:"series,omitempty"`
}

type queryColumn struct {
	Name    string     `json:"name"`
	Columns []string   `json:"columns"`
	Values  [][]string `json:"values"`
}

// query answers what clients of InfluxDB 1 ask before they write: that their database be there. There is one place to write
// to, so it is.
func query(c *fiber.Ctx) error {
	asked, form := statementParameters.ReadLoosely(c), url.Values{}
	if c.Method() == fiber.MethodPost {
		var err error
		if form, err = formOf(c); err != nil {
			return err
		}
	}
	value := func(name string) string { return cmp.Or(asked.First(name), form.Get(name)) }
	results, err := answerStatements(value("q"), cmp.Or(value("db"), "telltale"))
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Results []queryResult `json:"results"`
	}{results})
}

// formOf reads a form from the request's body, which may be empty.
func formOf(c *fiber.Ctx) (url.Values, error) {
	body, err := httpserver.Body(c, maxStatement)
	if err != nil || len(body) == 0 {
		return nil, err
	}
	if !strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEApplicationForm) {
		return nil, fault.New(fault.UnsupportedMedia, "send the statement as the parameter q, or as %s", fiber.MIMEApplicationForm)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.InvalidField("body", "is no form: %s", err)
	}
	return form, nil
}

// answerStatements answers statements that semicolons separate.
func answerStatements(text, database string) (results []queryResult, err error) {
	created := database
	for statement := range strings.SplitSeq(text, ";") {
		words := strings.Fields(statement)
		if len(words) == 0 {
			continue
		}
		result := queryResult{StatementID: len(results)}
		switch first := strings.ToUpper(strings.Join(words[:min(2, len(words))], " ")); {
		case first == "CREATE DATABASE" && len(words) > 2:
			created = strings.Trim(words[2], `"`)
		case first == "SHOW DATABASES" && len(words) == 2:
			result.Series = []queryColumn{{Name: "databases", Columns: []string{"name"}, Values: [][]string{{created}}}}
		default:
			return nil, fault.InvalidField("q", "only CREATE DATABASE and SHOW DATABASES are answered here; history is read by GET /api/readings")
		}
		results = append(results, result)
	}
	if len(results) == 0 {
		return nil, fault.InvalidField("q", "is missing; CREATE DATABASE and SHOW DATABASES are answered here")
	}
	return results, nil
}
