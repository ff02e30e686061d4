package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/infra/proof/stage"
)

// edit is one place of the product's code, which must be there once.
type edit struct{ file, old, planted string }

// defects are what a run must find when it is built into the functions.
var defects = map[string][]edit{
	"claims-unconditionally": {{
		"pkg/store/holds.go", "Put: Item{aOwner: claimOwner(h)}, Where: Absent{},", "Put: Item{aOwner: claimOwner(h)},",
	}},
	"no-grace": {
		{"pkg/booking/booking.go", "!now.Before(h.ExpiresAt.Add(p.Grace))", "!now.Before(h.ExpiresAt)"},
		{"pkg/store/holds.go", "e.Hold.EndedAt.Add(-s.policy.Grace).UnixMilli()", "e.Hold.EndedAt.UnixMilli()"},
	},
	"release-forgets-a-seat": {{
		"pkg/store/holds.go", "range e.Free {", "range e.Free[:max(min(1, len(e.Free)), len(e.Free)-1)] {",
	}},
	"snapshot-refuses": {{
		"pkg/boxoffice/reserve.go", "	if s.show.SingleGap {", `	if m, err := o.mapFor(ctx, s); err == nil {
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
	}},
	"late-money-in-place": {
		{"pkg/booking/booking.go", "		if h.Overdue(p, now) {\n			return ErrHoldExpired\n		}\n		return nil", "		return nil"},
		{"pkg/boxoffice/settle.go", "	case c.hold.Overdue(p, now):\n		return payment.HoldOverdue\n", ""},
		{"pkg/store/payments.go", "Put: holdItem(next), Where: s.payable(was, now)},\n\t\t{Key: timerKey(was)", "Put: holdItem(next), Where: asRead(was)},\n\t\t{Key: timerKey(was)"},
	},
}

// plant builds the functions with the defect beside a copy of the template.
func plant(ctx context.Context, root, name string) (template string, err error) {
	dir := filepath.Join(root, ".build", "planted", name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, e := range defects[name] {
		path := filepath.Join(root, e.file)
		from := path
		if earlier, again := overlay.Replace[path]; again {
			from = earlier
		}
		src, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if bytes.Count(src, []byte(e.old)) != 1 {
			return "", fmt.Errorf("defect %s: %s does not hold %q once", name, e.file, e.old)
		}
		to := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := write(to, bytes.Replace(src, []byte(e.old), []byte(e.planted), 1)); err != nil {
			return "", err
		}
		overlay.Replace[path] = to
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := write(file, list); err != nil {
		return "", err
	}
	if err := build(ctx, root, dir, file); err != nil {
		return "", fmt.Errorf("defect %s: %w", name, err)
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return "", err
	}
	template = filepath.Join(dir, "template.yaml")
	return template, write(template, text)
}

func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// build compiles into the places that the template names.
func build(ctx context.Context, root, dir, overlay string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-tags", "lambda.norpc", "-o", bin, "./functions/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	names, err := os.ReadDir(bin)
	if err != nil {
		return err
	}
	for _, n := range names {
		to := filepath.Join(dir, ".build", "functions", n.Name())
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(bin, n.Name()), filepath.Join(to, "bootstrap")); err != nil {
			return err
		}
	}
	return nil
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
		template, err := plant(ctx, c.Root, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.progress, "--- planted: %s\n", name)
		planted := c
		planted.Template = template
		var found violations
		switch err := prove(ctx, p, planted); {
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
