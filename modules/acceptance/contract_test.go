package acceptance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/platform/openapi/openapitest"
	"telltale/platform/postgres/pgtest"
)

// needs tells which scope each operation with credentials needs; "" is any credentials. An operation that is missing here
// fails the tests below.
var needs = map[string]access.Scope{
	"getMe":                  "",
	"changePassword":         "",
	"renewSession":           "",
	"listUsers":              access.Admin,
	"createUser":             access.Admin,
	"getUser":                access.Admin,
	"updateUser":             access.Admin,
	"deleteUser":             access.Admin,
	"listKeys":               access.Admin,
	"createKey":              access.Admin,
	"revokeKey":              access.Admin,
	"listDevices":            access.DevicesRead,
	"createDevice":           access.DevicesWrite,
	"getDevice":              access.DevicesRead,
	"updateDevice":           access.DevicesWrite,
	"deleteDevice":           access.DevicesWrite,
	"postReadings":           access.ReadingsWrite,
	"writeLines":             access.ReadingsWrite,
	"writeLinesV1":           access.ReadingsWrite,
	"queryV1":                access.ReadingsWrite,
	"queryPostV1":            access.ReadingsWrite,
	"getHistory":             access.ReadingsRead,
	"getLatest":              access.ReadingsRead,
	"deleteReadings":         access.ReadingsDelete,
	"foldReadings":           access.Admin,
	"streamReadings":         access.ReadingsRead,
	"streamSelectedReadings": access.ReadingsRead,
	"listViewers":            access.Admin,
	"listStreamFilters":      access.ReadingsRead,
	"saveStreamFilter":       access.ReadingsRead,
	"getStreamFilter":        access.ReadingsRead,
	"deleteStreamFilter":     access.ReadingsRead,
	"listBoards":             access.ReadingsRead,
	"createBoard":            access.ReadingsRead,
	"getBoard":               access.ReadingsRead,
	"replaceBoard":           access.ReadingsRead,
	"deleteBoard":            access.ReadingsRead,
	"getOperations":          access.Admin,
}

// documents holds the document of the program, which is the same for all instances.
var documents struct {
	mu       sync.Mutex
	contract *openapitest.Contract
}

// contract returns the document that the program serves, ready to check others.
func (p *program) contract() *openapitest.Contract {
	p.t.Helper()
	documents.mu.Lock()
	defer documents.mu.Unlock()
	if documents.contract == nil {
		response, err := http.Get(p.url + "/api/openapi.json")
		require.NoError(p.t, err)
		defer response.Body.Close()
		document, err := io.ReadAll(response.Body)
		require.NoError(p.t, err)
		documents.contract, err = openapitest.Load(context.Background(), document)
		require.NoError(p.t, err)
	}
	return documents.contract
}

// client returns a client whose exchanges are held against the document; what does not fit fails the test.
func (p *program) client() *http.Client {
	return &http.Client{Transport: p.contract().Transport(http.DefaultTransport, func(err error) { p.t.Errorf("contract: %v", err) })}
}

func TestDocument_IsCompleteAndTellsEveryScope(t *testing.T) {
	t.Parallel()
	contract := start(t, pgtest.Config(t)).contract()
	require.NoError(t, contract.CheckComplete())
	var secured, known []string
	for _, item := range contract.Doc.Paths.Map() {
		for _, operation := range item.Operations() {
			if len(*operation.Security) > 0 {
				secured = append(secured, operation.OperationID)
			}
		}
	}
	for id := range needs {
		known = append(known, id)
	}
	require.ElementsMatch(t, known, secured)
}

// Every example of the document is sent, as it stands there, by an administrator and by a caller with just the scope that
// it needs.
func TestDocument_ExamplesWork(t *testing.T) {
	t.Parallel()
	for name, scopes := range map[string]func(id string) []access.Scope{
		"for an administrator": func(string) []access.Scope { return []access.Scope{access.Admin} },
		"with just the scope": func(id string) []access.Scope {
			if id == "updateDevice" { // without it the answer is another one, 204
				return []access.Scope{needs[id], access.DevicesRead}
			}
			return []access.Scope{needs[id]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, pgtest.Config(t))
			p.call("PATCH", "/api/auth/users/admin", "application/json", `{"password":"`+documentedPassword+`"}`, nil)
			p.token = sign(t, map[string]any{"scope": string(access.Admin)})
			runner := &openapitest.Runner{
				Contract: p.contract(), URL: p.url, Client: http.DefaultClient,
				Order: []string{"createToken", "createUser", "changePassword", "createKey", "createDevice", "postReadings", "deleteReadings"},
				Prepare: func(ctx context.Context, id string, request *http.Request) error {
					if _, secured := needs[id]; secured {
						var texts []string
						for _, scope := range scopes(id) {
							texts = append(texts, string(scope))
						}
						request.Header.Set("Authorization", "Bearer "+sign(t, map[string]any{"scope": strings.Join(texts, " ")}))
					}
					return p.prepare(ctx, id, request)
				},
			}
			require.NoError(t, runner.Examples(t.Context()))
		})
	}
}

// documentedPassword is the one that the document's examples log in with.
const documentedPassword = "correct-horse-battery"

// prepare gives the requests whose examples cannot work as they are what they need.
func (p *program) prepare(ctx context.Context, id string, request *http.Request) error {
	switch id {
	case "postReadings":
		// Without the scope devices:write, devices have to exist.
		_, _, err := p.try("POST", "/api/devices", "application/json", strings.NewReader(`{"id":"greenhouse-8"}`))
		return err
	case "changePassword": // is for who has logged in: the user of another example, who has the same password
		token, err := p.tokenOf(ctx, "anna", documentedPassword)
		request.Header.Set("Authorization", "Bearer "+token)
		return err
	case "renewSession": // is for browsers, and for pages of this server
		token, err := p.tokenOf(ctx, "admin", documentedPassword)
		request.Header.Del("Authorization")
		request.Header.Set("Cookie", "telltale_session="+token)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		return err
	case "revokeKey": // the server makes the ids
		var answer struct{ Keys []struct{ ID string } }
		p.call("GET", "/api/auth/keys", "", "", &answer)
		if len(answer.Keys) == 0 {
			return errors.New("no example has made a key")
		}
		request.URL.Path = "/api/auth/keys/" + answer.Keys[0].ID
	case "getStreamFilter", "deleteStreamFilter": // here too
		var answer struct{ Filters []struct{ ID string } }
		p.call("GET", "/api/stream/filters", "", "", &answer)
		if len(answer.Filters) == 0 {
			return errors.New("no example has saved a filter")
		}
		request.URL.Path = "/api/stream/filters/" + answer.Filters[0].ID
	case "getBoard", "replaceBoard", "deleteBoard": // and here
		var answer struct{ Boards []struct{ ID string } }
		p.call("GET", "/api/boards", "", "", &answer)
		if len(answer.Boards) == 0 {
			return errors.New("no example has made a board")
		}
		request.URL.Path = "/api/boards/" + answer.Boards[0].ID
	}
	return nil
}

func TestDocument_EveryOperationRefusesBadCredentials(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	hour := time.Now().Add(time.Hour).Unix()
	good := sign(t, nil)
	unsigned := signAs(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)
	for name, authorization := range map[string]string{
		"none":                     "",
		"no token":                 "Bearer",
		"garbage":                  "Bearer garbage",
		"garbage that looks right": "Bearer a.b.c",
		"another scheme":           "Basic YWRtaW46YWRtaW4=",
		"an expired token":         "Bearer " + sign(t, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}),
		"a token without end":      "Bearer " + sign(t, map[string]any{"exp": nil}),
		"a token for later":        "Bearer " + sign(t, map[string]any{"nbf": hour}),
		"another's token":          "Bearer " + sign(t, map[string]any{"iss": "another issuer"}),
		"alg none":                 "Bearer " + unsigned,
		"alg none, signed":         "Bearer " + unsigned[:strings.LastIndex(unsigned, ".")] + good[strings.LastIndex(good, "."):],
		"another algorithm":        "Bearer " + signAs(t, jwt.SigningMethodHS512, []byte(secretKey), nil),
		"another key":              "Bearer " + signAs(t, jwt.SigningMethodHS256, []byte("another key of no less than 32 bytes"), nil),
		"a key that is none":       "Bearer tt_k7f2mq4zw3xb5aty_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg",
	} {
		t.Run(name, func(t *testing.T) {
			var mismatches []error
			client := &http.Client{Transport: p.contract().Transport(asProblem{bearer{authorization}}, func(err error) {
				mismatches = append(mismatches, err)
			})}
			runner := &openapitest.Runner{Contract: p.contract(), URL: p.url}
			require.NoError(t, runner.Guarded(t.Context(), client))
			require.Empty(t, mismatches)
		})
	}
}

// A token with every scope but the one that is needed (and admin, which covers it) gets 403 from each operation.
func TestDocument_EveryOperationRefusesATokenWithoutItsScope(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	for _, missing := range access.AllScopes() {
		t.Run(string(missing), func(t *testing.T) {
			var scopes []string
			for _, scope := range access.AllScopes() {
				if scope != missing && scope != access.Admin {
					scopes = append(scopes, string(scope))
				}
			}
			runner := &openapitest.Runner{
				Contract: p.contract(), URL: p.url, Expect: map[string]int{},
				Client: &http.Client{Transport: asProblem{bearer{"Bearer " + sign(t, map[string]any{"scope": strings.Join(scopes, " ")})}}},
			}
			for _, item := range p.contract().Doc.Paths.Map() {
				for _, operation := range item.Operations() {
					if scope, secured := needs[operation.OperationID]; !secured || scope != missing {
						runner.Skip = append(runner.Skip, operation.OperationID)
					}
					runner.Expect[operation.OperationID] = http.StatusForbidden
				}
			}
			require.Less(t, len(runner.Skip), len(runner.Expect))
			require.NoError(t, runner.Examples(t.Context()))
		})
	}
	var users struct{ Users []struct{ Username string } }
	p.call("GET", "/api/auth/users", "", "", &users)
	require.Len(t, users.Users, 1, "what was refused has not been done all the same")
}
