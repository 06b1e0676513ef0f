package bucket

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// zoneName is the form of every name in the tz database: one path, without a way to write it differently.
var zoneName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*)*$`)

var errZone = errors.New("is not a time zone")

// LoadZone returns the time zone with an IANA name. Files beside those of the tz database are no zones, though a machine may
// have them: localtime and posixrules are what its owner chose, Factory says that nothing was chosen, and the trees right and
// posix count seconds otherwise, or are copies. Answers must not depend on the machine.
func LoadZone(name string) (*time.Location, error) {
	tree, _, _ := strings.Cut(strings.ToLower(name), "/")
	switch tree {
	case "local", "localtime", "posixrules", "factory", "right", "posix":
		return nil, errZone
	}
	if !zoneName.MatchString(name) {
		return nil, errZone
	}
	return time.LoadLocation(name)
}
