package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// account is the operating system user that PostgreSQL's programs run as. It is our own unless we are root: PostgreSQL
// refuses to run as root, so root lends it an unprivileged account.
type account struct {
	uid, gid int
	name     string
	// lent is true when the account is not our own.
	lent bool
}

// chooseAccount returns the owner of the cluster when root finds one, else the account made for PostgreSQL, else the account nobody.
func chooseAccount(clusterDir string) (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return ownAccount(uid, clusterDir)
	}
	if uid, gid, ok := owner(clusterDir); ok && uid != 0 {
		return account{uid: uid, gid: gid, name: "user " + strconv.Itoa(uid), lent: true}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{uid: uid, gid: gid, name: name, lent: true}, nil
		}
	}
	return account{}, errors.New("postgresql does not run as root, and there is neither a user postgres nor a user nobody to run it as: " +
		"start telltale as an ordinary user, or set DB_HOST to use another server")
}

func ownAccount(uid int, clusterDir string) (account, error) {
	if other, _, ok := owner(clusterDir); ok && other != uid {
		return account{}, fmt.Errorf("%s belongs to user %d: start telltale as that user or as root, or choose another DATA_DIR", clusterDir, other)
	}
	return account{uid: uid, gid: os.Getegid(), name: "user " + strconv.Itoa(uid)}, nil
}

func owner(path string) (uid, gid int, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

// give makes path the account's.
func (a account) give(path string) error {
	if !a.lent {
		return nil
	}
	if err := os.Chown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to %s: %w", path, a.name, err)
	}
	return nil
}

// makeDir makes path as a folder that only the account can enter.
func (a account) makeDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return fmt.Errorf("close %s to others: %w", path, err)
	}
	return a.give(path)
}

// folder is a folder that a program of another account is handed. That account may be unable to walk to it (a data folder
// beneath /root), so the open folder itself is inherited and addressed through /proc, which asks for no permission on
// the way there.
type folder struct {
	path   string
	handle *os.File // nil when the path itself will do
}

func (a account) open(path string) (*folder, error) {
	f := &folder{path: path}
	if !a.lent || runtime.GOOS != "linux" {
		return f, nil
	}
	handle, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f.handle = handle
	return f, nil
}

func (f *folder) file() *os.File {
	if f == nil {
		return nil
	}
	return f.handle
}

// hand gives the folder to cmd and returns the path by which cmd reaches it.
func (f *folder) hand(cmd *exec.Cmd) string {
	if f.handle == nil {
		return f.path
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, f.handle)
	return fmt.Sprintf("/proc/self/fd/%d", 2+len(cmd.ExtraFiles))
}

// command returns a command that runs as the account, in a session of its own, so that a Ctrl-C meant for us does not
// reach it, and with nothing of our environment that could change its ways or hold a secret.
func (a account) command(program string) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		switch name {
		case "PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH":
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a.lent {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}
