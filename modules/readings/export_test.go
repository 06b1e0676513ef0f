package readings

import (
	"context"
	"io"
	"time"

	"telltale/modules/readings/deletion"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/modules/readings/render"
	"telltale/modules/series"
)

const (
	FewStates         = fewStates
	MaxDeletedDevices = maxDeletedDevices
	WantedName        = wantedName
)

type ReceiptAnswer = receiptAnswer

// Rendered returns an answer that is written to out, as one of a request is to its client.
func Rendered(format render.Format, out io.Writer) (answer *rendered, release func()) {
	answer = &rendered{format: format, out: out}
	return answer, answer.release
}

// Mark makes a deletion durable, and does not wait until it is carried out.
func (s *Service) Mark(ctx context.Context, wish deletion.Request) (seq, stamp int64, err error) {
	return s.mark(ctx, wish)
}

// Use has a service work with other parts.
func (s *Service) Use(queries *history.Engine, runner *fold.Runner, retention *series.Retention) {
	s.history, s.runner, s.retention = queries, runner, retention
}

// UseTimeout has the service wait for that long.
func (s *Service) UseTimeout(timeout time.Duration) { s.limits.QueryTimeout = timeout }
