package embedded

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"
)

// authentication is the cluster's whole pg_hba.conf: the socket, with the password, and nothing else.
const authentication = "# TYPE  DATABASE  USER  METHOD\nlocal   all       all   scram-sha-256\n"

// ensureCluster makes the cluster if there is none. It is built beside its folder and moved there when it is whole, so
// that a first start that was interrupted leaves nothing that a second one would take for a cluster.
func (s *Server) ensureCluster(ctx context.Context) error {
	if clusterVersion(s.clusterDir()) != "" {
		return nil
	}
	s.opts.Log.Info("making a database cluster; this happens once",
		zap.String("folder", s.clusterDir()), zap.String("version", s.programs.version), zap.String("account", s.account.name))
	draft := s.clusterDir() + ".draft"
	if err := stopOrphan(ctx, draft, s.opts.Log); err != nil {
		return err
	}
	if err := os.RemoveAll(draft); err != nil {
		return fmt.Errorf("clear an unfinished cluster away: %w", err)
	}
	if err := s.account.makeDir(draft); err != nil {
		return err
	}
	cluster, err := s.account.open(draft)
	if err != nil {
		return err
	}
	defer cluster.file().Close()
	if err := s.initCluster(ctx, cluster); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(draft, "pg_hba.conf"), []byte(authentication), 0o600); err != nil {
		return fmt.Errorf("restrict who may connect: %w", err)
	}
	if err := s.createDatabase(ctx, cluster); err != nil {
		return err
	}
	// An empty folder may have been made in advance; one with anything in it is not ours to remove.
	if err := os.Remove(s.clusterDir()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make room for the new cluster: %w", err)
	}
	if err := os.Rename(draft, s.clusterDir()); err != nil {
		return fmt.Errorf("move the new cluster to its place: %w", err)
	}
	return syncDir(s.opts.Dir)
}

func (s *Server) initCluster(ctx context.Context, cluster *folder) error {
	passwordFile := filepath.Join(s.sockets.path, "initial-password")
	if err := os.WriteFile(passwordFile, []byte(s.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("hand the password to initdb: %w", err)
	}
	defer os.Remove(passwordFile)
	if err := s.account.give(passwordFile); err != nil {
		return err
	}
	cmd := s.account.command(s.programs.path("initdb"))
	cmd.Args = append(cmd.Args, "-D", cluster.hand(cmd), "--pwfile="+s.sockets.hand(cmd)+"/initial-password",
		"-U", username, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C")
	if s.opts.Volatile {
		cmd.Args = append(cmd.Args, "--no-sync")
	} else {
		cmd.Args = append(cmd.Args, "--data-checksums")
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := run(ctx, cmd); err != nil {
		return fmt.Errorf("make a database cluster: initdb: %w%s", err, lastLines(output.String()))
	}
	return nil
}

// createDatabase runs the server on nothing but its standard input, so that the cluster is whole before it accepts
// connections.
func (s *Server) createDatabase(ctx context.Context, cluster *folder) error {
	cmd := s.account.command(s.programs.path("postgres"))
	cmd.Args = append(cmd.Args, "--single", "-D", cluster.hand(cmd), "postgres")
	if s.opts.Volatile {
		cmd.Args = append(cmd.Args, "-c", "fsync=off")
	}
	cmd.Stdin = strings.NewReader("CREATE DATABASE " + database + "\n")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := run(ctx, cmd); err != nil || strings.Contains(output.String(), "ERROR:") {
		return fmt.Errorf("make a database cluster: create the database: %w%s",
			errors.Join(err, errors.New("postgres --single")), lastLines(output.String()))
	}
	return nil
}

// clusterVersion returns the major version of the cluster in dir, "" when there is none.
func clusterVersion(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// loadPassword returns the superuser's password, made and kept on the first start.
func loadPassword(dir, clusterDir string) (string, error) {
	path := filepath.Join(dir, "postgres.password")
	text, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(text)) != "" {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the database password: %w", err)
	}
	if clusterVersion(clusterDir) != "" {
		return "", fmt.Errorf("%s holds a database but its password, %s, is missing: restore that file", clusterDir, path)
	}
	password := rand.Text()
	if err := writeFileDurably(path, password+"\n"); err != nil {
		return "", fmt.Errorf("keep the database password: %w", err)
	}
	return password, nil
}

// writeFileDurably replaces path such that a crash leaves either the old content or the new.
func writeFileDurably(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
