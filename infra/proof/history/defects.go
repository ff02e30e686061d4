package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/infra/proof/plant"
	"github.com/fairseat/fairseat/infra/proof/stage"
)

// defects are what a run must find when it is built into the functions.
var defects = func() map[string][]plant.Edit {
	all := maps.Clone(rowDefects)
	maps.Copy(all, lineDefects)
	return all
}()

// rowDefects are of holds.
var rowDefects = map[string][]plant.Edit{
	"claims-unconditionally": {plant.Replace(
		"pkg/store/holds.go", "Put: claim, Where: Absent{}}", "Put: claim}",
	)},
	"no-grace": {
		plant.Replace("pkg/booking/booking.go", "!now.Before(h.ExpiresAt.Add(p.Grace))", "!now.Before(h.ExpiresAt)"),
		plant.Replace("pkg/store/holds.go", "e.Hold.EndedAt.Add(-s.policy.Grace).UnixMilli()", "e.Hold.EndedAt.UnixMilli()"),
	},
	"release-forgets-a-seat": {plant.Replace(
		"pkg/store/holds.go", "range e.Free {", "range e.Free[:max(min(1, len(e.Free)), len(e.Free)-1)] {",
	)},
	"snapshot-refuses": {plant.Replace(
		"pkg/boxoffice/reserve.go", "	if s.show.SingleGap {", `	if m, err := o.SeatMap(ctx, s.show.ID); err == nil {
		var cs []booking.Conflict
		for _, i := range chosen {
			switch m.Seats.Get(i) {
			case seatmap.Held:
				cs = append(cs, booking.Conflict{Seat: s.layout.At(i).ID, Reason: booking.StandingHeld})
			case seatmap.Sold:
				cs = append(cs, booking.Conflict{Seat: s.layout.At(i).ID, Reason: booking.StandingSold})
			}
		}
		if len(cs) > 0 {
			return booking.Hold{}, &booking.Refusal{Reason: booking.ErrUnavailable, Conflicts: cs, Next: booking.ChooseOther}
		}
	}
	if s.show.SingleGap {`,
	)},
	"late-money-in-place": {
		plant.Replace("pkg/booking/booking.go", "		if h.Overdue(p, now) {\n			return ErrHoldExpired\n		}\n		return nil", "		return nil"),
		plant.Replace("pkg/boxoffice/settle.go", "	case c.hold.Overdue(p, now):\n		return payment.HoldOverdue\n", ""),
		plant.Replace("pkg/store/payments.go", "Put: holdItem(next), Where: s.payable(was, now)},\n\t\t{Key: timerKey(was)", "Put: holdItem(next), Where: asRead(was)},\n\t\t{Key: timerKey(was)"),
	},
}

// demonstrate shows that the named defects, or all, are found.
func demonstrate(ctx context.Context, names string, p plan, c stage.Config) error {
	list := strings.Split(names, ",")
	if names == "all" {
		list = slices.Sorted(maps.Keys(defects))
	}
	var missed []error
	for _, name := range list {
		if defects[name] == nil {
			return fmt.Errorf("there is no defect %s, only %v", name, slices.Sorted(maps.Keys(defects)))
		}
		template, err := plant.Build(ctx, c.Root, name, defects[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(p.progress, "--- planted: %s\n", name)
		planted := c
		planted.Template = template
		var found violations
		switch _, err := prove(ctx, p, planted); {
		case errors.As(err, &found):
			fmt.Fprintf(p.progress, "--- found: %s\n", name)
		case err != nil:
			return err
		default:
			missed = append(missed, fmt.Errorf("defect %s was not found", name))
		}
	}
	return errors.Join(missed...)
}
