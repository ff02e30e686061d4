package e2e_test

import (
	"flag"
	"fmt"

	"github.com/fairseat/fairseat/localstack/rights"
)

// inexact compares what each function's role allows with what the tests made it
// use. Where tests were chosen, a right that was not used says nothing.
func inexact() error {
	whole := true
	for _, chosen := range []string{"test.run", "test.skip"} {
		whole = whole && flag.Lookup(chosen).Value.String() == ""
	}
	if fs := rights.Compare(stack.Stack, stack.Rights(), whole); len(fs) > 0 {
		return fmt.Errorf("rights are not exact: each must be granted and used\n%s", rights.Table(fs))
	}
	return nil
}
