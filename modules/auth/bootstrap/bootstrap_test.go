package bootstrap_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"telltale/config"
	"telltale/modules/auth/bootstrap"
	"telltale/modules/auth/password"
	"telltale/modules/auth/users"
	"telltale/modules/schema"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// announced is what one bootstrap told the operator.
type announced struct{ username, password string }

// bootstrapOn runs one to its end and returns what it announced.
func bootstrapOn(t *testing.T, db *postgres.DB, cfg config.Auth, embedded bool, dataDir string, log *zap.Logger) (b *bootstrap.Bootstrap, told []announced) {
	if cfg.Algorithm == "" {
		cfg.Algorithm = "HS256"
	}
	if cfg.AdminUsername == "" {
		cfg.AdminUsername = "admin"
	}
	b = bootstrap.New(cfg, embedded, dataDir, usersOf(db), db.Ready(), func(username, password string) {
		told = append(told, announced{username, password})
	}, log)
	require.Error(t, b.Check())
	require.NoError(t, b.Start(t.Context()))
	<-bootstrap.Ended(b)
	require.NoError(t, b.Stop(t.Context()))
	return b, told
}

func usersOf(db *postgres.DB) *users.Service {
	return users.New(db, password.NewHasher(password.Params), time.Now, zap.NewNop())
}

func canLogIn(t *testing.T, db *postgres.DB, username, password string) bool {
	_, _, err := usersOf(db).Login(t.Context(), username, password, "::1")
	return err == nil
}

func TestBootstrap_AnEmbeddedStartMakesAnAdministratorOnce(t *testing.T) {
	t.Parallel()
	db, dir := pgtest.New(t), t.TempDir()
	core, logs := observer.New(zap.DebugLevel)
	b, told := bootstrapOn(t, db, config.Auth{}, true, dir, zap.New(core))
	require.NoError(t, b.Check())
	require.Len(t, told, 1)
	require.Equal(t, "admin", told[0].username)
	require.GreaterOrEqual(t, len(told[0].password), 20)
	require.True(t, canLogIn(t, db, "admin", told[0].password))

	file := filepath.Join(dir, "admin-password")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, told[0].password+"\n", string(content))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	for _, entry := range logs.All() {
		require.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), told[0].password)
	}

	b, told = bootstrapOn(t, db, config.Auth{}, true, dir, zap.NewNop())
	require.NoError(t, b.Check())
	require.Empty(t, told)
}

func TestBootstrap_APasswordFileThatIsThereIsUsed(t *testing.T) {
	t.Parallel()
	db, dir := pgtest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "admin-password"), []byte("left by a crash\n"), 0o600))
	_, told := bootstrapOn(t, db, config.Auth{}, true, dir, zap.NewNop())
	require.Equal(t, []announced{{"admin", "left by a crash"}}, told)
}

func TestBootstrap_AConfiguredPasswordIsUsedOnceAndNeverOverwrites(t *testing.T) {
	t.Parallel()
	db, dir := pgtest.New(t), t.TempDir()
	_, told := bootstrapOn(t, db, config.Auth{AdminUsername: "chief", AdminPassword: "the first password"}, false, dir, zap.NewNop())
	require.Empty(t, told)
	require.True(t, canLogIn(t, db, "chief", "the first password"))
	core, logs := observer.New(zap.InfoLevel)
	b, _ := bootstrapOn(t, db, config.Auth{AdminUsername: "chief", AdminPassword: "a second password"}, false, dir, zap.New(core))
	require.NoError(t, b.Check())
	require.Equal(t, 1, logs.FilterMessageSnippet("ADMIN_PASSWORD is not used").Len())
	require.True(t, canLogIn(t, db, "chief", "the first password"))
	require.False(t, canLogIn(t, db, "chief", "a second password"))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestBootstrap_WithoutAPasswordTheOperatorIsToldWhatToSet(t *testing.T) {
	t.Parallel()
	db, dir := pgtest.New(t), t.TempDir()
	core, logs := observer.New(zap.InfoLevel)
	b, told := bootstrapOn(t, db, config.Auth{}, false, dir, zap.New(core))
	require.NoError(t, b.Check())
	require.Empty(t, told)
	require.Equal(t, 1, logs.FilterMessageSnippet("set ADMIN_PASSWORD").Len())
}

func TestBootstrap_AnAdministratorThatCannotBeIsReported(t *testing.T) {
	t.Parallel()
	db, dir := pgtest.New(t), t.TempDir()
	b, _ := bootstrapOn(t, db, config.Auth{AdminUsername: "the boss", AdminPassword: "short"}, false, dir, zap.NewNop())
	require.ErrorContains(t, b.Check(), "ADMIN_USERNAME")
	require.ErrorContains(t, b.Check(), "ADMIN_PASSWORD")
	require.NotContains(t, b.Check().Error(), "short")
}

func TestBootstrap_AnIdentityProviderBringsItsOwnUsers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	b, told := bootstrapOn(t, db, config.Auth{Algorithm: "RS256", JWKSURL: "http://127.0.0.1:1"}, true, t.TempDir(), zap.NewNop())
	require.NoError(t, b.Check())
	require.Empty(t, told)
}

func TestBootstrap_OfManyInstancesOneMakesTheAdministrator(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	told := make([][]announced, 4)
	var all sync.WaitGroup
	for n := range told {
		dir := t.TempDir()
		all.Go(func() { _, told[n] = bootstrapOn(t, db, config.Auth{}, true, dir, zap.NewNop()) })
	}
	all.Wait()
	var winners []announced
	for _, one := range told {
		winners = append(winners, one...)
	}
	require.Len(t, winners, 1)
	require.True(t, canLogIn(t, db, "admin", winners[0].password))
}

func TestBootstrap_StopsWhileItWaits(t *testing.T) {
	t.Parallel()
	db := postgres.New(config.DB{Host: "127.0.0.1", Port: 1}, t.TempDir(), schema.New(), nil)
	users := usersOf(db)
	for _, ready := range []<-chan struct{}{make(chan struct{}), closed()} {
		b := bootstrap.New(config.Auth{Algorithm: "HS256"}, false, t.TempDir(), users, ready, nil, zap.NewNop())
		require.NoError(t, b.Stop(t.Context()))
		require.NoError(t, b.Start(t.Context()))
		require.NoError(t, b.Stop(t.Context()))
		require.Error(t, b.Check())
	}
}

func closed() <-chan struct{} {
	ready := make(chan struct{})
	close(ready)
	return ready
}
