package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/infra/proof/plant"
)

// defects are what a run must find when it is built into the functions.
var defects = map[string][]plant.Edit{
	"confirm-in-two": {plant.Replace("pkg/store/payments.go", `	return classify(s.t.Transact(ctx, []Write{
		{Key: holdKey(was.ID), Put: holdItem(next), Where: s.payable(was, now)},
		{Key: timerKey(was), Delete: true},
		paymentWrite(p),`, `	if err := s.t.Transact(ctx, []Write{
		{Key: holdKey(was.ID), Put: holdItem(next), Where: s.payable(was, now)},
		{Key: timerKey(was), Delete: true},
	}, ""); err != nil {
		return classify(err)
	}
	return classify(s.t.Transact(ctx, []Write{
		paymentWrite(p),`)},
	"hold-in-two": {plant.Replace("pkg/store/holds.go", `	return s.met(terms, s.taken(h, s.t.Transact(ctx, ws, "")))`, `	if err := s.taken(h, s.t.Transact(ctx, ws[:len(h.Seats)], "")); err != nil {
		return err
	}
	return s.met(terms, classify(s.t.Transact(ctx, ws[len(h.Seats):], "")))`)},
	"same-request-new-hold": {plant.Replace("pkg/boxoffice/reserve.go",
		"ID: booking.IDFor(w.Buyer, w.Key)", "ID: booking.IDFor(w.Buyer, w.Key+o.Clock().String())")},
	"acceptance-in-two": {plant.Replace("pkg/store/waiters.go", `	err := s.t.Transact(ctx, ws, "")
	var c *Canceled
	full := `, `	if err := s.t.Transact(ctx, ws[3:5], ""); err != nil {
		return classify(err)
	}
	err := s.t.Transact(ctx, slices.Delete(slices.Clone(ws), 3, 5), "")
	var c *Canceled
	full := `)},
	"release-keeps-the-allowance": {plant.Replace("pkg/store/holds.go",
		"Update: []Change{{Attr: aCount, Op: Add, To: -n}, noMore(was)}", "Update: []Change{{Attr: aCount, Op: Add, To: 0 * n}, noMore(was)}")},
}

// amnesia is a defect of the emulators: what they acknowledged dies with them.
const amnesia = "amnesia"

// demonstrate shows that the named defects, or all, are found.
func demonstrate(ctx context.Context, names string, p plan) error {
	all := append(slices.Sorted(maps.Keys(defects)), amnesia)
	list := strings.Split(names, ",")
	if names == "all" {
		list = all
	}
	var missed []error
	for _, name := range list {
		if !slices.Contains(all, name) {
			return fmt.Errorf("there is no defect %s, only %v", name, all)
		}
		planted := p
		if planted.forgets = name == amnesia; !planted.forgets {
			var err error
			if planted.template, err = plant.Build(ctx, p.root, name, defects[name]); err != nil {
				return err
			}
		}
		fmt.Fprintf(p.progress, "--- planted: %s\n", name)
		var found verdict
		switch err := prove(ctx, planted); {
		case errors.As(err, &found):
			fmt.Fprintf(p.progress, "--- found: %s: %.300s\n", name, found)
		case err != nil:
			return fmt.Errorf("defect %s was not judged: %w", name, err)
		default:
			missed = append(missed, fmt.Errorf("defect %s was not found", name))
		}
	}
	return errors.Join(missed...)
}
