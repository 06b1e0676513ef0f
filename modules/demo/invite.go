package demo

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"
)

// invitation is what a newcomer can paste into a shell. The key in it may only read, and ends with the demo.
const invitation = `
The demo is running: %d devices, new readings every second. Try:

  KEY=%s    # may read the demo's devices, for a day or until the demo stops
  curl -H "Authorization: Bearer $KEY" '%s/api/devices?limit=3'
  curl -H "Authorization: Bearer $KEY" '%[3]s/api/devices?tag=greenhouse&search=house-1'
  curl -H "Authorization: Bearer $KEY" '%[3]s/api/readings/latest?device=greenhouse-01&device=pump-01'
  curl -H "Authorization: Bearer $KEY" '%[3]s/api/readings?device=greenhouse-01&metric=temperature&from=-24h&interval=1h&agg=min&agg=avg&agg=max'
  curl -H "Authorization: Bearer $KEY" '%[3]s/api/readings?device=coldstore-01&metric=door&from=-10m&format=csv'
  curl -N -H "Authorization: Bearer $KEY" '%[3]s/api/stream?device=weather-01'

Live page:         %[3]s/
API documentation: %[3]s/api/docs

`

// invite tells where to look. The demo is worth running without it.
func (s *Simulator) invite(ctx context.Context) {
	key, err := s.visitor.token(ctx)
	if err != nil {
		s.log.Warn("the demo has no visitor's login", zap.Error(err))
		return
	}
	text := fmt.Sprintf(strings.TrimPrefix(invitation, "\n"), len(s.fleet), key, s.api.address())
	_, _ = fmt.Fprint(s.out, "\n", text) // a closed stdout is no reason to stop
}
