//go:build !nodownload

package embedded

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
	"go.uber.org/zap"
)

// downloads are the versions to fetch, by major version; defaultDownload is for a new cluster.
var downloads = map[int]embeddedpostgres.PostgresVersion{
	12: embeddedpostgres.V12,
	13: embeddedpostgres.V13,
	14: embeddedpostgres.V14,
	15: embeddedpostgres.V15,
	16: embeddedpostgres.V16,
	17: embeddedpostgres.V17,
	18: embeddedpostgres.V18,
}

const defaultDownload = 17

// fetchPrograms returns downloaded programs of the major version wanted (0: any), fetched once and kept.
func (s *Server) fetchPrograms(ctx context.Context, wanted int) (programs, error) {
	major := wanted
	if major == 0 {
		major = defaultDownload
	}
	version, known := downloads[major]
	if !known {
		return programs{}, fmt.Errorf("the cluster in %s is of PostgreSQL %d: install that version", s.clusterDir(), wanted)
	}
	p, err := s.fetchInto(ctx, filepath.Join(s.downloadDir(), string(version)), version)
	if err != nil {
		return programs{}, fmt.Errorf("no PostgreSQL programs that can be used are installed (looked on PATH and in %v), and downloading them went wrong; "+
			"install PostgreSQL %d or later, or set DB_HOST to use a server: %w", programFolders, minMajor, err)
	}
	return p, nil
}

// downloadDir is where downloaded programs are kept. The dynamic linker finds their libraries by their real path, which a
// lent account cannot walk when it lies beneath the data folder.
func (s *Server) downloadDir() string {
	if s.account.lent {
		return "/var/cache/telltale/postgres-bin"
	}
	return filepath.Join(s.opts.Dir, "postgres-bin")
}

func (s *Server) fetchInto(ctx context.Context, dir string, version embeddedpostgres.PostgresVersion) (programs, error) {
	if _, err := os.Stat(dir); err != nil {
		s.opts.Log.Info("downloading PostgreSQL; this happens once", zap.String("version", string(version)), zap.String("folder", dir))
		if err := download(ctx, dir, version, s.opts.Repository); err != nil {
			return programs{}, err
		}
	}
	return s.inspect(ctx, filepath.Join(dir, "bin"))
}

// download brings programs to dir. When ctx ends first it returns at once; the library has no way to end a download, so
// that goes on until it is done or the process ends, which is what usually comes next.
func download(ctx context.Context, dir string, version embeddedpostgres.PostgresVersion, repository string) error {
	done := make(chan error, 1)
	go func() { done <- fetch(dir, version, repository) }()
	select {
	case <-ctx.Done():
		return fmt.Errorf("download PostgreSQL: %w", context.Cause(ctx))
	case err := <-done:
		return wrap("download PostgreSQL", err)
	}
}

// fetch downloads and unpacks programs beside dir, and moves them there when they are whole.
func fetch(dir string, version embeddedpostgres.PostgresVersion, repository string) error {
	draft, err := makeDraft(dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft)
	unpacked := filepath.Join(draft, "programs")
	cfg := embeddedpostgres.DefaultConfig().Version(version).Port(0).Logger(io.Discard).
		CachePath(filepath.Join(draft, "archive")).BinariesPath(unpacked).
		// Of what the library does only fetching is wanted. Next it would make this folder, which cannot be
		// made because a program is in the way: that ends it before it touches a cluster.
		RuntimePath(filepath.Join(unpacked, "bin", "pg_ctl", "stop-here"))
	if repository != "" {
		cfg = cfg.BinaryRepositoryURL(repository)
	}
	defer removeLibraryLogs(libraryLogs())
	err = embeddedpostgres.NewDatabase(cfg).Start()
	if !isProgram(filepath.Join(unpacked, "bin", "postgres")) {
		return err
	}
	return os.Rename(unpacked, dir)
}

// draftAge is how old a draft has to be to be taken for that of a process that was killed.
const draftAge = 24 * time.Hour

// makeDraft makes a folder beside dir that others may enter and only we may write, and clears old ones away.
func makeDraft(dir string) (string, error) {
	root := filepath.Dir(dir)
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	old, _ := filepath.Glob(filepath.Join(root, "draft-*"))
	for _, path := range old {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > draftAge {
			_ = os.RemoveAll(path)
		}
	}
	draft, err := os.MkdirTemp(root, "draft-")
	if err != nil {
		return "", err
	}
	return draft, os.Chmod(draft, 0o755)
}

// libraryLogs returns the log files that the library makes, and forgets, in the folder for temporary files.
func libraryLogs() []string {
	paths, _ := filepath.Glob(filepath.Join(os.TempDir(), "embedded_postgres_log*"))
	return paths
}

func removeLibraryLogs(before []string) {
	for _, path := range libraryLogs() {
		if info, err := os.Stat(path); err == nil && info.Size() == 0 && !slices.Contains(before, path) {
			_ = os.Remove(path)
		}
	}
}
