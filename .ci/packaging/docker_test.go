// Package packaging checks the image and the composition with the parsers of BuildKit and Compose themselves, so that
// neither a container engine nor a network is needed.
package packaging

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/require"
)

// root is the top of the project.
const root = "../.."

// limitImage is the size in bytes that the image must not exceed where it runs, unpacked; certificates is more than those of
// the public authorities take of it.
const (
	limitImage   = 25_000_000
	certificates = 300_000
)

// stages parses the Dockerfile; a warning of BuildKit's linter is a failure.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	file, err := os.Open(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	defer file.Close()
	tree, err := parser.Parse(file)
	require.NoError(t, err)
	require.Empty(t, tree.Warnings)
	warn := func(rule, description, _, message string, _ []parser.Range) {
		t.Errorf("%s: %s (%s)", rule, message, description)
	}
	all, _, err := instructions.Parse(tree.AST, linter.New(&linter.Config{Warn: warn}))
	require.NoError(t, err)
	return all
}

// of returns the stage's instructions of one kind.
func of[T instructions.Command](stage instructions.Stage) []T {
	var found []T
	for _, command := range stage.Commands {
		if c, ok := command.(T); ok {
			found = append(found, c)
		}
	}
	return found
}

func TestImage_RunsOneBinaryAsNobody(t *testing.T) {
	t.Parallel()
	all := stages(t)
	require.Len(t, all, 2)
	final := all[1]
	require.Equal(t, "scratch", final.BaseName)
	require.Equal(t, "65532:65532", of[*instructions.UserCommand](final)[0].User)
	require.Equal(t, []string{"8000"}, of[*instructions.ExposeCommand](final)[0].Ports)

	entrypoint := of[*instructions.EntrypointCommand](final)[0]
	require.False(t, entrypoint.PrependShell, "there is no shell in the image")
	require.Equal(t, []string{"/telltale"}, []string(entrypoint.CmdLine))
	require.Equal(t, []string{"CMD", "/telltale", "healthcheck"}, of[*instructions.HealthCheckCommand](final)[0].Health.Test)

	env := make(map[string]string)
	for _, pair := range of[*instructions.EnvCommand](final)[0].Env {
		env[pair.Key] = pair.Value
	}
	require.Equal(t, map[string]string{"HOST": "0.0.0.0", "PORT": "8000", "DB_HOST": "postgres", "LOG_FORMAT": "json"}, env)
}

func TestImage_IsBuiltWithTheGoOfTheModule(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	tag := strings.TrimPrefix(stages(t)[0].BaseName, "golang:")
	require.Regexp(t, `(?m)^go `+tag+`(\.\d+)?$`, string(mod))
}

// TestTheBinaryOfTheImage runs the image's own build command on what the build context would hold.
func TestImage_BinaryIsStaticAndSmall(t *testing.T) {
	t.Parallel()
	runs := of[*instructions.RunCommand](stages(t)[0])
	line := runs[len(runs)-1].CmdLine[0]
	binary := filepath.Join(t.TempDir(), "telltale")
	require.Contains(t, line, "-o /out/telltale ")
	command := exec.CommandContext(t.Context(), "sh", "-euc", strings.Replace(line, "/out/telltale", binary, 1))
	command.Dir = root
	command.Env = append(os.Environ(), "TARGETOS=linux", "TARGETARCH="+runtime.GOARCH, "VERSION=1.2.3-check")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)

	file, err := elf.Open(binary)
	require.NoError(t, err)
	defer file.Close()
	for _, segment := range file.Progs {
		require.NotEqual(t, elf.PT_INTERP, segment.Type, "the binary asks for a dynamic linker")
	}
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)

	version, err := exec.CommandContext(t.Context(), binary, "version").Output()
	require.NoError(t, err)
	require.Contains(t, string(version), "telltale 1.2.3-check ")

	plain, err := os.ReadFile(binary)
	require.NoError(t, err)
	var layer bytes.Buffer
	zip := gzip.NewWriter(&layer)
	_, err = zip.Write(plain)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	t.Logf("the image's binary has %.1f MB, and its layer %.1f MB", float64(len(plain))/1e6, float64(layer.Len())/1e6)
	require.Less(t, len(plain)+certificates, limitImage)
}

func TestImage_BinaryIsThatOfTheTaskAndOfDownloads(t *testing.T) {
	t.Parallel()
	runs := of[*instructions.RunCommand](stages(t)[0])
	flags, _, _ := strings.Cut(runs[len(runs)-1].CmdLine[0], "$VERSION")
	_, command, _ := strings.Cut(flags, "go build ")
	tasks, err := os.ReadFile(filepath.Join(root, "Taskfile.yml"))
	require.NoError(t, err)
	// A machine, unlike the image, may need to download PostgreSQL.
	command = strings.Replace(command, "nodownload,", "", 1)
	require.Contains(t, string(tasks), "go build "+command+"{{.VERSION}}")
}

func TestImage_BuildContextHoldsWhatTheBuildReads(t *testing.T) {
	t.Parallel()
	ignore, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "go", "list", "-C", root, "-deps", "-f",
		`{{if and .Module .Module.Main}}{{.Dir}}{{end}}`, ".").Output()
	require.NoError(t, err)
	top, err := filepath.Abs(root)
	require.NoError(t, err)
	for dir := range strings.Lines(string(out)) {
		relative, err := filepath.Rel(top, strings.TrimSpace(dir))
		require.NoError(t, err)
		if relative != "." {
			first, _, _ := strings.Cut(relative, "/")
			require.Contains(t, string(ignore), "\n!"+first+"\n", "%s is needed by the build", relative)
		}
	}
}
