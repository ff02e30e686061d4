package e2e_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/localstack/rights"
)

// inexact compares what each function's role allows with what the tests made it
// use. Where tests were chosen, a right that was not used says nothing.
func inexact() error {
	whole := true
	for _, chosen := range []string{"test.run", "test.skip"} {
		whole = whole && flag.Lookup(chosen).Value.String() == ""
	}
	fs := slices.DeleteFunc(rights.Compare(stack.Stack, stack.Rights(), whole), seldom)
	if len(fs) > 0 {
		return fmt.Errorf("rights are not exact: each must be granted and used\n%s", rights.Table(fs))
	}
	return nil
}

// seldom is a right to make the key of a month: of all functions and tests that seal
// the first alone uses it.
func seldom(f rights.Finding) bool {
	makes := f.Action == "kms:GenerateDataKey" || f.Action == "dynamodb:PutItem" && strings.Contains(f.Resource, "Keys")
	return makes && f.Granted == "yes"
}
