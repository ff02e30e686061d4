package store

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// The tables: apart where streams or rights differ.
const (
	Claims    Table = "claims"    // claims and allowances; no stream
	Holds     Table = "holds"     // streamed; TTL after the end
	Timers    Table = "timers"    // streamed; TTL is the last net under a deadline
	Line      Table = "line"      // gates, the lane's state, entries, pool items; streamed
	Orders    Table = "orders"    // orders and payments; streamed
	Snapshots Table = "snapshots" // packed seat maps and statuses: derived, may be lost
	History   Table = "history"   // what buyers are shown of their orders: derived; no stream
	Sockets   Table = "sockets"   // tickets, connections, who watches what; no stream, may be lost
	Limits    Table = "limits"    // attempts let through; no stream, may be lost
	Accounts  Table = "accounts"  // accounts, log-ins, registrations, receipts of letters; no stream

	Keys Table = "keys" // wrapped keys of sealed fields; no stream, must never be lost
	Mail Table = "mail" // the outbox; streamed

	Developers Table = "developers" // developers, their keys, quotas and usage; no stream
)

// Names lists every table but the catalogue's.
var Names = []Table{Claims, Holds, Timers, Line, Orders, Snapshots, History, Sockets, Limits, Accounts, Developers, Keys, Mail}

const (
	skHold = "HOLD"
	skGate = "GATE"
	skMap  = "MAP"
)

const houseOwner = "HOUSE#"
const lineOwner = "LINE"

func claimKey(show catalog.ShowID, k boxoffice.SeatKey) Key {
	return Key{Claims, blockPK(show, k.Block), string(k.Seat)}
}

func blockPK(show catalog.ShowID, block string) string {
	return "SHOW#" + string(show) + "#" + block
}

// capKey is of a buyer's allowance in a show. All of a buyer's lie in one partition, so
// that what he has anywhere is one strongly consistent query, and needs no index.
func capKey(show catalog.ShowID, b booking.Buyer) Key {
	return Key{Claims, capPrefix + string(b), showPrefix + string(show)}
}

const (
	capPrefix   = "CAP#"
	showPrefix  = "SHOW#"
	placePrefix = "PLACE#"
)

func holdKey(id booking.HoldID) Key { return Key{Holds, holdPrefix + string(id), skHold} }

const holdPrefix = "HOLD#"

func shardOf(id booking.HoldID) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % boxoffice.Shards)
}

func timerPK(show catalog.ShowID, shard int) string {
	return "EXP#" + string(show) + "#" + strconv.Itoa(shard)
}

// timerSK sorts by time: milliseconds since 1970 in 13 digits, good until the year 2286.
func timerSK(at time.Time, id booking.HoldID) string {
	var room [64]byte
	ms := strconv.AppendInt(room[:0], at.UnixMilli(), 10)
	key := append(make([]byte, 0, 64), "0000000000000"[:max(13-len(ms), 0)]...)
	return string(append(append(append(key, ms...), '#'), id...))
}

func timerKey(h booking.Hold) Key {
	return Key{Timers, timerPK(h.Show, shardOf(h.ID)), timerSK(h.ExpiresAt, h.ID)}
}

func gateKey(show catalog.ShowID, shard int) Key {
	return Key{Line, "GATE#" + string(show) + "#" + strconv.Itoa(shard), skGate}
}

const (
	linePrefix   = "LINE#"
	poolPrefix   = "S#"
	entryPrefix  = "W#"
	waiterPrefix = "WAITER#"
	skState      = "STATE"
)

func linePK(show catalog.ShowID) string { return linePrefix + string(show) }

func poolKey(show catalog.ShowID, seat seatmap.SeatID) Key {
	return Key{Line, linePK(show), poolPrefix + string(seat)}
}

func stateKey(show catalog.ShowID) Key { return Key{Line, linePK(show), skState} }

// entryKey sorts by number.
func entryKey(show catalog.ShowID, number int64) Key {
	return Key{Line, linePK(show), fmt.Sprintf("%s%013d", entryPrefix, number)}
}

// asideKey is of the claim of a seat set aside.
func asideKey(show catalog.ShowID, a line.Aside) Key {
	return claimKey(show, boxoffice.SeatKey{Seat: a.Seat, Block: a.Block})
}

func waiterKey(id line.WaiterID) Key { return Key{Line, waiterPrefix + string(id), "WAITER"} }

// placeKey is of a buyer's place in a show's line, beside his others.
func placeKey(show catalog.ShowID, b booking.Buyer) Key {
	return Key{Line, placePrefix + string(b), showPrefix + string(show)}
}

const waitTimers = "WAIT#"

func waiterTimerPK(show catalog.ShowID, id line.WaiterID) string {
	return waitTimers + string(show) + "#" + strconv.Itoa(shardOf(booking.HoldID(id)))
}

func orderKey(id order.ID) Key { return Key{Orders, orderPrefix + string(id), "ORDER"} }

const paymentPrefix = "PAY#"

func paymentKey(id payment.ID) Key { return Key{Orders, paymentPrefix + string(id), "PAY"} }

// answerKey is the receipt of a request to pay: with which payment it was answered.
func answerKey(id payment.ID) Key { return Key{Orders, "ANSWER#" + string(id), "ANSWER"} }

func mapKey(show catalog.ShowID) Key { return Key{Snapshots, "MAP#" + string(show), skMap} }

const statusRows = "STATUS#"

func statusPK(city catalog.CityID, movie catalog.MovieID) string {
	return statusRows + string(city) + "#" + string(movie)
}

func statusKey(s catalog.Show) Key {
	return Key{Snapshots, statusPK(s.City, s.MovieID), string(s.ID)}
}
