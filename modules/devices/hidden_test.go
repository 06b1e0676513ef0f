package devices

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newPartlyHidden returns a fixture in which every other device is hidden from mine-*, all of them alike otherwise.
func newPartlyHidden(t *testing.T) *fixture {
	f := newFixture(t)
	for _, id := range []string{"mine-1", "theirs-1", "mine-2", "theirs-2", "mine-3", "theirs-3"} {
		_, err := f.service.Create(t.Context(), admin, Draft{ID: id, Name: "shared name", Tags: []string{"shared"}})
		require.NoError(t, err)
		f.report(t, id, "temperature", time.Now(), 1)
	}
	return f
}

func TestHiddenDevice_NoListShowsAHiddenDevice(t *testing.T) {
	t.Parallel()
	f := newPartlyHidden(t)
	for _, p := range []client{f.as(t, limitedTo("mine-*")), f.as(t, limitedTo("mine-1", "mine-2", "mine-3", "nobody"))} {
		for _, query := range []string{
			"", "limit=1", "limit=2", "limit=3", "search=shared", "search=SHARED&limit=1", "tag=shared", "status=online",
			"tag=shared&search=e&status=online&limit=2",
		} {
			require.Equal(t, []string{"mine-1", "mine-2", "mine-3"}, p.ids(query), query)
		}
		require.Empty(t, p.ids("search=theirs"))
		last := p.get("/api/devices?limit=3").list(t)
		require.Nil(t, last.NextCursor, "a cursor would tell that there is more behind")
		require.Empty(t, p.ids("cursor="+formatCursor("theirs-1")))
		require.Equal(t, []string{"mine-2", "mine-3"}, p.ids("cursor="+formatCursor("mine-1")))
	}
	require.Empty(t, f.as(t, limitedTo()).ids(""))
}

func TestHiddenDevice_IsAnsweredLikeAnUnknownOne(t *testing.T) {
	t.Parallel()
	f := newPartlyHidden(t)
	api := f.as(t, limitedTo("mine-*"))
	ids := regexp.MustCompile(`theirs-\d+`)
	requestID := regexp.MustCompile(`"request_id":"[^"]*"`)
	same := func(hidden, unknown answer) {
		t.Helper()
		require.Equal(t, http.StatusNotFound, unknown.status)
		require.Equal(t, unknown.status, hidden.status)
		blank := func(a answer) string {
			return requestID.ReplaceAllString(ids.ReplaceAllString(a.body, "X"), "R")
		}
		require.Equal(t, blank(unknown), blank(hidden))
		require.Len(t, hidden.header, len(unknown.header))
	}
	const hidden, unknown = "/api/devices/theirs-1", "/api/devices/theirs-9"
	same(api.get(hidden), api.get(unknown))
	same(api.patch(hidden, `{"name":"x"}`), api.patch(unknown, `{"name":"x"}`))
	same(api.delete(hidden), api.delete(unknown))
	for _, body := range []string{`{`, `{"nonsense":1}`, `{"metadata":{"a":"\u0000"}}`} {
		require.Equal(t, api.patch(unknown, body).status, api.patch(hidden, body).status)
	}
	for _, id := range []string{"theirs-1", "theirs-9"} {
		refused := api.post(`{"id":"` + id + `"}`)
		require.Equal(t, http.StatusForbidden, refused.status)
		require.Equal(t, `your credentials do not cover the device "`+id+`"`, refused.problem(t).Detail)
	}
	require.Len(t, f.as(t, admin).ids(""), 6, "nothing was changed")
	require.NotContains(t, f.as(t, admin).get(hidden).body, `"x"`)
}

func TestHiddenDevice_ACoveredDeviceMayBeWritten(t *testing.T) {
	t.Parallel()
	f := newPartlyHidden(t)
	api := f.as(t, limitedTo("mine-*"))
	require.Equal(t, http.StatusCreated, api.post(`{"id":"mine-4"}`).status)
	require.Equal(t, http.StatusConflict, api.post(`{"id":"mine-4"}`).status)
	require.Equal(t, http.StatusOK, api.patch("/api/devices/mine-4", `{"name":"x"}`).status)
	require.True(t, strings.Contains(api.get("/api/devices/mine-4").body, `"name":"x"`))
	require.Equal(t, http.StatusNoContent, api.delete("/api/devices/mine-4").status)
}
