//go:build e2e

package acceptance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// pagePaths are the page's views, by the name of their pictures.
var pagePaths = []struct{ name, path string }{
	{"devices", "/devices"},
	{"device", "/devices/greenhouse-1?range=24h"},
	{"device-spike", "/devices/spike?range=24h"},
	{"device-never-seen", "/devices/never-seen"},
	{"device-long-name", "/devices/" + longName + "?range=24h"},
	{"compare", "/compare?series=greenhouse-1:temperature&series=silent:temperature&range=24h"},
	{"boards", "/boards"},
	{"import", "/import"},
	{"export", "/import?device=greenhouse-*&metric=temperature&range=7d&interval=1h&agg=avg&agg=max"},
	{"users", "/users"},
	{"keys", "/keys"},
	{"account", "/account"},
	{"operations", "/operations"},
}

// Every page on every screen, light and dark: pictures of it, nothing that axe calls serious, nothing wider than a phone. What a
// visitor may never see fails by itself.
func TestE2EPage_EveryPageIsFitToBeSeen(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.furnish(100)
	out := visit(t, p)
	out.lookAt("sign-in", "/signin")
	v := visitSignedIn(t, p)
	for _, one := range pagePaths {
		v.lookAt(one.name, one.path)
	}
	board := p.board()
	v.lookAt("board", "/boards/"+board)
	v.lookAt("board-on-a-wall", "/boards/"+board+"?wall")
}

// board makes a board with a tile of each kind and returns its id.
func (p *program) board() string {
	p.t.Helper()
	const kinds = `{"name":"Greenhouses","shared":true,"document":{"range":"24h","tiles":[
		{"id":"a","kind":"chart","x":0,"y":0,"w":8,"h":6,"series":[
			{"device":"greenhouse-1","metric":"temperature"},{"device":"silent","metric":"temperature"}]},
		{"id":"b","kind":"value","x":8,"y":0,"w":4,"h":3,"series":[{"device":"greenhouse-1","metric":"humidity"}]},
		{"id":"c","kind":"states","x":8,"y":3,"w":4,"h":3,"series":[{"device":"greenhouse-1","metric":"door"}]},
		{"id":"d","kind":"table","x":0,"y":6,"w":6,"h":5,"selection":{"device":"sensor-*","metric":"temperature"}},
		{"id":"e","kind":"note","x":6,"y":6,"w":6,"h":3,"text":"Open the windows above 28 °C."}]}}`
	status, text, err := p.try("POST", "/api/boards", "application/json", strings.NewReader(kinds))
	require.NoError(p.t, err)
	require.Equal(p.t, 201, status, "%s", text)
	var made struct{ ID string }
	require.NoError(p.t, json.Unmarshal(text, &made))
	return made.ID
}

// lookAt opens a page and looks at it in every way.
func (v *visitor) lookAt(name, path string) {
	v.t.Helper()
	v.in("light")
	v.on(desk)
	v.at(path)
	require.False(v.t, evaluate[bool](v.t, v.tab, `document.body.innerText.includes(`+quote(wording(v.t, "state.missing"))+`)`), path)
	if path == "/operations" {
		v.figures()
	}
	for _, s := range []size{desk, laptop, phone} {
		v.on(s)
		for _, scheme := range []string{"light", "dark"} {
			v.in(scheme)
			v.settle()
			as := fmt.Sprintf("%s-%s-%s", name, s.name, scheme)
			v.shoot(as)
			if s != laptop {
				v.requireAccessible(as)
			}
			v.requireFitting()
		}
	}
}
