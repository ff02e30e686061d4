package booking

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Refusal is a refused hold: a sentinel of this package with what the buyer needs
// in order to choose again (api.md "A refused hold").
type Refusal struct {
	Reason    *fault.Error
	Seats     []seatmap.SeatID // the seats that the reason is about
	Conflicts []Conflict       // every wanted seat that is not free
	Next      Next
	Holding   int // seats that the buyer has in this show already
	Limit     int
	OpensAt   time.Time // zero when the sale is over
	Until     time.Time // when the reason is one of time
}

func (r *Refusal) Error() string { return r.Reason.Text }
func (r *Refusal) Unwrap() error { return r.Reason }

// Conflict is a wanted seat that cannot be had, and why.
type Conflict struct {
	Seat   seatmap.SeatID
	Reason Standing
	Until  time.Time // for a held seat: when its hold ends at the latest
	Own    HoldID    // the hold of who asks, when it is that one; another's is nobody's business
}

// Standing is whose a seat is, as told to others. The zero value is invalid.
type Standing uint8

const (
	_ Standing = iota
	StandingFree
	StandingHeld
	StandingSold
	StandingLine
	StandingBlocked
)

var standingNames = [...]string{StandingFree: "free", StandingHeld: "held", StandingSold: "sold", StandingLine: "line", StandingBlocked: "blocked"}

func (s Standing) String() string {
	if s == 0 || int(s) >= len(standingNames) {
		return "invalid"
	}
	return standingNames[s]
}

// Next tells the three cases of A21. The zero value means that it was not looked at.
type Next uint8

const (
	_           Next = iota
	ShowFull         // (a) nothing is free and nothing can come free
	ChooseOther      // (b) others are free: back to the map
	Wait             // (c) nothing is free now, but seats are held and unpaid
)

var nextNames = [...]string{ShowFull: "show_full", ChooseOther: "choose_other_seats", Wait: "wait"}

func (n Next) String() string {
	if int(n) >= len(nextNames) {
		return ""
	}
	return nextNames[n]
}

// Tally is how the seats of a show stand.
type Tally struct{ Free, Held, Line, Sold, Blocked int }

// IDFor derives the hold's id from who asks and the key of the request.
func IDFor(b Buyer, key string) HoldID {
	d := digest(string(b), key)
	return HoldID(append(append(make([]byte, 0, 2+len(d)), "h_"...), d[:]...))
}

// Digest names a thing after its parts: 26 characters, lower case, no two
// different lists of parts alike.
func Digest(parts ...string) string {
	d := digest(parts...)
	return string(d[:])
}

func digest(parts ...string) (d [26]byte) {
	var room [512]byte
	text := room[:0]
	for _, p := range parts {
		text = binary.BigEndian.AppendUint32(text, uint32(len(p)))
		text = append(text, p...)
	}
	sum := sha256.Sum256(text)
	digits.Encode(d[:], sum[:16])
	return d
}

// digits are those of base32 (RFC 4648) in lower case.
var digits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Request is a wish for named seats of a show.
type Request struct {
	ID       HoldID
	Buyer    Buyer
	BodyHash string
	Seats    []seatmap.SeatID
}

// Choose checks named seats against the hall and the rules that need no look at
// who has them: number, repetition, existence, whole pairs.
func Choose(l *seatmap.Layout, ids []seatmap.SeatID, limit int) ([]int, error) {
	if len(ids) == 0 {
		return nil, &Refusal{Reason: ErrNoSeats}
	}
	if len(ids) > limit {
		return nil, &Refusal{Reason: ErrTooMany, Seats: ids, Limit: limit}
	}
	chosen := make([]int, 0, len(ids))
	var unknown, twice []seatmap.SeatID
	for i, id := range ids {
		if slices.Contains(ids[:i], id) { // few, by the limit
			twice = append(twice, id)
			continue
		}
		if s, ok := l.Seat(id); ok {
			chosen = append(chosen, s.Index)
		} else {
			unknown = append(unknown, id)
		}
	}
	if len(twice) > 0 {
		return nil, &Refusal{Reason: ErrDuplicate, Seats: twice}
	}
	if len(unknown) > 0 {
		return nil, &Refusal{Reason: ErrUnknownSeat, Seats: unknown}
	}
	if missing := seatmap.SplitPairs(l, chosen); len(missing) > 0 {
		return nil, &Refusal{Reason: ErrPairSplit, Seats: missing}
	}
	return chosen, nil
}

// OnSale refuses outside the sale window, and a show that was cancelled.
func OnSale(s catalog.Show, now time.Time) error {
	if now.Before(s.SaleOpensAt) && s.Status == catalog.OnSale {
		return &Refusal{Reason: ErrSalesClosed, OpensAt: s.SaleOpensAt}
	}
	if s.Status != catalog.OnSale || !now.Before(s.SaleClosesAt) {
		return &Refusal{Reason: ErrSalesClosed}
	}
	return nil
}

// NotCancelled refuses a show that was cancelled, for who holds seats of it already:
// the end of the sale does not concern him.
func NotCancelled(s catalog.Show) error {
	if s.Status == catalog.Cancelled {
		return &Refusal{Reason: ErrSalesClosed}
	}
	return nil
}

// Take makes the hold that the transaction will write if every claim is absent
// and the allowance permits.
func Take(req Request, s catalog.Show, l *seatmap.Layout, chosen []int, p Policy, now time.Time) (Hold, error) {
	if err := OnSale(s, now); err != nil {
		return Hold{}, err
	}
	return Allot(req, s, l, chosen, p, now)
}

// Allot is Take of seats that were promised while the show was on sale: an offer's
// grace may end after the sale.
func Allot(req Request, s catalog.Show, l *seatmap.Layout, chosen []int, p Policy, now time.Time) (Hold, error) {
	h := Hold{
		ID: req.ID, Show: s.ID, Buyer: req.Buyer, State: Held,
		ExpiresAt: now.Add(p.Hold), Rev: 1, BodyHash: req.BodyHash, MadeAt: now,
	}
	seats, err := priced(s, l, chosen)
	h.Seats = seats
	return h, err
}

// Block keeps seats for the house: no price is asked, no deadline runs.
func Block(id HoldID, s catalog.Show, l *seatmap.Layout, chosen []int, now time.Time) (Hold, error) {
	seats, err := priced(s, l, chosen)
	return Hold{ID: id, Show: s.ID, Buyer: House, Seats: seats, State: Blocked, Rev: 1, MadeAt: now}, err
}

// House is the buyer of blocked seats.
const House Buyer = "HOUSE"

func priced(s catalog.Show, l *seatmap.Layout, chosen []int) ([]Seat, error) {
	seats := make([]Seat, 0, len(chosen))
	for _, i := range chosen {
		at := l.At(i)
		price, err := s.PriceOf(at.Type)
		if err != nil {
			return nil, err
		}
		seats = append(seats, Seat{ID: at.ID, Type: at.Type, Block: l.Block(at.Block).Name, Price: price})
	}
	return seats, nil
}

// Owns reports whether two requests under one key are the same request. Whose it was
// the id says, which is made of who asked and his key; the hold may be another's by now,
// if he has logged in since.
func (h Hold) Owns(req Request) error {
	if h.BodyHash != req.BodyHash {
		return ErrOtherBody
	}
	return nil
}
