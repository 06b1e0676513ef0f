package readings

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth"
	"telltale/platform/postgres/pgtest"
)

func TestSeriesAreSelectedByIDPatternAndTag(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	e.post(t, `{"readings":[{"device":"green-1","ts":1,"values":{"m":1,"n":1}},{"device":"green-2","ts":1,"values":{"m":2}},
		{"device":"blue-1","ts":1,"values":{"m":3}},{"device":"blue-22","ts":1,"values":{"m":4}}]}`)
	tag := func(device string, tags ...string) {
		_, err := db.Exec(t.Context(), `UPDATE devices SET tags = $2 WHERE id = $1`, device, tags)
		require.NoError(t, err)
	}
	tag("green-1", "north", "roof")
	tag("blue-22", "north")
	narrow := auth.Principal{Scopes: []auth.Scope{auth.ReadingsRead}, Devices: []string{"green-*", "blue-22"}}
	for _, c := range []struct {
		who    auth.Principal
		wanted Selection
		want   string
	}{
		{everyone, Selection{}, "blue-1/m blue-22/m green-1/m green-1/n green-2/m"},
		{everyone, Selection{Devices: []string{"green-*"}}, "green-1/m green-1/n green-2/m"},
		{everyone, Selection{Devices: []string{"*-1", "blue-?", "green-2"}, Metrics: []string{"m"}}, "blue-1/m green-1/m green-2/m"},
		{everyone, Selection{Devices: []string{"green-2", "*"}, Metrics: []string{"m"}}, "green-2/m blue-1/m blue-22/m green-1/m"},
		{everyone, Selection{Devices: []string{"blue-[0-9][0-9]", "nobody"}}, "blue-22/m"},
		{everyone, Selection{Tags: []string{"north"}}, "blue-22/m green-1/m green-1/n"},
		{everyone, Selection{Tags: []string{"north", "roof"}}, "green-1/m green-1/n"},
		{everyone, Selection{Devices: []string{"blue-*"}, Tags: []string{"north"}}, "blue-22/m"},
		{everyone, Selection{Tags: []string{"south"}}, ""},
		{narrow, Selection{Devices: []string{"*"}}, "blue-22/m green-1/m green-1/n green-2/m"},
		{narrow, Selection{Devices: []string{"blue-*"}}, "blue-22/m"},
	} {
		require.Equal(t, strings.Fields(c.want), append([]string{}, e.historyOf(t, c.who, Query{Selection: c.wanted}).order...), c.wanted)
		states, err := e.Latest(t.Context(), c.who, c.wanted)
		require.NoError(t, err)
		require.Len(t, states, len(strings.Fields(c.want)))
	}
	tag("green-2", "north", "roof")
	other := startEngine(t, db)
	require.Len(t, other.history(t, Query{Selection: Selection{Tags: []string{"roof"}}}).order, 3, "a tag counts from the moment it is set")
}

func TestAThousandDevicesInOneCall(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	var items, ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf("device-%04d", i))
		items = append(items, fmt.Sprintf(`{"device":%q,"ts":%d,"values":{"m":%d}}`, ids[i], i, i))
	}
	e.post(t, `{"readings":[%s]}`, strings.Join(items, ","))
	e.fold(t)
	began := time.Now()
	require.Len(t, e.history(t, Query{Selection: Selection{Devices: ids}}).points, 1000)
	require.Len(t, e.history(t, Query{Selection: Selection{Devices: []string{"device-*"}}}).points, 1000)
	t.Log("two queries took", time.Since(began))
}
