package history

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"telltale/modules/readings/bucket"

	"github.com/stretchr/testify/require"
)

// changed returns another value of the same type.
func changed(t *testing.T, v reflect.Value) reflect.Value {
	t.Helper()
	if _, ok := v.Interface().(*time.Location); ok {
		return reflect.ValueOf(time.FixedZone("elsewhere", 3600))
	}
	to := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Bool:
		to.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		to.SetInt(v.Int() + 1)
	case reflect.String:
		to.SetString(v.String() + "x")
	case reflect.Slice:
		return reflect.Append(v, changed(t, reflect.New(v.Type().Elem()).Elem()))
	case reflect.Pointer:
		to.Set(reflect.New(v.Type().Elem()))
	default:
		require.Fail(t, "another value of this type is not known", v.Type())
	}
	return to
}

// eachField calls a function with the path to every field of a struct, those of structs in it too.
func eachField(of reflect.Type, path []int, call func(path []int, name string)) {
	for i := range of.NumField() {
		field, at := of.Field(i), append(path[:len(path):len(path)], i)
		if field.Type.Kind() == reflect.Struct {
			eachField(field.Type, at, call)
			continue
		}
		call(at, field.Name)
	}
}

func TestVersion_DependsOnEveryParameter(t *testing.T) {
	t.Parallel()
	plain := Query{Zone: time.UTC}
	known := map[string]string{versionOf(source{query: plain}, survey{}): "plain"}
	eachField(reflect.TypeFor[Query](), nil, func(path []int, name string) {
		q := plain
		field := reflect.ValueOf(&q).Elem().FieldByIndex(path)
		field.Set(changed(t, field))
		version := versionOf(source{query: q}, survey{})
		require.Empty(t, known[version], "%s is not in the version", name)
		known[version] = name
	})
	require.Greater(t, len(known), 14)
}

func TestVersion_DependsOnWhatIsWithinAParameter(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range 10 {
		interval, cursor := bucket.Interval{Millis: int64(1+n) * 1000}, Cursor{TS: rand.Int64()}
		seen[versionOf(source{query: Query{Interval: &interval}}, survey{})] = true
		seen[versionOf(source{query: Query{After: &cursor}}, survey{})] = true
	}
	require.Len(t, seen, 20)
}
