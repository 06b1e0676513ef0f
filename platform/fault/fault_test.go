package fault

import (
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// noted returns n reasons, of which none is like another.
func noted(n int) *Fields {
	fields := &Fields{}
	for k := range n {
		fields.Add("f"+strconv.Itoa(k), "is %d", k)
	}
	return fields
}

func TestFields_ListTheFirstHundredReasonsAndCountTheOthers(t *testing.T) {
	t.Parallel()
	require.NoError(t, noted(0).Err())
	for n, message := range map[int]string{
		1: "the request is not valid", 100: "the request is not valid",
		101:  "the request is not valid for 101 reasons (the first 100 are listed)",
		5000: "the request is not valid for 5000 reasons (the first 100 are listed)",
	} {
		f := As(noted(n).Err())
		require.Equal(t, Invalid, f.Kind)
		require.Equal(t, message, f.Message)
		require.Equal(t, max(0, n-100), f.Unlisted)
		require.Len(t, f.Fields, min(n, 100))
		require.Equal(t, Field{Name: "f0", Reason: "is 0"}, f.Fields[0])
	}
}

func TestFields_IncludeTheReasonsOfAnotherFault(t *testing.T) {
	t.Parallel()
	fields := noted(90)
	fields.Include(nil)
	fields.Include(errors.New("no fault"))
	fields.Include(New(NotFound, "has no reasons"))
	require.Len(t, As(fields.Err()).Fields, 90)
	fields.Include(InvalidField("other", "is 100%% wrong"))
	f := As(fields.Err())
	require.Equal(t, Field{Name: "other", Reason: "is 100% wrong"}, f.Fields[90])
	fields.Include(noted(120).Err())
	f = As(fields.Err())
	require.Len(t, f.Fields, 100)
	require.Equal(t, 90+1+120-100, f.Unlisted)
}

func TestFields_IncludeTheReasonsOfAPartUnderItsName(t *testing.T) {
	t.Parallel()
	var fields Fields
	fields.IncludeWithin("tiles[3]", InvalidField("w", "is too wide"))
	fields.IncludeWithin("tiles[4]", noted(120).Err())
	f := As(fields.Err())
	require.Equal(t, Field{Name: "tiles[3].w", Reason: "is too wide"}, f.Fields[0])
	require.Equal(t, Field{Name: "tiles[4].f0", Reason: "is 0"}, f.Fields[1])
	require.Equal(t, 21, f.Unlisted)
}
