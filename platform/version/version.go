// Package version knows which Telltale this is: the version that the build was given, or the commit that Go recorded for the build.
//
// It does not know the versions of the API and the schema, which change independently.
package version

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// number is the release, set by the linker: -ldflags "-X telltale/platform/version.number=1.2.3".
var number string

// Number returns the release, such as 1.2.3; of a build from a work tree, "dev" and the commit if it is known.
func Number() string {
	if number != "" {
		return strings.TrimPrefix(number, "v")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return describe(info)
	}
	return "dev"
}

// String returns a line for people: the release, the Go version and the platform.
func String() string {
	return "telltale " + Number() + " (" + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")"
}

// describe names a build that the linker was told nothing about.
func describe(info *debug.BuildInfo) string {
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit == "" {
		return "dev"
	}
	text := "dev-" + commit[:min(len(commit), 12)]
	if settings["vcs.modified"] == "true" {
		text += "+changes"
	}
	return text
}
