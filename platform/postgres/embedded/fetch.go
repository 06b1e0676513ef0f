package embedded

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
			"install PostgreSQL %d or later, or set DB_HOST to use a server: %w", places, minMajor, err)
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

// download fetches and unpacks the programs, and moves them to dir when they are whole. When ctx ends first the download
// is abandoned, not ended: the library has no way to, and the process that gave up is about to end anyway.
func download(ctx context.Context, dir string, version embeddedpostgres.PostgresVersion, repository string) error {
	draft, err := makeDraft(dir)
	if err != nil {
		return fmt.Errorf("download PostgreSQL: %w", err)
	}
	cfg := embeddedpostgres.DefaultConfig().Version(version).Port(0).Logger(io.Discard).
		CachePath(filepath.Join(draft, "archive")).BinariesPath(filepath.Join(draft, "programs")).
		// Of what the library does only fetching is wanted. Next it would make this folder, which cannot be
		// made because a program is in the way: that ends it before it touches a cluster.
		RuntimePath(filepath.Join(draft, "programs", "bin", "pg_ctl", "stop-here"))
	if repository != "" {
		cfg = cfg.BinaryRepositoryURL(repository)
	}
	fetched := make(chan error, 1)
	go func() { fetched <- embeddedpostgres.NewDatabase(cfg).Start() }()
	select {
	case <-ctx.Done():
		return fmt.Errorf("download PostgreSQL: %w", context.Cause(ctx))
	case err = <-fetched:
	}
	defer os.RemoveAll(draft)
	if !isProgram(filepath.Join(draft, "programs", "bin", "postgres")) {
		return fmt.Errorf("download PostgreSQL: %w", err)
	}
	if err := os.Rename(filepath.Join(draft, "programs"), dir); err != nil {
		return fmt.Errorf("keep the downloaded PostgreSQL: %w", err)
	}
	return nil
}

// makeDraft makes a folder beside dir that others may enter and only we may write.
func makeDraft(dir string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	draft, err := os.MkdirTemp(filepath.Dir(dir), "draft-")
	if err != nil {
		return "", err
	}
	return draft, os.Chmod(draft, 0o755)
}
