package main

import (
	"strings"
	"testing"
)

// A line for these tests: seats 1 and 2 are regular, 3 is premium. Walk-up 0 holds
// seat 1 from the beginning, 1 takes it later, 2 is of place 0, 3 of place 1. The
// places wait for a regular seat; place 0 came first, and both are offered seat 1.
func testLine(ops ...turn) line {
	ends := ms(900)
	from := func(made int64, in seats) hold {
		return hold{seats: in, made: ms(made), until: ms(made) + int64(policy.Hold+policy.Grace)}
	}
	return line{
		name: "test", limits: limits{ms(5)}, types: []kinds{regular, regular, premium}, ops: ops,
		holds: []hold{from(0, one), from(100, one), from(120, one), from(130, one)},
		places: []place{
			{number: 1, party: 1, types: regular, asked: ms(10), acked: ms(20), offer: one, offered: ms(60), until: ms(400), end: isAccepted, ended: ms(110), hold: 2},
			{number: 2, party: 1, types: regular, asked: ms(30), acked: ms(40), offer: one, offered: ms(70), until: ms(800), end: isDeclined, ended: ends, hold: -1},
		},
	}
}

// in gives operations their times, one after another or as told.
func in(call, ret int64, o turn) turn {
	o.call, o.ret = ms(call), ms(ret)
	return o
}

func see(place int, is standing) turn { return turn{deed: stood, place: place, is: is} }

var (
	gets1  = in(0, 5, turn{deed: took, hold: 0})
	joins1 = in(10, 20, see(0, isWaiting))
	joins2 = in(30, 40, see(1, isWaiting))
	frees1 = in(45, 50, turn{deed: gaveBack, hold: 0})
)

// TestLineModel: what a line may do, and what it may not.
func TestLineModel(t *testing.T) {
	opening := []turn{gets1, joins1, joins2, frees1}
	for _, tt := range []struct {
		name  string
		ops   []turn
		right bool
	}{
		{"the first is offered and accepts", []turn{in(60, 70, see(0, isOffered)), in(110, 120, turn{deed: accepted, place: 0, hold: 2})}, true},
		{"the second is offered while the first waits", []turn{in(75, 80, see(1, isOffered)), in(85, 90, see(0, isWaiting))}, false},
		{"both are offered one seat", []turn{in(60, 70, see(0, isOffered)), in(75, 80, see(1, isOffered)), in(85, 90, see(0, isOffered))}, false},
		{"offered before its offer was made", []turn{in(51, 52, see(0, isOffered))}, false},
		{"waiting after it was offered", []turn{in(60, 70, see(0, isOffered)), in(75, 80, see(0, isWaiting))}, false},
		{"a walk-up takes the seat while the first waits", []turn{in(95, 100, turn{deed: took, hold: 1}), in(105, 109, see(0, isWaiting))}, false},
		{"a walk-up takes what is offered", []turn{in(60, 70, see(0, isOffered)), in(95, 100, turn{deed: took, hold: 1}), in(101, 102, see(0, isOffered))}, false},
		{"accepted twice", []turn{in(110, 120, turn{deed: accepted, place: 0, hold: 2}), in(121, 130, turn{deed: accepted, place: 0, hold: 3})}, false},
		{"accepted twice at once", []turn{in(110, 140, turn{deed: accepted, place: 0, hold: 2}), in(111, 139, turn{deed: accepted, place: 0, hold: 3})}, false},
		{"its effect is seen before its answer", []turn{in(110, 150, turn{deed: accepted, place: 0, hold: 2}), in(130, 140, turn{deed: heldBy, taken: one})}, true},
		{"accepted without an answer", []turn{in(130, 140, turn{deed: heldBy, taken: one}), in(141, 150, see(0, isAccepted))}, true},
		{"a hold without a reason", []turn{in(51, 59, turn{deed: heldBy, taken: one})}, false},
		{"no offer, and it is accepted later", []turn{in(51, 55, turn{deed: noOffer, place: 0}), in(110, 120, turn{deed: accepted, place: 0, hold: 2})}, true},
		{"no offer, and it was offered before and after", []turn{in(60, 70, see(0, isOffered)), in(71, 75, turn{deed: noOffer, place: 0}), in(76, 80, see(0, isOffered))}, false},
		{"too late, before its time", []turn{in(60, 70, see(0, isOffered)), in(71, 75, turn{deed: tooLate, place: 0})}, false},
		{"ended before anybody asked", []turn{in(60, 70, turn{deed: over, place: 1})}, false},
		{"declined before the first was served", []turn{in(890, 910, turn{deed: over, place: 1}), in(920, 930, see(0, isWaiting))}, false},
		{"seats are free to everybody while two wait", []turn{in(51, 55, turn{deed: spared, types: regular}), in(56, 58, see(0, isWaiting))}, false},
		{"seats that nobody waits for are", []turn{in(51, 55, turn{deed: spared, types: regular | premium}), in(56, 58, see(0, isWaiting))}, true},
		{"set aside", []turn{in(51, 55, turn{deed: isAside, taken: one})}, true},
		{"held is not set aside", []turn{in(46, 55, turn{deed: isAside, taken: two}), in(42, 44, turn{deed: isAside, taken: one})}, false},
		{"refused for a hold that is over", []turn{in(51, 55, turn{deed: barred, wanted: one | two, taken: one})}, false},
		{"free beside what is held", []turn{in(42, 44, turn{deed: barred, wanted: one | two, taken: one})}, true},
		{"free, and offered", []turn{in(60, 70, see(0, isOffered)), in(71, 74, turn{deed: barred, wanted: one}), in(75, 80, see(0, isOffered))}, false},
		{"given back is over", []turn{in(51, 55, turn{deed: sawHold, hold: 0, is: isHeld})}, false},
		{"expired before its time", []turn{in(41, 44, turn{deed: sawHold, hold: 0, is: isExpired})}, false},
	} {
		err := testLine(append(opening[:len(opening):len(opening)], tt.ops...)...).verdict("")
		if (err == nil) != tt.right || err != nil && !strings.Contains(err.Error(), "not linearizable") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestLineFacts: what is wrong for what is known of the holds and places. Each is
// right without the last operation.
func TestLineFacts(t *testing.T) {
	opening := []turn{gets1, joins1, frees1}
	offered1 := in(60, 70, see(0, isOffered))
	for _, tt := range []struct {
		name   string
		change func(*line)
		ops    []turn
	}{
		{"a walk-up takes what is offered to one who waits alone", nil, []turn{offered1, in(95, 100, turn{deed: took, hold: 1})}},
		{"accepted before its hold was made", nil, []turn{offered1, in(105, 112, turn{deed: accepted, place: 0, hold: 2})}},
		{"accepted past its time", nil, []turn{offered1, in(410, 420, turn{deed: accepted, place: 0, hold: 2})}},
		{"joining again", nil, []turn{in(51, 55, see(0, isJoining))}},
		{"another end", nil, []turn{in(110, 120, turn{deed: accepted, place: 0, hold: 2}), in(121, 130, see(0, isLapsed))}},
		{"accepted with a seat that a walk-up holds",
			func(l *line) { l.holds[1].seats, l.holds[2].seats, l.places[0].types = three, three, regular|premium },
			[]turn{in(95, 101, turn{deed: took, hold: 1}), offered1, in(110, 120, turn{deed: accepted, place: 0, hold: 2})}},
		{"accepted with a seat that one ahead waits for",
			func(l *line) {
				l.places[1] = place{number: 2, party: 1, types: regular | premium, asked: ms(30), acked: ms(58), offer: three, offered: ms(55), until: ms(400), end: isAccepted, ended: ms(70), hold: 3}
				l.holds[3].made = ms(70)
			},
			[]turn{in(56, 58, see(1, isOffered)), in(75, 80, turn{deed: accepted, place: 1, hold: 3})}},
		{"a walk-up while one waits who will be timed out",
			func(l *line) { l.places[0].offer, l.places[0].end, l.places[0].ended = 0, isTimedOut, ms(900) },
			[]turn{in(95, 101, turn{deed: took, hold: 1})}},
		{"held until another time", nil, []turn{in(110, 120, turn{deed: accepted, place: 0, hold: 2}), in(121, 130, turn{deed: heldBy, taken: one, until: ms(1)})}},
		{"held past its time", nil, []turn{in(110, 120, turn{deed: accepted, place: 0, hold: 2}), in(4200, 4210, turn{deed: sawHold, hold: 2, is: isHeld})}},
		{"held by one whose time is over", nil, []turn{in(110, 120, turn{deed: accepted, place: 0, hold: 2}), in(4200, 4210, turn{deed: heldBy, taken: one})}},
		{"given back past its time", nil,
			[]turn{in(110, 120, turn{deed: accepted, place: 0, hold: 2}), in(4200, 4210, turn{deed: gaveBack, hold: 2}), in(4211, 4220, turn{deed: sawHold, hold: 2, is: isReleased})}},
		{"one reserve without an answer makes two holds",
			func(l *line) {
				l.holds[1].unsure, l.holds[3].unsure, l.holds[1].seats, l.holds[3].seats = 1, 1, three, two
				l.places[0].types = premium
			},
			[]turn{in(140, 141, turn{deed: heldBy, taken: three}), in(142, 143, turn{deed: heldBy, taken: two})}},
	} {
		check := func(ops []turn) error {
			l := testLine(append(opening[:len(opening):len(opening)], ops...)...)
			if tt.change != nil {
				tt.change(&l)
			}
			return l.verdict("")
		}
		if err := check(tt.ops[:len(tt.ops)-1]); err != nil {
			t.Errorf("%s: it is wrong before: %v", tt.name, err)
		}
		if err := check(tt.ops); err == nil {
			t.Errorf("%s: it is right", tt.name)
		}
	}
}

// TestNumbers: unique, and in the order of coming as far as clients can tell.
func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*place)
		want   string
	}{
		{"in order", func(*place) {}, ""},
		{"at once", func(p *place) { p.number, p.asked = 1, ms(15) }, "number 1 was given"},
		{"never told", func(p *place) { p.number, p.acked = 0, 0 }, ""},
		{"overtaken", func(p *place) { p.number = -1 }, "asked after place 0 was told"},
	} {
		l := testLine()
		tt.change(&l.places[1])
		if got := strings.Join(l.numbers(), ""); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	if err := testLine(turn{}).verdict(""); err == nil {
		t.Error("an invalid operation is right")
	}
}
