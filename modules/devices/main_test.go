package devices

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/modules/schema"
	"telltale/modules/series"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New(), httpservertest.IgnoreClock()) }

var admin = access.Principal{Subject: "admin", Scopes: []access.Scope{access.Admin}}

// limitedTo returns a principal who may do anything to the devices given and sees no other.
func limitedTo(devices ...string) access.Principal {
	return access.Principal{Subject: "limited", Scopes: []access.Scope{access.DevicesRead, access.DevicesWrite}, Devices: append([]string{}, devices...)}
}

// fixture is a service over a database of its own.
type fixture struct {
	db       *postgres.DB
	registry *series.Registry
	service  *Service
}

func newFixture(t *testing.T) *fixture {
	db := pgtest.New(t)
	registry := series.NewRegistry(db)
	return &fixture{db, registry, NewService(db, registry, rowDeleter{db})}
}

// create makes devices with nothing but an id.
func (f *fixture) create(t *testing.T, ids ...string) {
	for _, id := range ids {
		_, err := f.service.Create(t.Context(), admin, Draft{ID: id})
		require.NoError(t, err)
	}
}

// report has a device report a value as soon as it has it, as the log would tell the registry.
func (f *fixture) report(t *testing.T, device, metric string, at time.Time, value float64) {
	f.arrive(t, at, device, metric, at, value)
}

// arrive is report for a value that arrives at another time than its own.
func (f *fixture) arrive(t *testing.T, arrived time.Time, device, metric string, at time.Time, value float64) {
	missing, err := f.registry.Register(t.Context(), []series.Name{{Device: device, Metric: metric}}, true)
	require.NoError(t, err)
	require.Empty(t, missing)
	id, ok := f.registry.Find(device, metric)
	require.True(t, ok)
	f.registry.Observe(1, arrived, []int32{id}, []int64{at.UnixMilli()}, []float64{value})
}

// as serves the API to a principal.
func (f *fixture) as(t *testing.T, p access.Principal) client {
	server := httpservertest.Serve(t, []httpapi.Routes{Routes(f.service, authtest.As(p))})
	return client{t, server.URL, server.Client}
}

// rowDeleter deletes a device that has no readings stored.
type rowDeleter struct{ db *postgres.DB }

func (d rowDeleter) DeleteDevice(ctx context.Context, device string) error {
	return d.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		var id string
		err := tx.QueryRow(ctx, `SELECT id FROM devices WHERE id = $1 FOR UPDATE`, device).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound(device)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM series WHERE device_id = $1`, device); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM devices WHERE id = $1`, device)
		return err
	})
}

// client calls the API at a base URL.
type client struct {
	t    *testing.T
	base string
	http *http.Client
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem is the part of an error answer that tests look at.
type problem struct {
	Detail string `json:"detail"`
	Errors []struct{ Field, Reason string }
}

func (a answer) problem(t *testing.T) (p problem) {
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal([]byte(a.body), &p))
	return p
}

// fields returns the names of the fields at fault.
func (a answer) fields(t *testing.T) []string {
	var names []string
	for _, e := range a.problem(t).Errors {
		names = append(names, e.Field)
	}
	return names
}

func (a answer) list(t *testing.T) (page pageAnswer) {
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &page))
	return page
}

func (c client) do(method, path, contentType, body string) answer {
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewBufferString(body))
	require.NoError(c.t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	require.NoError(c.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

func (c client) get(path string) answer    { return c.do(http.MethodGet, path, "", "") }
func (c client) delete(path string) answer { return c.do(http.MethodDelete, path, "", "") }

func (c client) post(body string) answer {
	return c.do(http.MethodPost, "/api/devices", "application/json", body)
}

func (c client) patch(path, body string) answer {
	return c.do(http.MethodPatch, path, "application/json", body)
}

// ids follows the cursor to the end and returns the ids of all pages.
func (c client) ids(query string) []string {
	all := []string{}
	for cursor := ""; ; {
		page := c.get("/api/devices?" + query + cursor).list(c.t)
		for _, device := range page.Devices {
			all = append(all, device.ID)
		}
		if page.NextCursor == nil {
			return all
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}
