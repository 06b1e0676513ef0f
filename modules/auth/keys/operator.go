package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
)

// operator is the maker that lists name for keys made on the command line. No user name has spaces.
const operator = "telltale key create"

// CreateByOperator makes a key for the operator of the machine, who needs no credentials, and returns its text, which is
// never to be had again. Its errors name flags of the command.
func (k *Service) CreateByOperator(ctx context.Context, key Draft) (string, error) {
	if wrong := fault.As(k.Validate(key)); wrong != nil {
		return "", flagFaults(wrong)
	}
	_, text, err := k.Create(ctx, access.Principal{Subject: operator, Scopes: []access.Scope{access.Admin}}, key)
	return text, err
}

// flagFaults names the fields of a key as the flags of the command do.
func flagFaults(wrong *fault.Fault) error {
	var errs []error
	for _, field := range wrong.Fields {
		name, _, _ := strings.Cut(field.Name, "[")
		errs = append(errs, errors.New("--"+strings.TrimSuffix(name, "s")+" "+field.Reason))
	}
	if wrong.Unlisted > 0 {
		errs = append(errs, fmt.Errorf("and %d more", wrong.Unlisted))
	}
	return errors.Join(errs...)
}
