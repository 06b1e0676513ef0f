package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
)

// freeze stops every process of the server, as a debugger, a full cgroup or a suspended machine does. The function returned
// has them go on.
func (m *machine) freeze() (thaw func()) {
	pids := m.processes()
	signal := func(s syscall.Signal) {
		for _, pid := range pids {
			_ = syscall.Kill(pid, s) // one may have ended meanwhile
		}
	}
	signal(syscall.SIGSTOP)
	return func() { signal(syscall.SIGCONT) }
}

// processes returns the server's first process, and then its children.
func (m *machine) processes() []int {
	content, err := os.ReadFile(filepath.Join(m.dir, "postgres", "postmaster.pid"))
	require.NoError(m.t, err)
	first, err := strconv.Atoi(strings.Fields(string(content))[0])
	require.NoError(m.t, err)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
	require.NoError(m.t, err)
	pids := []int{first}
	for _, child := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(child)
		require.NoError(m.t, err)
		pids = append(pids, pid)
	}
	return pids
}

func TestFrozenServer_IsNoticedAndFoundAgain(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	db, log := open(t, brief(m.cfg))
	awaitReady(t, db)
	for range 2 {
		thaw := m.freeze()
		t.Cleanup(thaw) // a frozen server cannot be stopped
		requireBusy(t, func() error {
			_, err := db.Exec(context.Background(), "INSERT INTO devices (id) VALUES ('a')")
			return err
		})
		log.await("connection lost")
		_, err := db.Exec(context.Background(), "SELECT 1")
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
		thaw()
		log.await("connection recovered")
		requireWorks(t, db)
	}
}
