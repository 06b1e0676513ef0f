package streaming

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/modules/streaming/saved"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// mostSaved is how many filters one user or API key may have.
const mostSaved = 100

// do sends a request with a JSON body, if there is one, and reads the answer's body, if it is JSON, into out.
func (i *instance) do(t testing.TB, method, path, body string, out any) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, i.server.URL+"/api"+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if i.bearer != "" {
		request.Header.Set("Authorization", "Bearer "+i.bearer)
	}
	response, err := i.server.Client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if out != nil {
		require.NoError(t, json.Unmarshal(raw, out), "%s", raw)
	}
	return response.StatusCode, string(raw)
}

// as starts an instance whose requests are all by the principal.
func as(t testing.TB, db *postgres.DB, p access.Principal) *instance {
	t.Helper()
	return start(t, db, func(o *options) { o.principal, o.guard = p, authtest.As(p) })
}

func TestSavedFilter_IsUsedByItsID(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	var kept, again saved.Filter
	status, _ := i.do(t, "POST", "/stream/filters", `{"device":["b*","a","a"],"metric":"m,n"}`, &kept)
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, []string{"a", "b*"}, kept.Devices)
	require.Equal(t, []string{"m", "n"}, kept.Metrics)
	require.Nil(t, kept.Tags)
	status, _ = i.do(t, "POST", "/stream/filters", `{"metric":["n","m"],"device":["a","b*"]}`, &again)
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, kept, again)
	status, _ = i.do(t, "GET", "/stream/filters/"+kept.ID, "", &again)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, kept, again)

	s := open(t, i.url("filter="+kept.ID), "")
	i.post(t, datum{"b1", "m", 1, 1}, datum{"c", "m", 1, 2}, datum{"a", "o", 1, 3}, datum{"a", "n", 1, 4})
	require.Equal(t, []string{"b1map[m:1]", "amap[n:4]"}, values(s.read(2)))
	status, _ = i.do(t, "DELETE", "/stream/filters/"+kept.ID, "", nil)
	require.Equal(t, http.StatusNoContent, status)
	i.post(t, datum{"a", "m", 2, 5})
	require.Equal(t, "amap[m:5]", values(s.read(1))[0], "a stream that is open goes on")
	for method, path := range map[string]string{"GET": "/stream?filter=" + kept.ID, "DELETE": "/stream/filters/" + kept.ID} {
		status, text := i.do(t, method, path, "", nil)
		require.Equal(t, http.StatusNotFound, status, text)
	}
}

func TestSavedFilter_ThatSelectsNothingSelectsNothing(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.post(t, datum{"a", "m", 1, 1})
	var all saved.Filter
	i.do(t, "POST", "/stream/filters", `{}`, &all)
	var silent []*stream
	for _, lists := range []string{`{"device":[]}`, `{"metric":[]}`} {
		var nothing saved.Filter
		i.do(t, "POST", "/stream/filters", lists, &nothing)
		require.NotEqual(t, nothing.ID, all.ID)
		for _, query := range []string{"", "&snapshot=true", "&since=0", "&since=0&every=1s", "&since=0&interval=1m"} {
			silent = append(silent, open(t, i.url("filter="+nothing.ID+query), ""))
		}
	}
	everything := open(t, i.url("since=0&every=1s&filter="+all.ID), "")
	require.Equal(t, "1", everything.next().ID, "a second later")
	i.stop()
	for _, s := range silent {
		s.untilEnd()
	}
}

func TestSavedFilter_IsItsOwnersAndAdministrators(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	reader := func(name, key string, devices ...string) access.Principal {
		return access.Principal{Subject: name, KeyID: key, Scopes: []access.Scope{access.ReadingsRead}, Devices: devices}
	}
	anna := as(t, db, reader("anna", ""))
	var kept saved.Filter
	anna.do(t, "POST", "/stream/filters", `{"device":["a","b"],"tag":["x"]}`, &kept)
	require.Equal(t, "subject:anna", kept.Owner)

	limited := reader("boss", "")
	limited.Scopes, limited.Devices = []access.Scope{access.Admin}, []string{"a"}
	count := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		who  access.Principal
		sees bool
	}{
		"another user":                      {reader("bob", ""), false},
		"a key of that name":                {reader("anna", "k1"), false},
		"an administrator":                  {everyone, true},
		"an administrator of some devices":  {limited, false},
		"the owner with a narrower token":   {reader("anna", "", "a"), true},
		"the owner at another instance too": {reader("anna", ""), true},
	} {
		t.Run(name, func(t *testing.T) {
			i := as(t, db, c.who)
			var list struct{ Filters []saved.Summary }
			i.do(t, "GET", "/stream/filters", "", &list)
			want := []saved.Summary{}
			status := http.StatusNotFound
			if c.sees {
				want = []saved.Summary{{ID: kept.ID, Owner: kept.Owner, Created: kept.Created, DeviceCount: count(2), TagCount: count(1)}}
				status = http.StatusOK
			}
			require.Equal(t, want, list.Filters)
			got, _ := i.do(t, "GET", "/stream/filters/"+kept.ID, "", nil)
			require.Equal(t, status, got)
			got, _ = i.do(t, "HEAD", "/stream?filter="+kept.ID, "", nil)
			require.Equal(t, http.StatusOK, got)
			if !c.sees {
				got, _ = i.do(t, "GET", "/stream?filter="+kept.ID, "", nil)
				require.Equal(t, status, got)
				got, _ = i.do(t, "DELETE", "/stream/filters/"+kept.ID, "", nil)
				require.Equal(t, status, got)
			}
		})
	}
	narrow := as(t, db, reader("anna", "", "a"))
	narrow.tag(t, "a", "x")
	narrow.tag(t, "b", "x")
	s := open(t, narrow.url("filter="+kept.ID), "")
	narrow.post(t, datum{"b", "m", 1, 1}, datum{"a", "m", 1, 2})
	require.Equal(t, "1:1", s.next().ID, "a filter shows no more than the token that uses it")
}

func TestSavedFilter_IsValidatedAndLimited(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	for body, reason := range map[string]string{
		`{"since":"1"}`:            "is not a parameter of this call; it knows device, tag, metric",
		`{"device":["[a"]}`:        "device",
		`{"device":[""]}`:          "must not be empty",
		`{"metric":["a\u0000b"]}`:  "NUL",
		`{"device":{}}`:            "must be a string",
		`[]`:                       "JSON object",
		`{"tag":["x\ty"]}`:         "tag",
		`{"device":"a","every":1}`: "every",
	} {
		status, text := i.do(t, "POST", "/stream/filters", body, nil)
		require.Equal(t, http.StatusUnprocessableEntity, status, body)
		require.Contains(t, text, reason, body)
	}
	long := make([]string, 9000)
	for n := range long {
		long[n] = fmt.Sprint(strings.Repeat("x", 120), n)
	}
	body, err := json.Marshal(map[string]any{"device": long})
	require.NoError(t, err)
	status, _ := i.do(t, "POST", "/stream/filters", string(body), nil)
	require.Equal(t, http.StatusRequestEntityTooLarge, status)

	for n := range mostSaved {
		status, _ := i.do(t, "POST", "/stream/filters", fmt.Sprintf(`{"device":"d%d"}`, n), nil)
		require.Equal(t, http.StatusCreated, status)
	}
	status, text := i.do(t, "POST", "/stream/filters", `{"device":"one more"}`, nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "delete one first")
	status, _ = i.do(t, "POST", "/stream/filters", `{"device":"d7"}`, nil)
	require.Equal(t, http.StatusCreated, status, "one that is there already is not one more")

	for query, want := range map[string]int{
		"filter=": http.StatusUnprocessableEntity, "filter=x&device=a": http.StatusUnprocessableEntity, "filter=a&filter=b": http.StatusUnprocessableEntity,
		"filter=nothing": http.StatusNotFound, "filter=%00": http.StatusNotFound, "filter=AAAAAAAAAAAAAAAAAAAAAA": http.StatusNotFound,
	} {
		status, text := i.do(t, "GET", "/stream?"+query, "", nil)
		require.Equal(t, want, status, "%s: %s", query, text)
	}
	status, _ = i.do(t, "GET", "/stream/filters/%00", "", nil)
	require.Equal(t, http.StatusNotFound, status)
}
