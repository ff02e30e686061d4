package counts

import (
	"encoding/json"
	"fmt"
	"math"
)

// Prices is the price list. Tiers are of a month's amount, in order; the last
// has no end.
type Prices struct {
	Region   string `json:"region"`
	LookedUp string `json:"looked_up"`
	Prices   map[string]struct {
		Unit  string `json:"unit"`
		Tiers []struct {
			UpTo float64 `json:"upto"`
			USD  float64 `json:"usd"`
		} `json:"tiers"`
		Source string `json:"source"`
		Dated  string `json:"dated"`
		Note   string `json:"note"`
	} `json:"prices"`
}

// ParsePrices reads the list; a price without source and date is refused.
func ParsePrices(text []byte) (Prices, error) {
	var p Prices
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("counts: prices: %w", err)
	}
	for _, m := range meters {
		x, ok := p.Prices[m.price]
		if !ok || x.Source == "" || x.Dated == "" || len(x.Tiers) == 0 {
			return p, fmt.Errorf("counts: no price of %s with its source and date", m.price)
		}
	}
	return p, nil
}

// cost of an amount in the price's unit.
func (p Prices) cost(name string, amount float64) float64 {
	sum, from := 0.0, 0.0
	for _, t := range p.Prices[name].Tiers {
		to := math.Inf(1)
		if t.UpTo > 0 {
			to = t.UpTo
		}
		sum += t.USD * max(0, min(amount, to)-from)
		from = to
	}
	return sum
}

// load is what a month asks of AWS.
type load struct {
	writes, reads float64 // request units
	invocations   float64
	gbSeconds     float64
	requests      float64 // of the API
	out, logged   float64 // bytes
	messageCalls  float64 // of SQS
	streamReads   float64
	socketWords   float64 // messages of a WebSocket API
	socketMinutes float64
	edgeRequests  float64 // of CloudFront
	edgeOut       float64 // bytes
	shielded      float64 // requests of edge locations that Origin Shield answers or passes on
}

// meters say which price an amount of a load has, and in what unit.
var meters = []struct {
	name, price string
	amount      func(load) float64
}{
	{"CloudFront, requests", "edge_request", func(l load) float64 { return l.edgeRequests / 1e6 }},
	{"CloudFront, data out", "edge_out", func(l load) float64 { return l.edgeOut / 1e9 }},
	{"CloudFront, Origin Shield", "edge_shield", func(l load) float64 { return l.shielded / 1e6 }},
	{"API Gateway, requests", "api_request", func(l load) float64 { return l.requests / 1e6 }},
	{"API Gateway, data out", "data_out", func(l load) float64 { return l.out / 1e9 }},
	{"Lambda, requests", "lambda_request", func(l load) float64 { return l.invocations / 1e6 }},
	{"Lambda, time", "lambda_time", func(l load) float64 { return l.gbSeconds / 1e6 }},
	{"DynamoDB, writes", "write_unit", func(l load) float64 { return l.writes / 1e6 }},
	{"DynamoDB, reads", "read_unit", func(l load) float64 { return l.reads / 1e6 }},
	{"DynamoDB, streams", "stream_read", func(l load) float64 { return l.streamReads / 1e6 }},
	{"WebSocket, messages", "socket_message", func(l load) float64 { return l.socketWords / 1e6 }},
	{"WebSocket, minutes", "socket_minute", func(l load) float64 { return l.socketMinutes / 1e6 }},
	{"SQS", "sqs_request", func(l load) float64 { return l.messageCalls / 1e6 }},
	{"CloudWatch, logs", "log", func(l load) float64 { return l.logged / 1e9 }},
}

func (l load) plus(m load, times float64) load {
	return load{
		l.writes + times*m.writes, l.reads + times*m.reads, l.invocations + times*m.invocations, l.gbSeconds + times*m.gbSeconds,
		l.requests + times*m.requests, l.out + times*m.out, l.logged + times*m.logged, l.messageCalls + times*m.messageCalls,
		l.streamReads + times*m.streamReads, l.socketWords + times*m.socketWords, l.socketMinutes + times*m.socketMinutes,
		l.edgeRequests + times*m.edgeRequests, l.edgeOut + times*m.edgeOut, l.shielded + times*m.shielded,
	}
}

// Assumptions that no meter gives. They stand in infra/scale.md too.
const (
	waitMillis = 5.0   // of one request to DynamoDB, in one region
	workMillis = 1.0   // of a function beside its waiting; 0.1 here, on a third of a core there
	logBytes   = 350.0 // START, END and REPORT of an invocation
	headBytes  = 500.0 // of an answer
	otherBytes = 600   // bodies of the answers that are not measured
	smallGB    = 0.25  // MemorySize 256 and 512 of template.yaml
	largeGB    = 0.5
)

// runs is one invocation of a function that asks the tables for u.
func runs(u Use, gb float64) load {
	return load{
		writes: float64(u.Writes) / 2, reads: float64(u.Reads) / 2, invocations: 1,
		gbSeconds: gb * (workMillis + waitMillis*float64(u.Requests)) / 1000, logged: logBytes,
	}
}

// asked is a request of the API, with the authorizer that every keyed one runs.
func asked(u Use, gb float64, body int, keyed bool) load {
	l := runs(u, gb)
	l.requests, l.out = 1, float64(body)+headBytes
	if keyed {
		l = l.plus(runs(Use{}, smallGB), 1)
	}
	return l
}

// message is one that is sent, received and deleted, and what its receiver does.
func message(u Use, gb float64) load {
	l := runs(u, gb)
	l.messageCalls = 3
	return l
}

// told is a batch of one record of a stream.
func told(u Use, gb float64) load {
	l := runs(u, gb)
	l.streamReads = 1
	return l
}

// journeys of one buyer.
type journeys struct{ winner, loser, sale, refusal, view load }

func journey(figures []Figure, sizes Bytes) (journeys, error) {
	by := map[string]Use{}
	for _, f := range figures {
		by[f.Name] = f.Got
	}
	var missing error
	of := func(name string) Use {
		u, ok := by[name]
		if !ok {
			missing = fmt.Errorf("counts: nothing was counted for %q", name)
		}
		return u
	}
	session := asked(Use{}, smallGB, otherBytes, true)
	view := asked(of("map read, 2,000 seats"), largeGB, sizes["seat map"], true)
	read := asked(use(1, 0, 1), smallGB, otherBytes, true)
	var j journeys
	// A session, hold, pay, two looks at the order; before it two looks at the map.
	j.sale = j.sale.plus(session, 1).
		plus(asked(of("hold of 2 seats"), largeGB, sizes["hold"], true), 1).
		plus(asked(of("payment begun"), smallGB, otherBytes, true), 1).
		plus(asked(of("callback, T2"), largeGB, otherBytes, false), 1).plus(read, 2)
	// The stream of holds tells of hold, payment and sale; relay and projector run for each,
	// and that a payment has begun changes no map.
	j.sale = j.sale.plus(told(Use{}, smallGB), 3).plus(told(of("projector, a batch of one hold"), largeGB), 2).plus(told(Use{}, largeGB), 1)
	// That of orders tells of order and payment, twice each; a message each for deadline and provider.
	j.sale = j.sale.plus(told(Use{}, smallGB), 4).
		plus(message(of("timer message of a sold hold"), largeGB), 1).plus(message(use(1, 0, 1), smallGB), 1)
	// What his list of orders shows follows the first two.
	j.sale = j.sale.plus(told(of("order shown to its buyer, begun"), smallGB), 1).plus(told(of("order shown to its buyer, paid"), smallGB), 1)
	j.refusal = j.refusal.plus(session, 1).plus(asked(of("hold refused, seats taken"), largeGB, sizes["hold refused"], true), 1)
	j.winner, j.loser = j.sale.plus(view, 2), j.refusal.plus(view, 2)
	j.view = view
	return j, missing
}
