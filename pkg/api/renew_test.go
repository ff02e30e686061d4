package api

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/payment"
)

// turning is a bank whose keys change by themselves.
type turning struct {
	*bank
	asked *int
	err   error
}

func (b turning) Renew(context.Context) error { *b.asked++; return b.err }

// TestCallbackRenewsKeys: before each callback the provider may look at its clock, and
// a failure of that decides nothing.
func TestCallbackRenewsKeys(t *testing.T) {
	w := newWorld(t)
	asked := 0
	for i, err := range []error{nil, errors.New("no list")} {
		w.office.Provider = func(payment.Name) (payment.Provider, bool) { return turning{w.bank, &asked, err}, true }
		if a := w.do(want{method: "POST", path: "/callbacks/sandbox", body: `{}`}); a.StatusCode != 418 || asked != i+1 {
			t.Errorf("%d, asked %d times", a.StatusCode, asked)
		}
	}
	if log := w.log.String(); strings.Count(log, "keys not renewed") != 1 {
		t.Error(log)
	}
}
