//go:build !nodownload

package embedded_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/embedded"
)

// repository is a Maven repository that holds one archive of programs, in testdata, for every platform: scripts that know
// a version to tell.
type repository struct {
	*httptest.Server
	archive  []byte
	checksum string
	gate     chan struct{} // nothing is answered until it is closed
}

func newRepository(t testing.TB) *repository {
	programs, err := os.ReadFile("testdata/programs.txz")
	require.NoError(t, err)
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	entry, err := z.Create("postgres-platform.txz")
	require.NoError(t, err)
	_, err = entry.Write(programs)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	r := &repository{archive: jar.Bytes(), checksum: fmt.Sprintf("%x", sha256.Sum256(jar.Bytes())), gate: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(func() {
		r.Close()
		http.DefaultClient.CloseIdleConnections() // the library's client
	})
	return r
}

func (r *repository) serve(w http.ResponseWriter, req *http.Request) {
	<-r.gate
	switch {
	case !strings.Contains(req.URL.Path, string(embedded.DownloadVersion)):
		http.NotFound(w, req)
	case strings.HasSuffix(req.URL.Path, ".sha256"):
		_, _ = w.Write([]byte(r.checksum))
	default:
		_, _ = w.Write(r.archive)
	}
}

func TestFetch_ProgramsAreDownloadedWholeAndMayBeRunByAnyAccount(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	close(r.gate)
	root := openFolder(t)
	dir := filepath.Join(root, "programs")
	require.NoError(t, embedded.Download(bounded(t), dir, embedded.DownloadVersion, r.URL))
	require.FileExists(t, filepath.Join(dir, "lib", "library.so.5"))
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing else is left")

	s := start(t, options(folder(t))) // knows the account to run programs as
	version, err := s.Inspect(bounded(t), filepath.Join(dir, "bin"))
	require.NoError(t, err)
	require.Equal(t, "17.5", version)
}

func TestFetch_ADownloadThatGoesWrongLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*repository){
		"another checksum": func(r *repository) { r.checksum = "0" },
		"no archive":       func(r *repository) { r.archive = nil },
		"no repository":    func(r *repository) { r.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			close(r.gate)
			spoil(r)
			dir := filepath.Join(openFolder(t), "programs")
			require.Error(t, embedded.Download(bounded(t), dir, embedded.DownloadVersion, r.URL))
			require.NoDirExists(t, dir)
		})
	}
}

func TestFetch_ADownloadIsNotWaitedForWhenTheStartIsInterrupted(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	dir := filepath.Join(openFolder(t), "programs")
	ctx, interrupt := context.WithCancel(context.Background())
	interrupt()
	require.ErrorIs(t, embedded.Download(ctx, dir, embedded.DownloadVersion, r.URL), context.Canceled)
	require.NoDirExists(t, dir)
	close(r.gate)
	require.Eventually(t, func() bool {
		entries, err := os.ReadDir(filepath.Dir(dir))
		return err == nil && len(entries) == 1 && entries[0].Name() == "programs"
	}, patience, 10*time.Millisecond, "what was downloaded all the same is kept")
}
