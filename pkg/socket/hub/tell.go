package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/socket"
)

// ErrHint is a hint that nobody may hear.
var ErrHint = fault.New(fault.Internal, "", "hub: not a hint that anybody may hear")

// Told counts what became of a hint.
type Told struct{ Told, Gone, Failed int }

// Tell tells a hint to whom it is for. Sockets where it fails get it again, they
// alone, a few times; the error is of what we keep, and all of it may come again.
func (h *Hub) Tell(ctx context.Context, hint socket.Hint) (Told, error) {
	if !hint.Valid() {
		return Told{}, ErrHint
	}
	to, err := h.audience(ctx, &hint)
	if err != nil || len(to) == 0 {
		return Told{}, err
	}
	if hint.Kind == socket.HoldExpiring {
		if held, err := h.stillHeld(ctx, hint.Hold); err != nil || !held {
			return Told{}, err
		}
	}
	if hint, err = h.versioned(ctx, hint); err != nil {
		return Told{}, err
	}
	return h.spread(ctx, hint, to)
}

// audience is who is to hear the hint now. A hint to all who watch takes its turn
// before they are listed, so that who changes something later finds the turn taken
// and asks for another.
func (h *Hub) audience(ctx context.Context, hint *socket.Hint) ([]socket.Entry, error) {
	if len(hint.Only) > 0 {
		return h.still(ctx, *hint)
	}
	if hint.Buyer != "" {
		return h.Store.OfBuyer(ctx, hint.Buyer)
	}
	lit, err := h.Store.LitUntil(ctx, hint.Show)
	if err != nil || !h.Clock().Before(lit) {
		return nil, err // nobody watches, as nearly every show
	}
	now, err := h.turn(ctx, hint)
	if err != nil || !now {
		return nil, err
	}
	return h.watchers(ctx, *hint)
}

// still is who was to hear it before and is there.
func (h *Hub) still(ctx context.Context, hint socket.Hint) ([]socket.Entry, error) {
	var to []socket.Entry
	for _, id := range hint.Only {
		c, err := h.Store.Conn(ctx, id)
		switch {
		case errors.Is(err, socket.ErrNoConn):
			continue
		case err != nil:
			return nil, err
		case hint.Buyer == "" && !slices.Contains(c.Shows, hint.Show), hint.Buyer != "" && hint.Buyer != c.Buyer:
			continue
		}
		to = append(to, c.Entry())
	}
	return to, nil
}

func (h *Hub) stillHeld(ctx context.Context, id booking.HoldID) (bool, error) {
	hold, err := h.Truth.HoldByID(ctx, id)
	if errors.Is(err, booking.ErrHoldNotFound) {
		return false, nil
	}
	return hold.State == booking.Held && h.Clock().Before(hold.ExpiresAt), err
}

// turn decides whether the show's watchers are told now, and puts the hint off if
// they were told too lately.
func (h *Hub) turn(ctx context.Context, hint *socket.Hint) (bool, error) {
	var turn socket.Turn
	var wait time.Duration
	err := h.again(ctx, func() error {
		was, err := h.Store.Pace(ctx, hint.Show, hint.Kind)
		if err != nil {
			return err
		}
		now := h.Clock()
		var next socket.Pace
		next, turn = was.Take(*hint, now)
		hint.Version, hint.Due, wait = next.Version, next.At.UnixMilli(), next.At.Sub(now)
		if turn == socket.LeaveIt && next.Version == was.Version {
			return nil // whoever tells what is on its way reads after its own write
		}
		return h.Store.SavePace(ctx, hint.Show, hint.Kind, was, next)
	})
	if err == nil && turn == socket.TellThen {
		err = h.Later(ctx, *hint, wait)
	}
	return turn == socket.TellNow, err
}

func (h *Hub) watchers(ctx context.Context, hint socket.Hint) ([]socket.Entry, error) {
	lists := make([][]socket.Entry, boxoffice.Shards)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(h.Parallel, 1))
	for k := range lists {
		g.Go(func() (err error) {
			lists[k], err = h.Store.Watchers(ctx, hint.Show, k)
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(lists...), err
}

// versioned reads the version of a seat map when it is told: the one that caused
// the hint may be old by now.
func (h *Hub) versioned(ctx context.Context, hint socket.Hint) (socket.Hint, error) {
	if hint.Kind != socket.SeatmapChanged {
		return hint, nil
	}
	m, err := h.Truth.FreshSnapshot(ctx, hint.Show)
	if err == nil && m != nil {
		hint.Version = m.Version
	}
	return hint, err
}

// How often a hint goes to a socket where it failed, and how many such sockets one
// message names.
const (
	tries  = 3
	naming = 100
)

// spread posts to all, some at once.
func (h *Hub) spread(ctx context.Context, hint socket.Hint, to []socket.Entry) (Told, error) {
	now := h.Clock()
	word := hint.Word(now)
	var mu sync.Mutex
	var failed []socket.ConnID
	told := Told{}
	g := errgroup.Group{}
	g.SetLimit(max(h.Parallel, 1))
	for _, e := range to {
		g.Go(func() error {
			err := h.post(ctx, e, word, now)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				told.Told++
			case errors.Is(err, socket.ErrGone):
				told.Gone++
			default:
				told.Failed++
				failed = append(failed, e.ID)
			}
			return nil
		})
	}
	_ = g.Wait()
	return told, h.retry(ctx, hint, failed)
}

// errYoung: the gateway calls a socket gone until it has answered its handshake,
// which it does after we have taken it into the lists.
var errYoung = errors.New("hub: not there yet, or gone already")

// post tells one socket, or removes it: it is gone, or past its time.
func (h *Hub) post(ctx context.Context, e socket.Entry, w socket.Word, now time.Time) error {
	var err error
	if now.Before(e.Until) {
		if err = h.Line.Post(ctx, e.ID, w); !errors.Is(err, socket.ErrGone) {
			return err
		}
		if e.Young(now) {
			return errYoung
		}
	} else if err = h.Line.Close(ctx, e.ID); err != nil {
		return err
	}
	// A list that could not be changed now is changed by the next who finds it so.
	if err := h.remove(ctx, e); err != nil {
		return fmt.Errorf("remove %w: %w", socket.ErrGone, err)
	}
	return socket.ErrGone
}

func (h *Hub) retry(ctx context.Context, hint socket.Hint, failed []socket.ConnID) error {
	if hint.Failed++; hint.Failed > tries {
		return nil
	}
	slices.Sort(failed)
	var err error
	for ids := range slices.Chunk(failed, naming) {
		hint.Only = ids
		err = errors.Join(err, h.Later(ctx, hint, time.Second<<hint.Failed))
	}
	return err
}
