package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestSQLState_SaysHowARequestEnds(t *testing.T) {
	t.Parallel()
	db := openNarrow(t, func(*config.DB) {})
	for code, want := range map[string]fault.Kind{
		"08006": fault.Unavailable, "08003": fault.Unavailable, "08P01": fault.Unavailable,
		"22003": fault.Internal, "23503": fault.Internal, "23505": fault.Internal, "23514": fault.Internal,
		"25006": fault.Unavailable, "25P03": fault.Unavailable, "28000": fault.Unavailable, "28P01": fault.Unavailable,
		"40001": fault.Unavailable, "40P01": fault.Unavailable, "42501": fault.Unavailable, "42601": fault.Internal, "42P01": fault.Internal,
		"53000": fault.Unavailable, "53100": fault.Unavailable, "53200": fault.Unavailable, "53300": fault.Unavailable, "53400": fault.Unavailable,
		"55006": fault.Unavailable, "55P03": fault.Unavailable,
		"57014": fault.Unavailable, "57P01": fault.Unavailable, "57P02": fault.Unavailable, "57P03": fault.Unavailable, "57P05": fault.Unavailable,
		"58030": fault.Unavailable, "XX000": fault.Internal, "XX001": fault.Internal,
	} {
		_, err := db.Exec(t.Context(), fmt.Sprintf(`DO $$ BEGIN RAISE 'secret text' USING ERRCODE = '%s'; END $$`, code))
		require.Equal(t, want, fault.KindOf(err), code)
		require.Equal(t, code, postgres.Code(err))
		require.True(t, postgres.Is(err, "00000", code))
		require.ErrorContains(t, err, "secret text", "for the log")
		if want == fault.Unavailable {
			require.NotContains(t, fault.As(err).Message, "secret text")
			require.Positive(t, fault.As(err).RetryAfter, code)
			require.True(t, postgres.Curable(code), code)
		} else {
			require.Equal(t, zapcore.ErrorLevel, postgres.Level(err), code)
		}
	}
}

func TestSQLState_UnknownOnesAreMistakes(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"", "5", "99999", "P0001", "0A000"} {
		require.Equal(t, fault.Internal, postgres.KindOf(code), code)
		require.False(t, postgres.Curable(code), code)
	}
}

// The server of the tests grants this role no more than one connection.
func TestTooManyConnections_AreWaitedForWithinThePoolsLimit(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	admin, _ := open(t, m.cfg)
	awaitReady(t, admin)
	_, err := admin.Exec(t.Context(), `CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1; GRANT SELECT ON ALL TABLES IN SCHEMA public TO narrow`)
	require.NoError(t, err)
	wire, cfg := pgtest.OverWire(t, m.cfg)
	cfg.Password = "narrow"
	cfg.Username, cfg.MinConnections, cfg.MaxConnections = "narrow", 0, 4
	db, _ := open(t, cfg)
	awaitReady(t, db)
	first := make(chan struct{})
	held, free := make(chan struct{}), make(chan error, 1)
	go func() {
		free <- db.WithConn(t.Context(), holdUntil(held, first))
	}()
	<-held
	const refusals = 5 // more than the supervisor meets meanwhile
	second, before := make(chan error, 1), wire.Calls()
	go func() {
		_, err := db.Exec(t.Context(), "SELECT 1")
		second <- err
	}()
	require.Eventually(t, func() bool { return wire.Calls() >= before+refusals }, patience, 10*time.Millisecond)
	close(first)
	require.NoError(t, <-free)
	require.NoError(t, <-second)
}

// holdUntil holds a connection, which it says that it has, until it is told to give it back.
func holdUntil(held chan<- struct{}, end <-chan struct{}) func(*pgx.Conn) error {
	return func(*pgx.Conn) error {
		close(held)
		<-end
		return nil
	}
}
