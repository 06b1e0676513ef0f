//go:build e2e

package acceptance

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// furnish registers devices of every kind that a page has to cope with, and stores readings of the last day for them: a name of 60
// characters, metrics with and without a unit, a constant, one spike of 10⁹, states, a sensor that has fallen silent, one that has
// never sent anything, and n ordinary ones.
func (p *program) furnish(n int) {
	p.t.Helper()
	now := time.Now().UTC().Truncate(time.Minute)
	var body strings.Builder
	put := func(device, metric string, at time.Time, value float64) {
		fmt.Fprintf(&body, `{"device":%q,"ts":%d,"values":{%q:%g}}`+"\n", device, at.UnixMilli(), metric, value)
	}
	for minute := range 24 * 60 / 5 {
		at := now.Add(-time.Duration(5*minute) * time.Minute)
		wave := math.Round(100*math.Sin(float64(minute)/20)) / 10
		put("greenhouse-1", "temperature", at, 21.5+wave)
		put("greenhouse-1", "humidity", at, 60-2*wave)
		put("greenhouse-1", "door", at, float64(minute/20%2))
		put("constant", "level", at, 5)
		put("spike", "pressure", at, 1013+map[bool]float64{true: 1e9}[minute == 100])
		put(longName, "rate", at, 1000+10*wave)
		if minute > 60 {
			put("silent", "temperature", at, 4+wave)
		}
	}
	for i := range n {
		put(fmt.Sprintf("sensor-%04d", i), "temperature", now.Add(-time.Duration(i%50)*time.Second), float64(i%40))
	}
	p.call("POST", "/api/readings", "application/x-ndjson", body.String(), nil)
	p.call("PATCH", "/api/devices/greenhouse-1", "application/json",
		`{"name":"Greenhouse 1","tags":["climate","south"],"units":{"temperature":"°C","humidity":"%"}}`, nil)
	p.call("PATCH", "/api/devices/"+longName, "application/json",
		`{"name":"Durchflussmengenmesser im Untergeschoss des Verwaltungsgebäudes","tags":["Warmwasserbereitungsanlage"]}`, nil)
	require.Equal(p.t, 201, p.status("POST", "/api/devices", `{"id":"never-seen","name":"Not mounted yet"}`))
}

const longName = "durchflussmengenmesser-untergeschoss-verwaltungsgebaeude-007"

// status sends JSON and returns the status of the answer.
func (p *program) status(method, path, body string) int {
	p.t.Helper()
	status, _, err := p.try(method, path, "application/json", strings.NewReader(body))
	require.NoError(p.t, err)
	return status
}

// person makes a user with those scopes and devices, none for all.
func (p *program) person(name string, scopes, devices []string) {
	p.t.Helper()
	user := map[string]any{"username": name, "password": adminPassword, "scopes": scopes}
	if devices != nil {
		user["devices"] = devices
	}
	body, err := json.Marshal(user)
	require.NoError(p.t, err)
	status, answer, err := p.try("POST", "/api/auth/users", "application/json", strings.NewReader(string(body)))
	require.NoError(p.t, err)
	require.Equal(p.t, 201, status, string(answer))
}
