package readings_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

func TestSelection_ByIDPatternAndTag(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	e.Post(t, `{"readings":[{"device":"green-1","ts":1,"values":{"m":1,"n":1}},{"device":"green-2","ts":1,"values":{"m":2}},
		{"device":"blue-1","ts":1,"values":{"m":3}},{"device":"blue-22","ts":1,"values":{"m":4}}]}`)
	tag := func(device string, tags ...string) {
		_, err := db.Exec(t.Context(), `UPDATE devices SET tags = $2 WHERE id = $1`, device, tags)
		require.NoError(t, err)
	}
	tag("green-1", "north", "roof")
	tag("blue-22", "north")
	narrow := access.Principal{Scopes: []access.Scope{access.ReadingsRead}, Devices: []string{"green-*", "blue-22"}}
	for _, c := range []struct {
		who    access.Principal
		wanted history.Selection
		want   string
	}{
		{everyone, history.Selection{}, "blue-1/m blue-22/m green-1/m green-1/n green-2/m"},
		{everyone, history.Selection{Devices: []string{"green-*"}}, "green-1/m green-1/n green-2/m"},
		{everyone, history.Selection{Devices: []string{"*-1", "blue-?", "green-2"}, Metrics: []string{"m"}}, "blue-1/m green-1/m green-2/m"},
		{everyone, history.Selection{Devices: []string{"green-2", "*"}, Metrics: []string{"m"}}, "green-2/m blue-1/m blue-22/m green-1/m"},
		{everyone, history.Selection{Devices: []string{"blue-[0-9][0-9]", "nobody"}}, "blue-22/m"},
		{everyone, history.Selection{Tags: []string{"north"}}, "blue-22/m green-1/m green-1/n"},
		{everyone, history.Selection{Tags: []string{"north", "roof"}}, "green-1/m green-1/n"},
		{everyone, history.Selection{Devices: []string{"blue-*"}, Tags: []string{"north"}}, "blue-22/m"},
		{everyone, history.Selection{Tags: []string{"south"}}, ""},
		{narrow, history.Selection{Devices: []string{"*"}}, "blue-22/m green-1/m green-1/n green-2/m"},
		{narrow, history.Selection{Devices: []string{"blue-*"}}, "blue-22/m"},
	} {
		require.Equal(t, strings.Fields(c.want), append([]string{}, e.AnswerTo(t, c.who, history.Query{Selection: c.wanted}).Order...), c.wanted)
		states, err := e.Queries.Latest(t.Context(), c.who, c.wanted)
		require.NoError(t, err)
		require.Len(t, states, len(strings.Fields(c.want)))
	}
	tag("green-2", "north", "roof")
	other := startEngine(t, db)
	require.Len(t, other.Answer(t, history.Query{Selection: history.Selection{Tags: []string{"roof"}}}).Order, 3, "a tag counts from the moment it is set")
}

func TestSelection_OfAThousandDevicesInOneCall(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	var items, ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf("device-%04d", i))
		items = append(items, fmt.Sprintf(`{"device":%q,"ts":%d,"values":{"m":%d}}`, ids[i], i, i))
	}
	e.Post(t, `{"readings":[%s]}`, strings.Join(items, ","))
	e.FoldAll(t)
	began := time.Now()
	require.Len(t, e.Answer(t, history.Query{Selection: history.Selection{Devices: ids}}).Rows, 1000)
	require.Len(t, e.Answer(t, history.Query{Selection: history.Selection{Devices: []string{"device-*"}}}).Rows, 1000)
	t.Log("two queries took", time.Since(began))
}
