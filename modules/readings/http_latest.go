package readings

import (
	"io"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/readings/history"
	"telltale/modules/readings/render"
	"telltale/modules/series"
	"telltale/platform/httpserver"
)

// fewStates is how many series the newest readings are written of at once; about 25 KB.
const fewStates = 256

func (h handlers) latest(c *fiber.Ctx) error {
	wanted, err := history.ParseLatest(history.SelectionParameters.Read(c))
	if err != nil {
		return err
	}
	states, err := h.service.history.Latest(c.UserContext(), auth.PrincipalOf(c), wanted)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if len(states) <= fewStates {
		body := append(make([]byte, 0, 128*len(states)+16), latestBegin...)
		c.Response().SetBodyRaw(append(appendStates(body, states), latestEnd...))
		return nil
	}
	return httpserver.StreamCompressed(c, func(out io.Writer) error { return writeLatest(out, states) })
}

// What comes before and behind the newest readings.
const (
	latestBegin = `{"series":[`
	latestEnd   = `]}`
)

// writeLatest writes the JSON of an answer about the newest readings, some series at a time.
func writeLatest(out io.Writer, states []series.State) error {
	b := []byte(latestBegin)
	for len(states) > 0 {
		n := min(fewStates, len(states))
		b = appendStates(b, states[:n])
		if states = states[n:]; len(states) > 0 {
			b = append(b, ',')
		}
		if _, err := out.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	_, err := io.WriteString(out, latestEnd)
	return err
}

// appendStates appends the newest readings of series, with commas in between.
func appendStates(b []byte, states []series.State) []byte {
	for i, s := range states {
		if i > 0 {
			b = append(b, ',')
		}
		b = render.AppendString(append(b, `{"device":`...), s.Device)
		b = render.AppendString(append(b, `,"metric":`...), s.Metric)
		b = render.AppendString(append(b, `,"unit":`...), s.Unit)
		b = strconv.AppendInt(append(b, `,"ts":`...), s.LastTS, 10)
		b = render.AppendFloat(append(b, `,"value":`...), s.LastValue)
		b = append(b, '}')
	}
	return b
}
