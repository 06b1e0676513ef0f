package acceptance

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestDocs_TheSketchPostsWhatTheServerTakes(t *testing.T) {
	t.Parallel()
	var sketch string
	for _, s := range snippets(t, "README.md") {
		if s.language == "cpp" {
			sketch = s.text
		}
	}
	body := regexp.MustCompile(`snprintf\(body, sizeof body, ("(?:[^"\\]|\\.)*"),`).FindStringSubmatch(sketch)
	require.NotNil(t, body)
	format, err := strconv.Unquote(body[1])
	require.NoError(t, err)
	size := regexp.MustCompile(`char body\[(\d+)\]`).FindStringSubmatch(sketch)
	require.NotNil(t, size)
	room, err := strconv.Atoi(size[1])
	require.NoError(t, err)
	text := fmt.Sprintf(format, -123.456)
	require.Less(t, len(text), room)
	path := regexp.MustCompile(`http://[0-9.]+:8000(/[a-z/]+)"`).FindStringSubmatch(sketch)
	require.NotNil(t, path)

	p := start(t, pgtest.Config(t))
	p.token = p.key()
	p.call("POST", path[1], "application/json", text, nil)
	require.Contains(t, sketch, `"Authorization", String("Bearer ")`)
	require.Contains(t, sketch, `"Content-Type", "application/json"`)
	p.login()
	require.Len(t, p.history("")["greenhouse-8/temperature"], 1)
}
