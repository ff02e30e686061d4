package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// soak plays all days and those after, in which the last shows are shut, and judges.
func (w *world) soak(out io.Writer) error {
	heads(out)
	whole := w.plan.Days + 2
	for n := 1; n <= whole; n++ {
		w.run(epoch.Add(time.Duration(n) * 24 * time.Hour))
		if w.broken != nil {
			return w.broken
		}
		w.ledger.close(n)
		if w.broken != nil {
			return w.broken
		}
		w.ledger.tell(out)
	}
	w.summary(out)
	return errors.Join(w.ledger.archivedAll(), w.ledger.flat(out))
}

// archivedAll: when all shows are shut no row is left at all.
func (l *ledger) archivedAll() error {
	for kind, n := range l.rows {
		if n != 0 {
			return fmt.Errorf("AgesOut: %d rows of %s are left when all is over", n, kind)
		}
	}
	if len(l.w.shows) > 0 {
		return fmt.Errorf("%d shows were never shut", len(l.w.shows))
	}
	return nil
}

const columns = "%3v %5v %5v|%6v %6v %5v %6v %4v|%6v %6v %5v %5v %5v %5v %5v %5v|%6v %4v %12v %10v|%6v %6v %6v|%6v %4v\n"

func heads(out io.Writer) {
	fmt.Fprintf(out, columns, "day", "sales", "over", "holds", "sold", "rel", "exp", "late", "joined", "offer", "acc", "decl", "lapse", "left", "infea", "timed",
		"capt", "back", "tickets", "refunded", "ages", "month", "kept", "KiB", "gor")
}

// tell prints what the last day brought, and what there is at its end.
func (l *ledger) tell(out io.Writer) {
	d := l.days[len(l.days)-1]
	was := day{}
	if len(l.days) > 1 {
		was = l.days[len(l.days)-2]
	}
	s, p := d.sums, was.sums
	fmt.Fprintf(out, columns, d.n, d.figures.begun-was.figures.begun, d.figures.over-was.figures.over,
		s.held-p.held, s.sold-p.sold, s.released-p.released, s.expired-p.expired, s.regranted-p.regranted,
		s.joined-p.joined, s.offered-p.offered, s.accepted-p.accepted, s.declined-p.declined, s.lapsed-p.lapsed, s.left-p.left, s.infeasible-p.infeasible, s.timedOut-p.timedOut,
		d.bank[0]-was.bank[0], d.bank[1]-was.bank[1], cents(d.tickets-was.tickets), cents(d.bank[3]-was.bank[3]),
		d.total(agesOut), d.total(month), d.total(kept), d.heap>>10, d.goroutines)
}

func (w *world) summary(out io.Writer) {
	f, s := w.figures, w.ledger.sums
	fmt.Fprintf(out, "\n%d people, %d invocations, %d calls of the store, %d messages; %d calls went wrong, %d instances died, %d messages were lost, %d died\n",
		f.walkUps, f.invocations, f.calls, f.messages, f.faulted, f.killed, f.lostMessages, f.deadLetters)
	fmt.Fprintf(out, "%d joined = %d accepted + %d declined + %d lapsed + %d left + %d infeasible + %d timed out; %d were passed as the organiser allows, 0 against the order\n",
		s.joined, s.accepted, s.declined, s.lapsed, s.left, s.infeasible, s.timedOut, s.past)
	fmt.Fprintf(out, "captured %s − refunded %s = tickets %s; %d rows archived\n%d lines were left untidy, whose last message was lost\n", cents(w.bank.Captured), cents(w.bank.Refunded), cents(w.ledger.sums.kept), s.archived, s.untidy)
}

// series are what must not grow, in the days between the first, while the first
// sales fill the tables, and the last, when no more open.
func (l *ledger) flat(out io.Writer) error {
	const first, last = 4, 3
	n := len(l.days) - 2 - last - first
	if n < 10 {
		return nil // too short to tell
	}
	days := l.days[first : first+n]
	names := append(strings.Split(strings.Join(agesOut, ","), ","), month...)
	names = append(names, "all that age out", "heap KiB", "goroutines", "agenda")
	var err error
	for _, name := range names {
		ys := make([]float64, n)
		for i, d := range days {
			switch name {
			case "all that age out":
				ys[i] = float64(d.total(agesOut))
			case "heap KiB":
				ys[i] = float64(d.heap >> 10)
			case "goroutines":
				ys[i] = float64(d.goroutines)
			case "agenda":
				continue // falls: what is planned is done
			default:
				ys[i] = float64(d.rows[name])
			}
		}
		f := fitted(ys)
		fmt.Fprintf(out, "%-18s mean %9.0f, from first to last day %+8.0f ± %.0f\n", name, f.mean, f.growth, 3*f.doubt)
		if f.growth-3*f.doubt > 0.05*f.mean+10 {
			err = errors.Join(err, fmt.Errorf("flat: %s grew by %.0f ± %.0f over %d days, from a mean of %.0f", name, f.growth, 3*f.doubt, n, f.mean))
		}
	}
	return err
}

// fit is a straight line through a series.
type fit struct{ mean, growth, doubt float64 }

// fitted tells the growth over the whole series and its standard error.
func fitted(ys []float64) fit {
	n := float64(len(ys))
	sx, sy := 0.0, 0.0
	for i, y := range ys {
		sx += float64(i)
		sy += y
	}
	mx, my := sx/n, sy/n
	sxx, sxy := 0.0, 0.0
	for i, y := range ys {
		sxx += (float64(i) - mx) * (float64(i) - mx)
		sxy += (float64(i) - mx) * (y - my)
	}
	slope, rest := sxy/sxx, 0.0
	for i, y := range ys {
		r := y - my - slope*(float64(i)-mx)
		rest += r * r
	}
	return fit{my, slope * (n - 1), math.Sqrt(rest/(n-2)/sxx) * (n - 1)}
}
