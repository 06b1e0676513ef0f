package devices

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/series"
)

var timestamps = regexp.MustCompile(`"(created_at|updated_at)":"\d{4}-\d\d-\d\dT[0-9:.]+Z"`)

// golden replaces what differs from run to run.
func golden(body string) string { return timestamps.ReplaceAllString(body, `"$1":"T"`) }

func TestDevices_ADeviceIsCreatedReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.service.now = func() time.Time { return time.UnixMilli(1_762_128_060_000) }
	api := f.as(t, admin)

	created := api.post(`{"id":"greenhouse-7","name":"Greenhouse <7>","metadata":{"site":"north","floor":1.50},
		"tags":["north","greenhouse","north"],"units":{"temperature":"°C","humidity":"%"}}`)
	require.Equal(t, http.StatusCreated, created.status, created.body)
	require.Equal(t, "/api/devices/greenhouse-7", created.header.Get("Location"))
	require.Equal(t, "application/json", created.header.Get("Content-Type"))
	require.Equal(t, `{"id":"greenhouse-7","name":"Greenhouse \u003c7\u003e","metadata":{"site":"north","floor":1.50},`+
		`"tags":["greenhouse","north"],"retention_days":null,"created_at":"T","updated_at":"T","last_seen_at":null,"online":false,"metrics":[`+
		`{"name":"humidity","unit":"%","last_ts":null,"last_value":null},`+
		`{"name":"temperature","unit":"°C","last_ts":null,"last_value":null}]}`, golden(created.body))
	require.Equal(t, created.body, api.get("/api/devices/greenhouse-7").body)

	f.report(t, "greenhouse-7", "temperature", time.UnixMilli(1_762_128_000_000), 21.5)
	changed := api.patch("/api/devices/greenhouse-7",
		`{"name":null,"metadata":{"floor":null,"wing":"b"},"tags":["south"],"units":{"temperature":"K","humidity":null,"rain":"mm"}}`)
	require.Equal(t, http.StatusOK, changed.status, changed.body)
	require.Equal(t, `{"id":"greenhouse-7","name":"","metadata":{"site":"north","wing":"b"},"tags":["south"],`+
		`"retention_days":null,"created_at":"T","updated_at":"T","last_seen_at":"2025-11-03T00:00:00Z","online":true,"metrics":[`+
		`{"name":"humidity","unit":"","last_ts":null,"last_value":null},`+
		`{"name":"rain","unit":"mm","last_ts":null,"last_value":null},`+
		`{"name":"temperature","unit":"K","last_ts":1762128000000,"last_value":21.5}]}`, golden(changed.body))
	require.Equal(t, `{"devices":[`+changed.body+`],"next_cursor":null}`, api.get("/api/devices").body)
	require.Equal(t, "K", f.registry.Device("greenhouse-7")[2].Unit, "history has to show the new unit at once")

	gone := api.delete("/api/devices/greenhouse-7")
	require.Equal(t, http.StatusNoContent, gone.status)
	require.Empty(t, gone.body)
	require.Equal(t, http.StatusNotFound, api.get("/api/devices/greenhouse-7").status)
	require.Equal(t, http.StatusNotFound, api.delete("/api/devices/greenhouse-7").status)
	require.Equal(t, http.StatusNotFound, api.patch("/api/devices/greenhouse-7", `{}`).status)
	require.Equal(t, `{"devices":[],"next_cursor":null}`, api.get("/api/devices").body)
}

func TestDevices_RetentionIsSetTakenBackAndHeardOfAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	api := f.as(t, admin)
	require.Contains(t, api.post(`{"id":"a","retention_days":30,"units":{"m":"V"}}`).body, `"retention_days":30,`)
	require.Equal(t, 30, f.registry.Device("a")[0].RetentionDays)
	for patch, want := range map[string]int{`{"retention_days":0}`: 0, `{"retention_days":7}`: 7, `{"retention_days":null}`: series.GeneralRetention} {
		require.Equal(t, http.StatusOK, api.patch("/api/devices/a", patch).status)
		require.Equal(t, want, f.registry.Device("a")[0].RetentionDays)
	}
	require.Contains(t, api.get("/api/devices/a").body, `"retention_days":`)
	for _, days := range []string{`-1`, `1.5`, `"7"`, `36501`} {
		answer := api.patch("/api/devices/a", `{"retention_days":`+days+`}`)
		require.Equal(t, http.StatusUnprocessableEntity, answer.status)
		require.Contains(t, answer.body, "retention_days")
	}
}

func TestDevices_ADraftNeedsNothingButAnID(t *testing.T) {
	t.Parallel()
	api := newFixture(t).as(t, admin)
	created := api.post(`{"id":"a"}`)
	require.Equal(t, http.StatusCreated, created.status, created.body)
	require.Equal(t, `{"id":"a","name":"","metadata":{},"tags":[],"retention_days":null,"created_at":"T","updated_at":"T","last_seen_at":null,`+
		`"online":false,"metrics":[]}`, golden(created.body))
	conflict := api.post(`{"id":"a"}`)
	require.Equal(t, http.StatusConflict, conflict.status)
	require.Equal(t, `there is a device "a" already`, conflict.problem(t).Detail)
}

func TestDevices_APatchKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	api := newFixture(t).as(t, admin)
	created := api.post(`{"id":"a","name":"A","metadata":{"x":{"y":1,"z":2}},"tags":["t"],"units":{"m":"V"}}`)
	require.Equal(t, http.StatusCreated, created.status)
	without := regexp.MustCompile(`"updated_at":"[^"]*",`)
	for patch, member := range map[string]string{
		`{}`: "", `{"metadata":{"x":{"y":1}}}`: "", `{"units":{}}`: "", `{"units":{"unknown":""}}`: "",
	} {
		changed := api.patch("/api/devices/a", patch)
		require.Equal(t, without.ReplaceAllString(created.body, member), without.ReplaceAllString(changed.body, ""), patch)
	}
	merged := api.do(http.MethodPatch, "/api/devices/a", "application/merge-patch+json; charset=UTF-8", `{"metadata":{"x":{"y":null}}}`)
	require.Contains(t, merged.body, `"metadata":{"x":{"z":2}}`)
	cleared := api.patch("/api/devices/a", `{"metadata":null,"tags":null}`)
	require.Contains(t, cleared.body, `"metadata":{},"tags":[]`)
}

func TestDevices_IDsTravelPercentEncodedInPaths(t *testing.T) {
	t.Parallel()
	api := newFixture(t).as(t, admin)
	for _, id := range []string{"100%", "100%25", "a+b", "A&B=c;d", "温室", "é#1", "UPPER", "a.b-c", "%41", "x:y", "{}", "a%2Fb"} {
		created := api.post(`{"id":"` + id + `"}`)
		require.Equal(t, http.StatusCreated, created.status, created.body)
		location := created.header.Get("Location")
		require.Equal(t, "/api/devices/"+url.PathEscape(id), location)
		got := api.get(location)
		require.Equal(t, http.StatusOK, got.status, id)
		require.Contains(t, got.body, `"id":`, id)
		require.Equal(t, created.body, got.body)
		require.Equal(t, http.StatusOK, api.patch(location, `{"name":"x"}`).status, id)
		require.Equal(t, http.StatusNoContent, api.delete(location).status, id)
	}
	for _, path := range []string{"a%2Fb", "%00", "a%20b", "%FF", "%2A", strings.Repeat("x", 129)} {
		require.Equal(t, http.StatusNotFound, api.get("/api/devices/"+path).status, path)
		require.Equal(t, http.StatusNotFound, api.delete("/api/devices/"+path).status, path)
		require.Equal(t, http.StatusNotFound, api.patch("/api/devices/"+path, `{}`).status, path)
	}
}

func TestDevices_EveryFaultOfABodyIsNamed(t *testing.T) {
	t.Parallel()
	api := newFixture(t).as(t, admin)
	many := strings.TrimSuffix(strings.Repeat(`"t",`, 51), ",")
	distinct := ""
	for i := range 51 {
		distinct += `"t` + strings.Repeat("x", i) + `",`
	}
	distinct = strings.TrimSuffix(distinct, ",")
	for body, fields := range map[string][]string{
		``:                                     {"body"},
		`nonsense`:                             {"body"},
		`[]`:                                   {"body"},
		`null`:                                 {"body"},
		`{"id":"a"}{}`:                         {"body"},
		"{\"id\":\"a\xff\"}":                   {"body"},
		`{}`:                                   {"id"},
		`{"id":null}`:                          {"id"},
		`{"id":7}`:                             {"id"},
		`{"id":"a b"}`:                         {"id"},
		`{"id":"a\u0000"}`:                     {"id"},
		`{"ID":"a"}`:                           {"ID"},
		`{"id":"a","name":"\u0000"}`:           {"name"},
		`{"id":"a","name":null}`:               {"name"},
		`{"id":"a","tags":["ok","\u0000"]}`:    {"tags[1]"},
		`{"id":"a","tags":["ok",null]}`:        {"tags[1]"},
		`{"id":"a","tags":"ok"}`:               {"tags"},
		`{"id":"a","tags":[` + distinct + `]}`: {"tags"},
		`{"id":"a","metadata":null}`:           {"metadata"},
		`{"id":"a","metadata":[]}`:             {"metadata"},
		`{"id":"a","metadata":{"x":"\u0000"}}`: {"metadata"},
		`{"id":"a","metadata":{"x":1e400}}`:    {"metadata"},
		`{"id":"a","units":{"a b":"x"}}`:       {"units.a b"},
		`{"id":"a","units":{"m":"\u0000"}}`:    {"units.m"},
		`{"id":"a","units":{"m":null}}`:        {"units.m"},
		`{"id":"a","units":["m"]}`:             {"units"},
		`{"id":"","created_at":"x","tags":1}`:  {"tags", "created_at"},
		`{"id":"","name":"\n","tags":[""],"metadata":{"\u0000":0},"units":{"":"\n"}}`: {"id", "name", "tags[0]", "units.", "units.", "metadata"},
	} {
		refused := api.post(body)
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, "%.60s: %s", body, refused.body)
		require.Equal(t, fields, refused.fields(t), "%.60s", body)
	}
	require.Equal(t, http.StatusCreated, api.post(`{"id":"a","tags":[`+many+`],"name":"\ud800"}`).status, "repeated tags count once")
	for body, fields := range map[string][]string{
		`{"id":"b"}`:                    {"id"},
		`{"online":true}`:               {"online"},
		`{"name":1}`:                    {"name"},
		`{"metadata":"x"}`:              {"metadata"},
		`{"metadata":{"x":["\u0000"]}}`: {"metadata"},
		`{"units":null}`:                {"units"},
		`{"units":{"m":1}}`:             {"units"},
		`{"tags":["a,b"]}`:              {"tags[0]"},
	} {
		refused := api.patch("/api/devices/a", body)
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, "%s: %s", body, refused.body)
		require.Equal(t, fields, refused.fields(t), body)
	}
}

func TestDevices_MetadataMayNotGrowOverItsLimitByPatches(t *testing.T) {
	t.Parallel()
	api := newFixture(t).as(t, admin)
	half := strings.Repeat("x", maxMetadata/2)
	require.Equal(t, http.StatusCreated, api.post(`{"id":"a","metadata":{"a":"`+half+`","big":1e300}}`).status)
	refused := api.patch("/api/devices/a", `{"metadata":{"b":"`+half+`"}}`)
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Equal(t, []string{"metadata"}, refused.fields(t))
	require.Equal(t, http.StatusOK, api.patch("/api/devices/a", `{"metadata":{"a":null,"b":"`+half+`"}}`).status)
}

func TestDevices_BodiesMustBeJSON(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(t, "a")
	api := f.as(t, admin)
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "/"} {
		require.Equal(t, http.StatusUnsupportedMediaType, api.do(http.MethodPost, "/api/devices", contentType, `{"id":"b"}`).status)
		require.Equal(t, http.StatusUnsupportedMediaType, api.do(http.MethodPatch, "/api/devices/a", contentType, `{}`).status)
	}
	require.Equal(t, http.StatusUnsupportedMediaType,
		api.do(http.MethodPost, "/api/devices", "application/merge-patch+json", `{"id":"b"}`).status)
	require.Equal(t, http.StatusRequestEntityTooLarge, api.post(`{"id":"`+strings.Repeat("x", maxBody)+`"}`).status)
}

func TestDevices_ParametersAreChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(t, "a")
	api := f.as(t, admin)
	for query, fields := range map[string][]string{
		"nonsense=1":              {"nonsense"},
		"limit=0":                 {"limit"},
		"limit=1001":              {"limit"},
		"limit=x":                 {"limit"},
		"limit=":                  {"limit"},
		"limit=1&limit=2":         {"limit"},
		"status=maybe":            {"status"},
		"search=%00":              {"search"},
		"search=%ff":              {"search"},
		"tag=%00":                 {"tags[0]"},
		"tag=a&tag=":              {"tags[1]"},
		"cursor=":                 {"cursor"},
		"cursor=garbage":          {"cursor"},
		"cursor=!!!":              {"cursor"},
		"cursor=YWZ0ZXI6":         {"cursor"},
		"cursor=YWZ0ZXI6AA":       {"cursor"},
		"limit=0&status=x&page=2": {"limit", "page", "status"},
	} {
		refused := api.get("/api/devices?" + query)
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, query)
		require.Equal(t, fields, refused.fields(t), query)
	}
	for _, refused := range []answer{
		api.get("/api/devices/a?x=1"), api.delete("/api/devices/a?x=1"), api.patch("/api/devices/a?x=1", `{}`),
		api.do(http.MethodPost, "/api/devices?x=1", "application/json", `{"id":"b"}`),
	} {
		require.Equal(t, http.StatusUnprocessableEntity, refused.status)
		require.Equal(t, []string{"x"}, refused.fields(t))
	}
}

func TestDevices_HeadAnswersLikeGetWithoutABody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(t, "a")
	api := f.as(t, admin)
	head := api.do(http.MethodHead, "/api/devices/a", "", "")
	require.Equal(t, http.StatusOK, head.status)
	require.Empty(t, head.body)
	require.Equal(t, http.StatusNotFound, api.do(http.MethodHead, "/api/devices/b", "", "").status)
	require.Equal(t, http.StatusMethodNotAllowed, api.do(http.MethodPut, "/api/devices/a", "application/json", `{}`).status)
}

func TestDevices_EachOperationNeedsItsScope(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(t, "a")
	reader := f.as(t, access.Principal{Scopes: []access.Scope{access.DevicesRead}})
	writer := f.as(t, access.Principal{Scopes: []access.Scope{access.DevicesWrite}})
	for _, forbidden := range []answer{
		reader.post(`{"id":"b"}`), reader.patch("/api/devices/a", `{}`), reader.delete("/api/devices/a"),
		writer.get("/api/devices"), writer.get("/api/devices/a"),
	} {
		require.Equal(t, http.StatusForbidden, forbidden.status)
	}
	require.Equal(t, http.StatusOK, reader.get("/api/devices/a").status)
	require.Equal(t, http.StatusNoContent, writer.patch("/api/devices/a", `{}`).status)
}
