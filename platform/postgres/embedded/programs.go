package embedded

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"go.uber.org/zap"
)

// minMajor is the oldest PostgreSQL that runs every statement of Telltale's.
const minMajor = 12

// programs is a folder of PostgreSQL's programs.
type programs struct {
	dir     string
	version string // such as "15.18"
	major   int
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// programFolders are patterns of the folders where packages put PostgreSQL's programs, beside the folders of PATH.
var programFolders = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// findPrograms returns the first programs that are recent enough, that the account may run and, where there is a cluster,
// of its major version; else it downloads some.
func (s *Server) findPrograms(ctx context.Context) (programs, error) {
	wanted, _ := strconv.Atoi(clusterVersion(s.clusterDir()))
	for _, dir := range candidates() {
		p, err := s.inspect(ctx, dir)
		if err != nil {
			s.opts.Log.Debug("these PostgreSQL programs cannot be used", zap.String("folder", dir), zap.Error(err))
			continue
		}
		if p.major >= minMajor && (wanted == 0 || p.major == wanted) {
			return p, nil
		}
	}
	return s.fetchPrograms(ctx, wanted)
}

// candidates returns the folders that hold both programs needed, those of PATH first, then the newest of each pattern.
func candidates() []string {
	var dirs []string
	add := func(dir string) {
		if !slices.Contains(dirs, dir) && isProgram(filepath.Join(dir, "initdb")) && isProgram(filepath.Join(dir, "postgres")) {
			dirs = append(dirs, dir)
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link may be all that is on PATH: initdb lies beside what it leads to.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			add(filepath.Dir(path))
		}
	}
	for _, pattern := range programFolders {
		found, _ := filepath.Glob(pattern)
		slices.SortFunc(found, func(a, b string) int { return firstNumber(b) - firstNumber(a) })
		for _, dir := range found {
			add(dir)
		}
	}
	return dirs
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

var number = regexp.MustCompile(`\d+`)

func firstNumber(text string) int {
	n, _ := strconv.Atoi(number.FindString(text))
	return n
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)(\S*)`)

// inspect asks the server in dir for its version, as the account that is to run it.
func (s *Server) inspect(ctx context.Context, dir string) (programs, error) {
	cmd := s.account.command(filepath.Join(dir, "postgres"))
	cmd.Args = append(cmd.Args, "--version")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := run(ctx, cmd); err != nil {
		return programs{}, fmt.Errorf("run %s as %s: %w", cmd.Path, s.account.name, err)
	}
	match := versionLine.FindStringSubmatch(output.String())
	if match == nil {
		return programs{}, fmt.Errorf("%s does not tell its version: %q", cmd.Path, output.String())
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return programs{}, fmt.Errorf("%s does not tell its version: %w", cmd.Path, err)
	}
	return programs{dir: dir, version: match[1] + match[2], major: major}, nil
}
