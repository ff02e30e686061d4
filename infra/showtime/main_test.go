package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

func TestParse(t *testing.T) {
	id, c, err := parse(strings.Fields("--show s --starts 2026-11-22T00:30:00+08:00 --price regular=45.00:CNY --price premium=5000:JPY --price loveseat=1.250:KWD"), io.Discard)
	if err != nil || id != "s" || c.LocalDate != "2026-11-22" || !c.StartsAt.Equal(time.Date(2026, 11, 21, 16, 30, 0, 0, time.UTC)) {
		t.Fatalf("%s, %+v, %v", id, c, err)
	}
	want := []money.Amount{{Minor: 4500, Currency: "CNY"}, {Minor: 5000, Currency: "JPY"}, {Minor: 1250, Currency: "KWD"}}
	for i, p := range c.Prices {
		if p.Amount != want[i] {
			t.Errorf("%v, want %v", p.Amount, want[i])
		}
	}
	if _, c, err := parse([]string{"--show", "s", "--cancel"}, io.Discard); err != nil || !c.Cancel || c.Prices != nil || c.LocalDate != "" {
		t.Errorf("cancel: %+v, %v", c, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{
		"", "--cancel", "--show s more", "--show s --starts tomorrow", "--show s --starts 2026-11-22T00:30:00",
		"--show s --price regular", "--show s --price regular=45:CNY", "--show s --price regular=45.0:CNY", "--show s --price regular=45.00:JPY",
		"--show s --price throne=45.00:CNY", "--show s --price regular=-45.00:CNY", "--show s --price regular=45.-1:CNY", "--show s --price regular=45.00", "--show s --price regular=45.00:cny",
	} {
		if id, c, err := parse(strings.Fields(line), io.Discard); err == nil {
			t.Errorf("%q: %s, %+v", line, id, c)
		}
	}
}

func TestNoTablesIsAClearError(t *testing.T) {
	for _, env := range []map[string]string{{}, {"CATALOG_TABLE": "c"}, {"SNAPSHOTS_TABLE": "s"}} {
		err := run(t.Context(), []string{"--show", "s", "--cancel"}, func(k string) string { return env[k] }, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "SNAPSHOTS_TABLE") {
			t.Errorf("%v: %v", env, err)
		}
	}
}
