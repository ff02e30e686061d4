package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

func TestPlanOfADeveloper(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := store.NewRegistry(memstore.New(memstore.Options{Clock: func() time.Time { return now }}))
	press, err := developer.NewPress("a secret of the tests")
	if err != nil {
		t.Fatal(err)
	}
	text := press.Text("u_ann", "k_1")
	i, _, err := developer.Book{}.Make("u_ann", developer.Wish{ID: "k_1", Name: "an app", Accepts: true}, text, now)
	if err == nil {
		err = r.Issue(t.Context(), i, now)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
		err  error
	}{
		{[]string{"u_ann"}, `u_ann, "an app": plan free, 60 calls a minute`, nil},
		{[]string{"u_ann", "standard"}, `plan standard, 1200 calls a minute`, nil},
		{[]string{"u_ann"}, `plan standard`, nil},
		{[]string{"u_bob"}, "", developer.ErrNoDeveloper},
		{[]string{"u_ann", "gold"}, "", errUsage},
		{nil, "", errUsage},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), r, tt.args, now, &out); !errors.Is(err, tt.err) || !strings.Contains(out.String(), tt.want) || strings.Contains(out.String(), string(text)) {
			t.Errorf("%v: %v\n%s", tt.args, err, out.String())
		}
	}
	if p, err := r.Pass(t.Context(), text.Hash()); err != nil || p.Plan != developer.Standard {
		t.Errorf("%+v, %v", p, err)
	}
}
