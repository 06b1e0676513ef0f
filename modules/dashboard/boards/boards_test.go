package boards_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/password"
	"telltale/modules/auth/signing"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/modules/dashboard/boards"
	"telltale/modules/schema"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New(), httpservertest.IgnoreClock()) }

// instance serves the calls about boards to users and keys of its own.
type instance struct {
	db     *postgres.DB
	server *httpservertest.Server
	users  *users.Service
	keys   *keys.Service
	tokens *tokens.Service
}

// everything may do everything.
var everything = access.Principal{Subject: "root", Scopes: []access.Scope{access.Admin}}

func start(t *testing.T) *instance {
	t.Helper()
	db := pgtest.New(t)
	cfg := config.Auth{Algorithm: "HS256", SecretKey: "a secret of the tests that is long enough", TokenLifetime: time.Hour}
	users, keys := users.New(db, password.NewHasher(password.Params), time.Now, zap.NewNop()), keys.New(db, time.Now, zap.NewNop())
	tokens, err := tokens.New(cfg, signing.NewSecrets(cfg, t.TempDir(), zap.NewNop()), nil, time.Now, zap.NewNop())
	require.NoError(t, err)
	guard := auth.NewGuard(users, keys, tokens, time.Now)
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "boards", Mount: func(api fiber.Router) {
		boards.Mount(api, boards.New(db), guard)
	}}})
	return &instance{db, server, users, keys, tokens}
}

// caller calls the API with credentials.
type caller struct {
	*instance
	t     *testing.T
	token string
}

const loginPassword = "a fine password"

// user makes a user and logs in; without devices the user sees all.
func (i *instance) user(t *testing.T, name string, devices []string, scopes ...access.Scope) caller {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []access.Scope{access.ReadingsRead}
	}
	_, err := i.users.Create(t.Context(), everything, users.Draft{Username: name, Password: loginPassword, Scopes: scopes, Devices: devices})
	require.NoError(t, err)
	user, account, err := i.users.Login(t.Context(), name, loginPassword, "")
	require.NoError(t, err)
	token, _, err := i.tokens.Issue(user.Username, account, user.Scopes)
	require.NoError(t, err)
	return caller{i, t, token}
}

func (i *instance) key(t *testing.T, devices []string, scopes ...access.Scope) caller {
	t.Helper()
	_, text, err := i.keys.Create(t.Context(), everything, keys.Draft{Name: "anna", Scopes: scopes, Devices: devices})
	require.NoError(t, err)
	return caller{i, t, text}
}

// do sends a request and returns the status and the text of the answer.
func (c caller) do(method, path, body string) (int, string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+path, bytes.NewBufferString(body))
	require.NoError(c.t, err)
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.server.Client.Do(request)
	require.NoError(c.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return response.StatusCode, string(text)
}

// ask sends a request that has to be answered with the status, and returns the board of the answer.
func (c caller) ask(status int, method, path, body string) (board boards.Board) {
	c.t.Helper()
	got, text := c.do(method, path, body)
	require.Equal(c.t, status, got, text)
	if status < 300 && text != "" {
		require.NoError(c.t, json.Unmarshal([]byte(text), &board))
	}
	return board
}

// reasons sends a body that is not valid and returns what is wrong, by field.
func (c caller) reasons(method, path, body string) map[string]string {
	c.t.Helper()
	status, text := c.do(method, path, body)
	require.Equal(c.t, http.StatusUnprocessableEntity, status, text)
	var problem httpapi.Problem
	require.NoError(c.t, json.Unmarshal([]byte(text), &problem))
	reasons := map[string]string{}
	for _, f := range problem.Errors {
		reasons[f.Name] = f.Reason
	}
	return reasons
}

func (c caller) list() (names []string) {
	c.t.Helper()
	status, text := c.do("GET", "/api/boards", "")
	require.Equal(c.t, 200, status, text)
	var answer struct{ Boards []boards.Summary }
	require.NoError(c.t, json.Unmarshal([]byte(text), &answer))
	names = []string{}
	for _, b := range answer.Boards {
		names = append(names, b.Name)
	}
	return names
}

// tiles is a board's body with the tiles.
func tiles(name string, shared bool, tiles ...string) string {
	return fmt.Sprintf(`{"name":%q,"shared":%v,"document":{"tiles":[%s]}}`, name, shared, strings.Join(tiles, ","))
}

// change is the body of a change of the version.
func change(version int, body string) string {
	return fmt.Sprintf(`{"version":%d,`, version) + body[1:]
}

// chart is a tile with the series of the devices.
func chart(id string, devices ...string) string {
	series := make([]string, len(devices))
	for n, device := range devices {
		series[n] = fmt.Sprintf(`{"device":%q,"metric":"temperature"}`, device)
	}
	return fmt.Sprintf(`{"id":%q,"kind":"chart","x":0,"y":0,"w":6,"h":4,"title":"of %s","series":[%s]}`, id, id, strings.Join(series, ","))
}

func TestBoard_ComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	anna := start(t).user(t, "anna", nil)
	document := `{"range":"24h","tiles":[
		{"id":"t-1","kind":"chart","x":0,"y":0,"w":8,"h":4,"title":"Temperaturen <b>","series":[{"device":"greenhouse-7","metric":"temperature"}],"range":"7d",
		 "options":{"stacked":true,"min":-20.5,"unit":"°C"}},
		{"id":"t_2","kind":"value","x":8,"y":0,"w":4,"h":4,"selection":{"tag":"greenhouse","metric":"humidity"}},
		{"id":"3","kind":"table","x":0,"y":4,"w":12,"h":9,"selection":{"device":"lab-*","metric":"humidity"}},
		{"id":"4","kind":"states","x":0,"y":13,"w":1,"h":1},
		{"id":"5","kind":"note","x":11,"y":1000,"w":1,"h":100,"text":"Vents open at 28 °C.\n\tAsk Anna."}]}`
	status, text := anna.do("POST", "/api/boards", `{"name":"Greenhouses","document":`+document+`}`)
	require.Equal(t, 201, status, text)
	var made, read map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(text), &made))
	require.JSONEq(t, document, string(made["document"]))
	var id string
	require.NoError(t, json.Unmarshal(made["id"], &id))
	_, text = anna.do("GET", "/api/boards/"+id, "")
	require.NoError(t, json.Unmarshal([]byte(text), &read))
	require.Equal(t, made, read)

	board := anna.ask(200, "GET", "/api/boards/"+id, "")
	require.Equal(t, "Greenhouses", board.Name)
	require.Equal(t, "anna", *board.Owner)
	require.True(t, board.Mine && board.Editable && !board.Shared)
	require.Equal(t, 1, board.Version)
	require.Zero(t, board.LeftOut)
	require.WithinDuration(t, time.Now(), board.Updated, time.Minute)
	require.Empty(t, anna.ask(201, "POST", "/api/boards", `{"name":"Empty"}`).Document.Tiles)
	require.Equal(t, []string{"Empty", "Greenhouses"}, anna.list())
}

func TestBoard_SaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	anna := start(t).user(t, "anna", nil)
	tile := func(changes string) string {
		return `{"name":"b","document":{"tiles":[{"id":"a","kind":"chart","x":0,"y":0,"w":6,"h":4` + changes + `}]}}`
	}
	for _, test := range []struct{ body, field, reason string }{
		{`{}`, "name", "is required"},
		{`{"name":""}`, "name", "must be a name"},
		{`{"name":" b"}`, "name", "without spaces around it"},
		{`{"name":"` + strings.Repeat("ä", 101) + `"}`, "name", "at most 100 characters"},
		{`{"name":"a\u0000"}`, "name", "must be printable"},
		{`{"name":7}`, "name", "must be a text"},
		{`{"name":"b","shared":"yes"}`, "shared", "must be true or false"},
		{`{"name":"b","colour":1}`, "colour", "is not a field here"},
		{`{"name":"b","version":1}`, "version", "is not a field here"},
		{`{"name":"b","document":[]}`, "document", "must be an object"},
		{`{"name":"b","document":null}`, "document", "must be an object"},
		{`{"name":"b","document":{}}`, "document.tiles", "is required"},
		{`{"name":"b","document":{"tiles":{}}}`, "document.tiles", "must be an array of tiles"},
		{`{"name":"b","document":{"tiles":[],"tile":1}}`, "document.tile", "is not a field here"},
		{`{"name":"b","document":{"tiles":[` + strings.Repeat("0,", 100) + `0]}}`, "document.tiles", "at most 100 entries"},
		{`{"name":"b","document":{"tiles":[7]}}`, "document.tiles[0]", "must be an object"},
		{`{"name":"b","document":{"tiles":[{"id":"a","kind":"chart","x":0,"y":0,"w":6}]}}`, "document.tiles[0].h", "is required"},
		{tiles("b", false, chart("a"), chart("a")), "document.tiles[1].id", "is that of tiles[0] too"},
		{tile(`,"id":"a b"`), "document.tiles[0].id", "must be 1 to 40 letters"},
		{tile(`,"kind":"pie"`), "document.tiles[0].kind", "must be one of chart, value, states, table, note"},
		{tile(`,"x":12`), "document.tiles[0].x", "must be a whole number from 0 to 11"},
		{tile(`,"x":-1`), "document.tiles[0].x", "must be a whole number from 0 to 11"},
		{tile(`,"x":1.5`), "document.tiles[0].x", "must be a whole number from 0 to 11"},
		{tile(`,"x":7`), "document.tiles[0].w", "must end within the 12 columns"},
		{tile(`,"w":0`), "document.tiles[0].w", "must be a whole number from 1 to 12"},
		{tile(`,"y":1001`), "document.tiles[0].y", "must be a whole number from 0 to 1000"},
		{tile(`,"h":101`), "document.tiles[0].h", "must be a whole number from 1 to 100"},
		{tile(`,"title":"a\nb"`), "document.tiles[0].title", "must be printable"},
		{tile(`,"text":"hi"`), "document.tiles[0].text", "is a note's alone"},
		{tile(`,"kind":"note","selection":{"tag":"a","metric":"m"}`), "document.tiles[0].kind", "must not be note"},
		{tile(`,"series":[{"device":"a","metric":"m"}],"selection":{"tag":"a","metric":"m"}`), "document.tiles[0].selection", "must not be given together"},
		{tile(`,"series":[{"device":"a*","metric":"m"}]`), "document.tiles[0].series[0].device", ""},
		{tile(`,"series":[{"device":"a"}]`), "document.tiles[0].series[0].metric", "is required"},
		{tile(`,"series":[{"device":"a","metric":"m","unit":"C"}]`), "document.tiles[0].series[0].unit", "is not a field here"},
		{tile(`,"series":[` + strings.Repeat(`0,`, 50) + `0]`), "document.tiles[0].series", "at most 50 entries"},
		{tile(`,"selection":{"metric":"m"}`), "document.tiles[0].selection.tag", "must be given, or device instead"},
		{tile(`,"selection":{"metric":"m","tag":"a","device":"b"}`), "document.tiles[0].selection.tag", "must be given, or device instead"},
		{tile(`,"selection":{"metric":"m","device":"b["}`), "document.tiles[0].selection.device", ""},
		{tile(`,"range":"` + strings.Repeat("1", 101) + `"`), "document.tiles[0].range", "at most 100 characters"},
		{tile(`,"options":{"a":[1]}`), "document.tiles[0].options", "must hold numbers"},
		{tile(`,"options":{"a b":1}`), "document.tiles[0].options", "must hold numbers"},
		{tile(`,"options":{"a":"` + strings.Repeat("1", 201) + `"}`), "document.tiles[0].options", "must hold numbers"},
	} {
		require.Contains(t, anna.reasons("POST", "/api/boards", test.body)[test.field], test.reason, "%s: %s", test.field, test.body)
	}
	require.Len(t, anna.reasons("POST", "/api/boards", tile(`,"x":20,"y":-1,"w":"","h":0,"kind":"pie"`)), 5, "all that is wrong is said at once")
	anna.ask(413, "POST", "/api/boards", `{"name":"`+strings.Repeat("b", 256<<10)+`"}`)
	anna.ask(422, "GET", "/api/boards?name=b", "")
	for _, id := range []string{"nothing", "%00", "a%2Fb", strings.Repeat("a", 300), "%ff"} {
		anna.ask(404, "GET", "/api/boards/"+id, "")
	}
}

func TestBoard_IsChangedByWhoHasReadItsNewestVersion(t *testing.T) {
	t.Parallel()
	anna := start(t).user(t, "anna", nil)
	path := "/api/boards/" + anna.ask(201, "POST", "/api/boards", tiles("one", false)).ID
	changed := anna.ask(200, "PUT", path, change(1, tiles("two", true, chart("a", "d1"))))
	require.Equal(t, 2, changed.Version)
	require.Equal(t, "two", changed.Name)
	require.True(t, changed.Shared)
	status, text := anna.do("PUT", path, change(1, tiles("three", false)))
	require.Equal(t, 409, status)
	require.Contains(t, text, "version 2 by now")
	anna.ask(409, "PUT", path, change(3, tiles("three", false)))
	require.Equal(t, changed, anna.ask(200, "GET", path, ""))
	require.Contains(t, anna.reasons("PUT", path, tiles("three", false)), "version")
	require.Contains(t, anna.reasons("PUT", path, `{"version":2,"name":"b"}`), "document")

	// Of many who change the same version, one does.
	var wins, losses int
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			status, _ := anna.do("PUT", path, change(2, tiles(fmt.Sprint("by ", n), false)))
			mu.Lock()
			defer mu.Unlock()
			switch status {
			case 200:
				wins++
			case 409:
				losses++
			}
		})
	}
	all.Wait()
	require.Equal(t, []int{1, 7}, []int{wins, losses})
	anna.ask(204, "DELETE", path, "")
	anna.ask(404, "DELETE", path, "")
	anna.ask(404, "PUT", path, change(3, tiles("gone", false)))
}

func TestBoard_IsItsOwnersAndSharedOnesAreSeenByAll(t *testing.T) {
	t.Parallel()
	i := start(t)
	anna, ben, admin := i.user(t, "anna", nil), i.user(t, "ben", nil), i.user(t, "admin", nil, access.Admin)
	key, adminKey := i.key(t, nil, access.ReadingsRead), i.key(t, nil, access.Admin)
	private := "/api/boards/" + anna.ask(201, "POST", "/api/boards", tiles("private", false)).ID
	shared := "/api/boards/" + anna.ask(201, "POST", "/api/boards", tiles("shared", true)).ID
	require.Equal(t, []string{"private", "shared"}, anna.list())
	for _, other := range []caller{ben, admin, key, adminKey} {
		require.Equal(t, []string{"shared"}, other.list())
		other.ask(404, "GET", private, "")
		other.ask(404, "PUT", private, change(1, tiles("taken", true)))
		other.ask(404, "DELETE", private, "")
		board := other.ask(200, "GET", shared, "")
		require.Equal(t, "anna", *board.Owner)
		require.False(t, board.Mine)
		require.Equal(t, other.token == admin.token || other.token == adminKey.token, board.Editable)
	}
	for _, other := range []caller{ben, key} {
		other.ask(403, "PUT", shared, change(1, tiles("taken", true)))
		other.ask(403, "DELETE", shared, "")
	}
	require.Equal(t, "anna", *admin.ask(200, "PUT", shared, change(1, tiles("tidied", true))).Owner)
	adminKey.ask(200, "PUT", shared, change(2, tiles("tidied again", true)))
	for _, k := range []caller{key, adminKey} {
		k.ask(403, "POST", "/api/boards", tiles("a key's", true))
	}
	admin.ask(204, "DELETE", shared, "")

	i.user(t, "writer", nil, access.ReadingsWrite, access.DevicesRead).ask(403, "GET", "/api/boards", "")
}

// A token of another program, signed with the same secret, has boards too, which are not those of a user with the same name.
func TestBoard_OfAnotherIssuersSubjectIsNotThatOfAUserWithItsName(t *testing.T) {
	t.Parallel()
	i := start(t)
	anna := i.user(t, "anna", nil)
	service := boards.New(i.db)
	foreign := access.Principal{Subject: "anna", Scopes: []access.Scope{access.ReadingsRead}}
	board, err := service.Create(t.Context(), foreign, boards.Draft{Name: "foreign", Document: boards.Document{Tiles: []boards.Tile{}}})
	require.NoError(t, err)
	require.Equal(t, "anna", *board.Owner)
	require.True(t, board.Mine)
	anna.ask(404, "GET", "/api/boards/"+board.ID, "")
	require.Empty(t, anna.list())
	anna.ask(201, "POST", "/api/boards", tiles("own", false))
	list, err := service.List(t.Context(), foreign)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "foreign", list[0].Name)
}

func TestBoard_ShowsNoDeviceThatItsViewerDoesNotCover(t *testing.T) {
	t.Parallel()
	i := start(t)
	anna, ben := i.user(t, "anna", nil), i.user(t, "ben", []string{"lab-*", "hall"})
	admin := i.user(t, "admin", []string{"lab-*"}, access.Admin)
	pattern := func(id, device string) string {
		return fmt.Sprintf(`{"id":%q,"kind":"table","x":0,"y":0,"w":6,"h":4,"selection":{"device":%q,"metric":"m"}}`, id, device)
	}
	made := anna.ask(201, "POST", "/api/boards", tiles("all", true,
		chart("mixed", "lab-1", "secret-1", "hall", "secret-2"), chart("hidden", "secret-3"), chart("shown", "lab-2"), chart("empty"),
		pattern("everything", "*"), pattern("own", "lab-*"), pattern("narrow", "lab-1*"), pattern("foreign", "secret-*"), pattern("one", "hall"), pattern("other", "secret-4"),
		`{"id":"tag","kind":"value","x":0,"y":0,"w":6,"h":4,"selection":{"tag":"secret","metric":"m"}}`,
		`{"id":"note","kind":"note","x":0,"y":0,"w":6,"h":4,"text":"hi"}`))
	path := "/api/boards/" + made.ID
	require.Zero(t, anna.ask(200, "GET", path, "").LeftOut)
	status, text := ben.do("GET", path, "")
	require.Equal(t, 200, status)
	require.NotContains(t, text, "secret-")
	require.NotContains(t, text, "hidden", "the title of what is left out goes with it")
	var seen boards.Board
	require.NoError(t, json.Unmarshal([]byte(text), &seen))
	require.Equal(t, 5, seen.LeftOut)
	var ids []string
	for _, tile := range seen.Document.Tiles {
		ids = append(ids, tile.ID)
	}
	require.Equal(t, []string{"mixed", "shown", "empty", "everything", "own", "narrow", "one", "tag", "note"}, ids)
	require.Equal(t, []boards.Series{{Device: "lab-1", Metric: "temperature"}, {Device: "hall", Metric: "temperature"}}, seen.Document.Tiles[0].Series)

	// Who does not see all of it cannot write over it, and who cannot see a device cannot put it there.
	status, text = admin.do("PUT", path, change(1, tiles("cut", true)))
	require.Equal(t, 403, status)
	require.Contains(t, text, "would be lost")
	require.Equal(t, made, anna.ask(200, "GET", path, ""))
	require.Equal(t, map[string]string{
		"document.tiles[0].series[1].device": "is not among the devices that your credentials cover",
		"document.tiles[1].selection.device": "is not among the devices that your credentials cover",
	}, ben.reasons("POST", "/api/boards", tiles("peek", false, chart("a", "lab-1", "secret-1"), pattern("b", "secret-*"))))

	// A user who is narrowed later no longer sees the rest of the own board, and cannot lose it by mistake.
	mine := "/api/boards/" + ben.ask(201, "POST", "/api/boards", tiles("mine", false, chart("a", "lab-1", "hall"))).ID
	_, err := i.users.Update(t.Context(), everything, "ben", users.Change{Devices: &[]string{"hall"}})
	require.NoError(t, err)
	require.Equal(t, 1, ben.ask(200, "GET", mine, "").LeftOut)
	ben.ask(403, "PUT", mine, change(1, tiles("mine", false, chart("a", "hall"))))
	ben.ask(204, "DELETE", mine, "")
}

func TestBoard_OfADeletedUserStaysIfItIsShared(t *testing.T) {
	t.Parallel()
	i := start(t)
	anna, ben, admin := i.user(t, "anna", nil), i.user(t, "ben", nil), i.user(t, "admin", nil, access.Admin)
	private := "/api/boards/" + anna.ask(201, "POST", "/api/boards", tiles("private", false)).ID
	shared := "/api/boards/" + anna.ask(201, "POST", "/api/boards", tiles("shared", true)).ID
	require.NoError(t, i.users.Delete(t.Context(), everything, "anna"))
	again := i.user(t, "anna", nil)
	for _, c := range []caller{again, ben, admin} {
		require.Equal(t, []string{"shared"}, c.list())
		require.Nil(t, c.ask(200, "GET", shared, "").Owner)
		c.ask(404, "GET", private, "")
	}
	again.ask(403, "PUT", shared, change(1, tiles("mine again", true)))
	admin.ask(200, "PUT", shared, change(1, tiles("kept", true)))
	ben.ask(201, "POST", "/api/boards", tiles("other", false)) // which also takes away what no account can see
	var left int
	require.NoError(t, i.db.QueryRow(t.Context(), `SELECT count(*) FROM boards WHERE NOT shared AND username IS NULL`).Scan(&left))
	require.Zero(t, left)
	status, _ := anna.do("GET", "/api/boards", "")
	require.Equal(t, 401, status)
}

func TestBoard_ThereAreNoMoreThanAHundredOfAnOwner(t *testing.T) {
	t.Parallel()
	i := start(t)
	anna, ben := i.user(t, "anna", nil), i.user(t, "ben", nil)
	_, err := i.db.Exec(t.Context(), `INSERT INTO boards (id, username, name, shared, document) SELECT 'b' || n, 'anna', n, false, '{"tiles":[]}' FROM generate_series(1, 99) n`)
	require.NoError(t, err)
	var made, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			status, _ := anna.do("POST", "/api/boards", tiles("more", false))
			mu.Lock()
			defer mu.Unlock()
			switch status {
			case 201:
				made++
			case 422:
				refused++
			}
		})
	}
	all.Wait()
	require.Equal(t, []int{1, 3}, []int{made, refused})
	require.Contains(t, anna.reasons("POST", "/api/boards", tiles("more", false))["body"], "100 boards")
	ben.ask(201, "POST", "/api/boards", tiles("one", false))
}
