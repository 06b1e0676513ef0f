package httpserver

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"telltale/platform/fault"
	"telltale/platform/health"
	"telltale/platform/version"
)

// Health answers whether the program is alive and ready, from memory.
type Health struct {
	log    *zap.Logger
	drain  *Drain
	probes []health.Probe
	began  time.Time

	mu    sync.Mutex
	known map[string]*verdict // by the probe's name
}

// verdict is what a probe has said, so that a change is logged once.
type verdict struct {
	asked  time.Time // first
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
	Uptime int64                  `json:"uptime_seconds"`
	Checks map[string]checkAnswer `json:"checks"`
}

type checkAnswer struct {
	Status string         `json:"status"`
	Reason string         `json:"reason,omitempty"`
	Detail map[string]any `json:"detail,omitempty"`
}

// NewHealth returns the health of a program with the probes given; its uptime begins now.
func NewHealth(log *zap.Logger, drain *Drain, probes ...health.Probe) *Health {
	sorted := slices.Clone(probes)
	slices.SortFunc(sorted, func(a, b health.Probe) int { return strings.Compare(a.Name, b.Name) })
	return &Health{log: log, drain: drain, probes: sorted, began: time.Now(), known: make(map[string]*verdict)}
}

// Mount serves /health and /readyz (503 unless every probe passes) and /livez (200 as long as the process serves), at
// the root, where orchestrators look, and under /api, where the documentation is. They need no credentials.
func (h *Health) Mount(app *fiber.App) {
	for _, prefix := range []string{"", "/api"} {
		app.Get(prefix+"/health", h.ready)
		app.Get(prefix+"/readyz", h.ready)
		app.Get(prefix+"/livez", h.live)
	}
}

func (h *Health) live(c *fiber.Ctx) error {
	return c.JSON(h.answer("ok", map[string]checkAnswer{}))
}

func (h *Health) ready(c *fiber.Ctx) error {
	status, checks := "ok", make(map[string]checkAnswer, len(h.probes))
	for _, probe := range h.probes {
		check := h.ask(probe)
		if checks[probe.Name] = check; check.Status != "ok" {
			status = "unavailable"
		}
	}
	if h.drain.Active() {
		status = "stopping"
	}
	if status != "ok" {
		c.Set(fiber.HeaderRetryAfter, retryAfter(0))
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.JSON(h.answer(status, checks))
}

func (h *Health) answer(status string, checks map[string]checkAnswer) healthAnswer {
	return healthAnswer{
		Status: status, Version: version.Number(), Uptime: int64(time.Since(h.began).Seconds()), Checks: checks,
	}
}

func (h *Health) ask(probe health.Probe) checkAnswer {
	detail, err := probe.Check()
	h.note(probe.Name, err)
	if err == nil {
		return checkAnswer{Status: "ok", Detail: detail}
	}
	return checkAnswer{Status: "unavailable", Reason: publicReason(err), Detail: detail}
}

// publicReason keeps addresses and user names, which errors of connections are full of, out of an answer that needs no
// credentials. Only a fault's message is meant for everybody.
func publicReason(err error) string {
	if f := fault.As(err); f != nil && f.Kind != fault.Internal {
		return f.Message
	}
	return "not ready; the server's log says why"
}

// note logs a probe's change of state.
func (h *Health) note(name string, err error) {
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.known[name]
	if v == nil {
		v = &verdict{asked: time.Now()}
		h.known[name] = v
	}
	v.passed = v.passed || err == nil
	before := v.logged
	if !v.passed && time.Since(v.asked) < startTime {
		return
	}
	v.logged = reason
	switch reason {
	case before:
	case "":
		h.log.Info("ready again", zap.String("check", name))
	default:
		h.log.Warn("not ready", zap.String("check", name), zap.Error(err))
	}
}
