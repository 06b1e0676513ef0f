package streaming

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/password"
	"telltale/modules/auth/signing"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/modules/streaming/saved"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// accounts is an instance whose requests are by the account of their credentials.
type accounts struct {
	*instance
	users  *users.Service
	keys   *keys.Service
	tokens *tokens.Service
}

func withAccounts(t *testing.T, db *postgres.DB) *accounts {
	t.Helper()
	cfg := config.Auth{Algorithm: "HS256", SecretKey: "a secret of the tests that is long enough", TokenLifetime: time.Hour}
	users, keys := users.New(db, password.NewHasher(password.Params), time.Now, zap.NewNop()), keys.New(db, time.Now, zap.NewNop())
	tokens, err := tokens.New(cfg, signing.NewSecrets(cfg, t.TempDir(), zap.NewNop()), nil, time.Now, zap.NewNop())
	require.NoError(t, err)
	guard := auth.NewGuard(users, keys, tokens, time.Now)
	i := start(t, db, func(o *options) { o.guard, o.checker = guard, guard })
	return &accounts{i, users, keys, tokens}
}

// by returns the instance as a caller with a token or key sees it.
func (i *instance) by(credentials string) *instance {
	same := *i
	same.bearer = credentials
	return &same
}

// user makes a user and logs in.
func (a *accounts) user(t *testing.T, name string) *instance {
	t.Helper()
	const password = "a fine password"
	_, err := a.users.Create(t.Context(), everyone, users.Draft{Username: name, Password: password, Scopes: []access.Scope{access.ReadingsRead}})
	require.NoError(t, err)
	user, account, err := a.users.Login(t.Context(), name, password, "")
	require.NoError(t, err)
	token, _, err := a.tokens.Issue(user.Username, account, user.Scopes)
	require.NoError(t, err)
	return a.by(token)
}

// key makes an API key.
func (a *accounts) key(t *testing.T, expires *time.Time) (*instance, string) {
	t.Helper()
	key, text, err := a.keys.Create(t.Context(), everyone, keys.Draft{Name: "anna", Scopes: []access.Scope{access.ReadingsRead}, ExpiresAt: expires})
	require.NoError(t, err)
	return a.by(text), key.ID
}

// save saves the same filter for everybody.
func (i *instance) save(t *testing.T) (kept saved.Filter) {
	t.Helper()
	status, text := i.do(t, "POST", "/stream/filters", `{"device":["a"]}`, &kept)
	require.Equal(t, http.StatusCreated, status, text)
	return kept
}

// owners returns whose filters there are.
func owners(t *testing.T, db *postgres.DB) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT owner FROM stream_filters ORDER BY owner`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

func TestSavedFilter_OfADeletedUserIsNotTheNextOnes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := withAccounts(t, db)
	anna, bob := a.user(t, "anna"), a.user(t, "bob")
	key, id := a.key(t, nil)
	outside := as(t, db, access.Principal{Subject: "anna", Scopes: []access.Scope{access.ReadingsRead}})
	kept := anna.save(t)
	for _, other := range []*instance{bob, key, outside} {
		require.NotEqual(t, kept.ID, other.save(t).ID)
	}
	require.Equal(t, []string{"key:" + id, "subject:anna", "user:anna", "user:bob"}, owners(t, db))

	elsewhere := withAccounts(t, db).by(anna.bearer) // knows the user, for some seconds
	elsewhere.save(t)
	require.NoError(t, a.users.Delete(t.Context(), everyone, "anna"))
	require.Equal(t, []string{"key:" + id, "subject:anna", "user:bob"}, owners(t, db))
	status, text := elsewhere.do(t, "POST", "/stream/filters", `{"device":["b"]}`, nil)
	require.Equal(t, http.StatusUnauthorized, status, text)

	anna = a.user(t, "anna")
	var list struct{ Filters []saved.Summary }
	anna.do(t, "GET", "/stream/filters", "", &list)
	require.Empty(t, list.Filters)
	status, _ = anna.do(t, "GET", "/stream/filters/"+kept.ID, "", nil)
	require.Equal(t, http.StatusNotFound, status)
	anna.save(t)
	require.Equal(t, []string{"key:" + id, "subject:anna", "user:anna", "user:bob"}, owners(t, db))
}

func TestAdministration_ShowsViewersToTheirAccountAloneIfDevicesAreHidden(t *testing.T) {
	t.Parallel()
	a := withAccounts(t, pgtest.New(t))
	open(t, a.url("access_token="+a.user(t, "anna").bearer), "")
	v := a.parked(t, 1)[0]
	narrow := v.request.Principal
	narrow.Devices = []string{"b"}
	require.Len(t, a.hub.Viewers(narrow), 1)
	narrow.Subject = "bob"
	require.Empty(t, a.hub.Viewers(narrow))
	require.Empty(t, a.hub.Viewers(access.Principal{Subject: "anna", Devices: narrow.Devices}), "another account's token for a subject of the same name")
}

func TestSavedFilter_OfAKeyEndsWithIt(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := withAccounts(t, db)
	later := time.Now().Add(time.Hour)
	revoked, revokedID := a.key(t, nil)
	expired, expiredID := a.key(t, &later)
	living, livingID := a.key(t, &later)
	for _, key := range []*instance{revoked, expired, living} {
		key.save(t)
	}
	require.NoError(t, a.keys.Revoke(t.Context(), everyone, revokedID))
	_, err := db.Exec(t.Context(), `UPDATE api_keys SET expires_at = now() WHERE id = $1`, expiredID)
	require.NoError(t, err)
	living.save(t)
	require.Equal(t, []string{"key:" + livingID}, owners(t, db))
}

// The first one saves no more than it has counted: all of them wait, while a transaction holds the user, before they are done.
func TestSavedFilter_LimitHoldsHoweverManyAreSavedAtOnce(t *testing.T) {
	t.Parallel()
	const attempts = 3
	cfg := pgtest.Config(t)
	db := pgtest.Open(t, cfg)
	anna := withAccounts(t, pgtest.Open(t, cfg)).user(t, "anna")
	_, err := db.Exec(t.Context(), `
INSERT INTO stream_filters (id, owner, username, body) SELECT n, 'user:anna', 'anna', '{}' FROM generate_series(2, $1) AS n`, mostSaved)
	require.NoError(t, err)
	statuses := make(chan int, attempts)
	var saving sync.WaitGroup
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT FROM users WHERE username = 'anna' FOR UPDATE`)
		require.NoError(t, err)
		for n := range attempts {
			saving.Go(func() {
				status, _ := anna.do(t, "POST", "/stream/filters", fmt.Sprintf(`{"device":["d%d"]}`, n), nil)
				statuses <- status
			})
		}
		require.Eventually(t, func() bool {
			var held int
			const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
			require.NoError(t, db.QueryRow(t.Context(), query).Scan(&held))
			return held == attempts
		}, waiting, tick)
		return nil
	}))
	saving.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusUnprocessableEntity: attempts - 1}, count)
	require.Len(t, owners(t, db), mostSaved)
}
