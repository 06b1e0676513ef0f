package httpapp

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"telltale/platform/fault"
	"telltale/platform/health"
	"telltale/platform/httpserver"
	"telltale/platform/version"
)

// healthRoutes answers whether the program is alive and ready, from memory.
type healthRoutes struct {
	log    *zap.Logger
	drain  *httpserver.Drain
	probes []health.Probe
	began  time.Time

	mu    sync.Mutex
	known map[string]*verdict // by the probe's name
}

// verdict is what a probe has said, so that a change is logged once.
type verdict struct {
	asked  time.Time // first
	failed time.Time // since when it fails, as far as was seen here; zero when it passes
	passed bool      // ever
	logged string    // the reason why it fails, "" when it passes
}

// startTime is how long a probe may fail, from when it was first asked, before the log says so, if it has not passed yet: it
// waits for another part that still starts. What goes wrong meanwhile is for the part itself to log.
const startTime = 30 * time.Second

// healthAnswer is the body of every health answer.
type healthAnswer struct {
	// Status is "ok", "unavailable" or "stopping".
	Status  string `json:"status"`
	Version string `json:"version"`
	// Uptime is in whole seconds.
	Uptime int64 `json:"uptime_seconds"`
	// Since is when the oldest failure among the checks began, Reasons what they say; absent when all is well.
	Since   *time.Time             `json:"since,omitempty"`
	Reasons []string               `json:"reasons,omitempty"`
	Checks  map[string]checkAnswer `json:"checks"`
}

type checkAnswer struct {
	Status string         `json:"status"`
	Reason string         `json:"reason,omitempty"`
	Since  *time.Time     `json:"since,omitempty"`
	Detail map[string]any `json:"detail,omitempty"`
}

// newHealth returns the health of a program with the probes given; its uptime begins now.
func newHealth(log *zap.Logger, drain *httpserver.Drain, probes ...health.Probe) *healthRoutes {
	sorted := slices.Clone(probes)
	slices.SortFunc(sorted, func(a, b health.Probe) int { return strings.Compare(a.Name, b.Name) })
	return &healthRoutes{log: log, drain: drain, probes: sorted, began: time.Now(), known: make(map[string]*verdict)}
}

// mount serves /health and /readyz (503 unless every probe passes) and /livez (200 as long as the process serves), at
// the root, where orchestrators look, and under /api, where the documentation is. They need no credentials.
func (h *healthRoutes) mount(app *fiber.App) {
	for _, prefix := range []string{"", "/api"} {
		app.Get(prefix+"/health", h.ready)
		app.Get(prefix+"/readyz", h.ready)
		app.Get(prefix+"/livez", h.live)
	}
}

func (h *healthRoutes) live(c *fiber.Ctx) error {
	return c.JSON(h.answer("ok", map[string]checkAnswer{}))
}

func (h *healthRoutes) ready(c *fiber.Ctx) error {
	answer := h.answer("ok", make(map[string]checkAnswer, len(h.probes)))
	for _, probe := range h.probes {
		check := h.ask(probe)
		if answer.Checks[probe.Name] = check; check.Status == "ok" {
			continue
		}
		answer.Status = "unavailable"
		answer.Reasons = append(answer.Reasons, probe.Name+": "+check.Reason)
		if answer.Since == nil || check.Since.Before(*answer.Since) {
			answer.Since = check.Since
		}
	}
	if h.drain.Active() {
		answer.Status = "stopping"
	}
	if answer.Status != "ok" {
		c.Set(fiber.HeaderRetryAfter, "1")
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.JSON(answer)
}

func (h *healthRoutes) answer(status string, checks map[string]checkAnswer) healthAnswer {
	return healthAnswer{
		Status: status, Version: version.Number(), Uptime: int64(time.Since(h.began).Seconds()), Checks: checks,
	}
}

func (h *healthRoutes) ask(probe health.Probe) checkAnswer {
	detail, err := probe.Check()
	since := h.note(probe.Name, err)
	if err == nil {
		return checkAnswer{Status: "ok", Detail: detail}
	}
	if failing, ok := errors.AsType[*health.Failing](err); ok {
		since = failing.Since
	}
	since = since.UTC().Truncate(time.Millisecond)
	return checkAnswer{Status: "unavailable", Reason: publicReason(err), Since: &since, Detail: detail}
}

// publicReason keeps addresses and user names, which errors of connections are full of, out of an answer that needs no
// credentials. Only a fault's message is meant for everybody.
func publicReason(err error) string {
	if f := fault.As(err); f != nil && f.Kind != fault.Internal {
		return f.Message
	}
	return "not ready; the server's log says why"
}

// withoutNumbers makes one text of those that tell the same with other numbers, so that the log is told once.
func withoutNumbers(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// note logs a probe's change of state, and returns since when it has been seen to fail.
func (h *healthRoutes) note(name string, err error) (since time.Time) {
	reason := ""
	if err != nil {
		reason = withoutNumbers(err.Error())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.known[name]
	if v == nil {
		v = &verdict{asked: time.Now()}
		h.known[name] = v
	}
	v.passed = v.passed || err == nil
	switch {
	case err == nil:
		v.failed = time.Time{}
	case v.failed.IsZero():
		v.failed = time.Now()
	}
	before := v.logged
	if !v.passed && time.Since(v.asked) < startTime {
		return v.failed
	}
	v.logged = reason
	switch reason {
	case before:
	case "":
		h.log.Info("ready again", zap.String("check", name))
	default:
		h.log.Warn("not ready", zap.String("check", name), zap.Error(err))
	}
	return v.failed
}
