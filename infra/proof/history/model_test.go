package main

import (
	"testing"
	"time"
)

// The row of the tables below: holds live a second and have 200 ms of grace, clocks
// differ by less than 10 ms. Times are in milliseconds.
const (
	life   = 1000
	grace  = 200
	budget = 10
)

func ms(n int64) int64 { return n * int64(time.Millisecond) }

// at is an operation from one time to another.
func at(call, ret int64, o operation) operation {
	o.call, o.ret = ms(call), ms(ret)
	return o
}

func reserve(h int) operation { return operation{verb: reserved, hold: h} }
func refusal(wanted, taken seats) operation {
	return operation{verb: refused, wanted: wanted, taken: taken}
}
func release(h int) operation            { return operation{verb: released, hold: h} }
func look(h int, is standing) operation  { return operation{verb: looked, hold: h, is: is} }
func order(h int, is standing) operation { return operation{verb: read, hold: h, is: is} }
func pay(h int) operation                { return operation{verb: payable, hold: h, is: isPending} }

// owner is a seat's, as a refusal tells it; made names the hold by its time.
func owner(seat seats, is standing, made int64) operation {
	o := operation{verb: owned, taken: seat, is: is}
	if is == isHeld {
		o.until = ms(made + life + grace)
	}
	return o
}

// of is a hold of the seats that was made then.
func of(s seats, made int64) hold {
	return hold{seats: s, made: ms(made), until: ms(made + life + grace)}
}

func (h hold) paying(from int64) hold     { h.money = ms(from); return h }
func (h hold) payingLate(from int64) hold { h.money, h.late = ms(from), true; return h }
func (h hold) releasing(from int64) hold  { h.letGo = ms(from); return h }
func (h hold) lost(n int) hold            { h.unsure = n; return h }

const (
	one   seats = 1
	two   seats = 2
	both  seats = 3
	three seats = 4
)

var histories = []struct {
	name  string
	valid bool
	holds []hold
	lost  []operation
	ops   []operation
}{
	{"a hold and a refusal", true, []hold{of(both, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, refusal(both|three, both)), at(20, 30, owner(one, isHeld, 5)),
	}},
	{"two holds of one seat", false, []hold{of(one, 5), of(one, 25)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, reserve(1)),
	}},
	{"two at once of one seat", false, []hold{of(one, 5), of(one, 6)}, nil, []operation{
		at(0, 10, reserve(0)), at(0, 10, reserve(1)),
	}},
	{"released, then held by another", true, []hold{of(one, 5), of(one, 45)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, release(0)), at(40, 50, reserve(1)),
	}},
	{"released while another takes it", true, []hold{of(one, 5), of(one, 25)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 40, release(0)), at(20, 30, reserve(1)),
	}},
	{"a release that leaves a seat behind", false, []hold{of(both, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, release(0)), at(40, 50, refusal(both, two)),
	}},
	{"half a hold is seen", false, []hold{of(both, 15)}, nil, []operation{
		at(10, 100, reserve(0)), at(20, 30, refusal(both|three, one)),
	}},
	{"a refusal of what is free", false, nil, nil, []operation{
		at(20, 30, refusal(one, one)),
	}},
	{"a refusal of what was freed before it was asked for", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, release(0)), at(31, 40, refusal(one, one)),
	}},
	{"a refusal of what is freed while it is asked for", true, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, release(0)), at(25, 40, refusal(one, one)), at(25, 40, owner(one, isHeld, 5)),
	}},
	{"a refusal that names another hold's deadline", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, refusal(one, one)), at(20, 30, owner(one, isHeld, 6)),
	}},
	{"a refusal that leaves a taken seat out", false, []hold{of(both, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, refusal(both, one)),
	}},
	{"taken after the end of the grace", true, []hold{of(one, 5), of(one, 1210)}, nil, []operation{
		at(0, 10, reserve(0)), at(1208, 1220, reserve(1)),
	}},
	{"taken in the grace", false, []hold{of(one, 5), of(one, 1100)}, nil, []operation{
		at(0, 10, reserve(0)), at(1095, 1105, reserve(1)),
	}},
	{"taken before the end", false, []hold{of(one, 5), of(one, 900)}, nil, []operation{
		at(0, 10, reserve(0)), at(890, 910, reserve(1)),
	}},
	{"seen expired in its grace", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(1100, 1110, look(0, isExpired)),
	}},
	{"seen expired after it", true, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(1300, 1310, look(0, isExpired)),
	}},
	{"said to be held after the end of the grace", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(1300, 1310, look(0, isHeld)),
	}},
	{"refused for a hold that is over", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(1300, 1310, refusal(one, one)), at(1300, 1310, owner(one, isHeld, 5)),
	}},
	{"an expiry orders what comes after it", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(1000, 1300, look(0, isExpired)), at(1010, 1100, refusal(one, 0)),
	}},
	{"alive again", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, release(0)), at(40, 50, look(0, isHeld)),
	}},
	{"released and expired", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, release(0)), at(1300, 1310, look(0, isExpired)),
	}},
	{"bought", true, []hold{of(one, 5).paying(20)}, nil, []operation{
		at(0, 10, reserve(0)), at(20, 30, pay(0)), at(40, 50, order(0, isPending)), at(60, 70, order(0, isPaid)),
		at(80, 90, look(0, isSold)), at(2000, 2010, refusal(one, one)), at(2000, 2010, owner(one, isSold, 0)),
	}},
	{"sold without money", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(40, 50, look(0, isSold)),
	}},
	{"sold before it was paid", false, []hold{of(one, 5).paying(60)}, nil, []operation{
		at(0, 10, reserve(0)), at(40, 50, look(0, isSold)), at(60, 70, pay(0)),
	}},
	{"sold to two", false, []hold{of(one, 5).paying(20), of(one, 1300).paying(1320)}, nil, []operation{
		at(0, 10, reserve(0)), at(40, 50, order(0, isPaid)), at(1290, 1310, reserve(1)),
	}},
	{"a sale undone", false, []hold{of(one, 5).paying(20)}, nil, []operation{
		at(0, 10, reserve(0)), at(40, 50, order(0, isPaid)), at(60, 70, order(0, isPending)),
	}},
	{"payable after the end of the grace", false, []hold{of(one, 5)}, nil, []operation{
		at(0, 10, reserve(0)), at(1300, 1310, pay(0)),
	}},
	{"late money sells an overdue hold in place", false, []hold{of(one, 5).payingLate(20)}, nil, []operation{
		at(0, 10, reserve(0)), at(1300, 1310, look(0, isSold)),
	}},
	{"late money buys what is still free", true, []hold{of(one, 5).payingLate(20)}, nil, []operation{
		at(0, 10, reserve(0)), at(1300, 1310, order(0, isPaid)), at(1400, 1410, look(0, isExpired)),
		at(1500, 1510, refusal(one, one)), at(1500, 1510, owner(one, isSold, 0)),
	}},
	{"late money buys before its time", false, []hold{of(one, 5).payingLate(20)}, nil, []operation{
		at(0, 10, reserve(0)), at(100, 110, order(0, isPaid)),
	}},
	{"late money takes another's seat", false, []hold{of(both, 5).payingLate(20), of(two, 1300)}, nil, []operation{
		at(0, 10, reserve(0)), at(1290, 1310, reserve(1)), at(1400, 1410, order(0, isPaid)),
	}},
	{"late money goes back", true, []hold{of(both, 5).payingLate(20), of(two, 1300)}, nil, []operation{
		at(0, 10, reserve(0)), at(1290, 1310, reserve(1)), at(1350, 1360, order(0, isCancelled)), at(1400, 1410, order(0, isRefunded)),
	}},
	{"late money goes back though all was free", false, []hold{of(both, 5).payingLate(20), of(three, 1300)}, nil, []operation{
		at(0, 10, reserve(0)), at(1290, 1310, reserve(1)), at(1400, 1410, order(0, isRefunded)),
	}},
	{"refunded and paid", false, []hold{of(one, 5).payingLate(20), of(one, 1300)}, nil, []operation{
		at(0, 10, reserve(0)), at(1290, 1310, reserve(1)), at(1400, 1410, order(0, isRefunded)),
		at(1420, 1430, release(1)), at(1500, 1510, order(0, isPaid)),
	}},
	{"a reserve without an answer that was done", true, []hold{of(both, 5).lost(1)}, []operation{{wanted: both}}, []operation{
		at(20, 30, refusal(one, one)), at(20, 30, owner(one, isHeld, 5)), at(40, 50, refusal(both, both)),
	}},
	{"one that was not", true, []hold{of(one, 15)}, []operation{{wanted: both}}, []operation{
		at(10, 20, reserve(0)), at(30, 40, refusal(both, one)),
	}},
	{"one that was done late", true, []hold{of(one, 15), of(both, 55).lost(1)}, []operation{{wanted: both}}, []operation{
		at(10, 20, reserve(0)), at(30, 40, release(0)), at(60, 70, refusal(both, both)), at(60, 70, owner(two, isHeld, 55)),
	}},
	{"one that was done half", false, []hold{of(both, 5).lost(1)}, []operation{{wanted: both}}, []operation{
		at(20, 30, refusal(both, one)), at(20, 30, owner(one, isHeld, 5)),
	}},
	{"one that was done twice", false, []hold{of(one, 5).lost(1), of(one, 1300).lost(1)}, []operation{{wanted: one}}, []operation{
		at(20, 30, refusal(one, one)), at(20, 30, owner(one, isHeld, 5)),
		at(1310, 1320, refusal(one, one)), at(1310, 1320, owner(one, isHeld, 1300)),
	}},
	{"one that took what was held", false, []hold{of(one, 5), of(one, 30).lost(1)}, []operation{{wanted: one}}, []operation{
		at(0, 10, reserve(0)), at(40, 50, refusal(one, one)), at(40, 50, owner(one, isHeld, 30)), at(60, 70, look(0, isHeld)),
	}},
	{"a release without an answer that was done", true, []hold{of(one, 5).releasing(20), of(one, 45)}, nil, []operation{
		at(0, 10, reserve(0)), at(30, 35, look(0, isHeld)), at(40, 50, reserve(1)), at(60, 70, look(0, isReleased)),
	}},
	{"one that was not", true, []hold{of(one, 5).releasing(20)}, nil, []operation{
		at(0, 10, reserve(0)), at(40, 50, look(0, isHeld)), at(1300, 1310, look(0, isExpired)),
	}},
	{"one that was done before it was sent", false, []hold{of(one, 5).releasing(100), of(one, 45)}, nil, []operation{
		at(0, 10, reserve(0)), at(40, 50, reserve(1)),
	}},
}

// TestModel: histories falsified by hand are refused, and true ones are not.
func TestModel(t *testing.T) {
	for _, tt := range histories {
		t.Run(tt.name, func(t *testing.T) {
			h := history{name: "A", holds: tt.holds, ops: tt.ops, lost: tt.lost, limits: limits{ms(budget)}}
			if err := verdict(h, ""); (err == nil) != tt.valid {
				t.Errorf("want valid %v, got %v", tt.valid, err)
			}
		})
	}
}
