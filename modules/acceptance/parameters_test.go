package acceptance

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth"
	"telltale/platform/httpapi"
	"telltale/platform/postgres/pgtest"
)

// loose are the calls that take the place of another server's and pass over parameters that they do not know, and those that read
// none at all. What the former read is written down here, because they do not say it.
var loose = map[string][]string{
	"ping": {"verbose"}, "queryV1": {"q", "db", "u", "p"}, "queryPostV1": {"q", "db", "u", "p"},
	"getHealth": nil, "getLiveness": nil, "getReadiness": nil, "getMetrics": nil, "getOpenAPI": nil,
}

// knows takes the names out of what a call says to a parameter that it does not take.
var knows = regexp.MustCompile(`^is not a parameter of this call(?:, which has none|; it knows (.*))$`)

// Every call is sent a parameter that no call takes, and answers which it does: exactly those that the document has for it.
func TestParameters_AreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	for path, item := range p.contract().Doc.Paths.Map() {
		for method, operation := range item.Operations() {
			documented := documentedParameters(item, operation)
			accepted, strict := p.acceptedParameters(t, method, path)
			if _, known := loose[operation.OperationID]; known {
				require.False(t, strict, operation.OperationID)
				accepted = loose[operation.OperationID]
			} else {
				require.True(t, strict, "%s takes any parameter without a word", operation.OperationID)
			}
			require.ElementsMatch(t, documented, accepted, operation.OperationID)
		}
	}
}

// documentedParameters are the names of the operation's query parameters, without the one that the guard of a browser's routes takes.
func documentedParameters(item *openapi3.PathItem, operation *openapi3.Operation) (names []string) {
	for _, parameters := range []openapi3.Parameters{item.Parameters, operation.Parameters} {
		for _, parameter := range parameters {
			if parameter.Value.In == openapi3.ParameterInQuery && parameter.Value.Name != auth.QueryToken {
				names = append(names, parameter.Value.Name)
			}
		}
	}
	return names
}

// acceptedParameters returns the parameters that a call takes; strict is false for one that takes any.
func (p *program) acceptedParameters(t *testing.T, method, path string) (names []string, strict bool) {
	t.Helper()
	const stranger = "no_such_parameter"
	path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "x")
	request, err := http.NewRequestWithContext(t.Context(), method, p.url+path+"?"+stranger+"=1", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnprocessableEntity {
		return nil, false
	}
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var problem httpapi.Problem
	require.NoError(t, json.Unmarshal(body, &problem), "%s %s: %s", method, path, body)
	for _, field := range problem.Errors {
		if said := knows.FindStringSubmatch(field.Reason); said != nil && field.Name == stranger {
			if said[1] == "" {
				return nil, true
			}
			return strings.Split(said[1], ", "), true
		}
	}
	return nil, false
}
