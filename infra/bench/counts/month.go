package counts

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/infra/bench/visit"
	"github.com/fairseat/fairseat/pkg/api"
)

// Assumptions about a month of visits. They stand in infra/scale.md too.
const (
	monthSeconds = 30 * 86400.0
	peakOfMean   = 10.0   // the evening on which a film goes on sale
	places       = 13.0   // regional caches before the one that shields the origin
	keptAtMost   = 86400. // seconds: what is seldom asked for leaves an edge before its time
	searchUnits  = 0.5    // as if each search looked for a newer index; an instance does so every two seconds
	searchBody   = 1400   // bytes of twenty shows on the wire, as was seen
)

// popular says how many addresses of a call are asked for in one week, and how unlike
// they are: the i-th is asked for i^-skew times as often as the first.
var popular = map[visit.Call]struct {
	addresses int
	skew      float64
	why       string
}{
	visit.Search:    {200_000, 1.0, "words, places and orders, as people combine them"},
	visit.Cities:    {2_000, 1.0, "beginnings of 500 names"},
	visit.Movies:    {500, 1.0, "cities"},
	visit.Showtimes: {32_000, 1.1, "500 cities × 8 films × 8 dates"},
	visit.Show:      {70_000, 1.1, "10,000 shows a day, on sale for a week"},
	visit.Layout:    {5_000, 0.8, "one a cinema"},
	visit.Map:       {70_000, 1.1, "as shows"},
}

// Kept is an answer that caches may keep, as the API sends it.
type Kept struct {
	Lifetime time.Duration
	Bytes    int // compressed
	Use      Use
	GB       float64 // of the function
}

// kept asks the deployed handlers for each call's answer.
func (s *stage) kept(figures []Figure, sizes Bytes) (map[visit.Call]Kept, error) {
	by := map[string]Use{}
	for _, f := range figures {
		by[f.Name] = f.Got
	}
	calls := []struct {
		call    visit.Call
		handler api.Handler
		event   events.APIGatewayProxyRequest
		use     Use
		gb      float64
	}{
		{visit.Cities, s.Browse(), venue.ReadEvent("/cities", "", "", nil), use(1, 0, 2), smallGB},
		{visit.Movies, s.Browse(), venue.ReadEvent("/cities/{city}/movies", "city", listCity, nil), by["list of films in a city"], smallGB},
		{visit.Showtimes, s.Browse(), venue.ReadEvent("/movies/{movie}/showtimes", "movie", listFilm, map[string]string{"city": listCity}), by["list of showtimes"], smallGB},
		{visit.Show, s.Browse(), venue.ReadEvent("/shows/{show}", "show", show, nil), by["a show"], smallGB},
		{visit.Layout, s.Browse(), venue.ReadEvent("/layouts/{layout}", "layout", string(hall.Layout()), nil), by["a layout, 2,000 seats"], smallGB},
		{visit.Map, s.Seatmap(), venue.ReadEvent("/shows/{show}/seatmap", "show", show, nil), by["map read, 2,000 seats"], largeGB},
	}
	// The stage has no cities, and its map is hardly sold: half sold it does not compress.
	least := map[visit.Call]int{visit.Cities: otherBytes, visit.Map: sizes["seat map"]}
	all := map[visit.Call]Kept{}
	for _, c := range calls {
		got, err := c.handler(s.ctx, c.event)
		if err != nil || got.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("counts: %v: %d %s, %w", c.call, got.StatusCode, got.Body, err)
		}
		life, err := lifetime(got.Headers["Cache-Control"])
		if err != nil {
			return nil, fmt.Errorf("counts: %v: %w", c.call, err)
		}
		if c.use == (Use{}) {
			return nil, fmt.Errorf("counts: nothing was counted for %v", c.call)
		}
		all[c.call] = Kept{life, max(wire(got.Body), least[c.call]), c.use, c.gb}
	}
	// A search answers under the rule of what is left, as showtimes do.
	all[visit.Search] = Kept{all[visit.Showtimes].Lifetime, searchBody, use(1, 0, searchUnits), largeGB}
	return all, nil
}

var maxAge = regexp.MustCompile(`^public, max-age=(\d+)`)

func lifetime(header string) (time.Duration, error) {
	m := maxAge.FindStringSubmatch(header)
	if m == nil {
		return 0, fmt.Errorf("Cache-Control %q lets nobody keep it", header)
	}
	n, err := strconv.Atoi(m[1])
	return time.Duration(n) * time.Second, err
}

// wire is how many bytes a body has on the wire: the gateway compresses from 1,024 on,
// and of a real city's lists an eighth to two fifths is left.
func wire(body string) int {
	if len(body) < 1024 {
		return len(body)
	}
	return len(body) / 4
}

// reach is how many of the requests a second of a call pass a cache: of each address
// one in its lifetime, if it is asked for that often. Those of one address that come
// while it is fetched wait for the same answer.
func reach(rate float64, addresses int, skew float64, life time.Duration) float64 {
	sum := 0.0
	for i := 1; i <= addresses; i++ {
		sum += math.Pow(float64(i), -skew)
	}
	seconds, passed := min(life.Seconds(), keptAtMost), 0.0
	for i := 1; i <= addresses; i++ {
		one := rate * math.Pow(float64(i), -skew) / sum
		passed += one / (1 + one*seconds)
	}
	return passed
}

// first is how often a second the most wanted address of a call is asked for.
func first(c visit.Call, views float64) float64 {
	p, sum := popular[c], 0.0
	for i := 1; i <= p.addresses; i++ {
		sum += math.Pow(float64(i), -p.skew)
	}
	return views * visit.Shares()[c] / sum
}

// flow is one call at one moment, in requests a second.
type flow struct{ asked, atShield, atOrigin float64 }

func flowOf(c visit.Call, k Kept, views float64) flow {
	p, asked := popular[c], views*visit.Shares()[c]
	// Each place sees its part of every address, and asks the shield.
	return flow{asked, places * reach(asked/places, p.addresses, p.skew, k.Lifetime), reach(asked, p.addresses, p.skew, k.Lifetime)}
}

func (f flow) plus(g flow) flow {
	return flow{f.asked + g.asked, f.atShield + g.atShield, f.atOrigin + g.atOrigin}
}

func (f flow) hits() string { return fmt.Sprintf("%.1f %%", 100*(1-f.atOrigin/f.asked)) }

// span is a lifetime in words.
func span(d time.Duration) string {
	if d > 24*time.Hour {
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// monthTables are the part of infra/scale.md on views and the edge.
func monthTables(b *strings.Builder, j journeys, keeps map[visit.Call]Kept, p Prices) {
	mean := monthViews / monthSeconds
	fmt.Fprintf(b, "\n### What the edge carries\n\nThe visits of a release day (`infra/bench/visit`, which `make rush ONLY=day` sends too) for a month of 3 billion calls: %.0f a second, %.0f in the evening. Kept is what the API's Cache-Control says.\n\n", mean, peakOfMean*mean)
	b.WriteString("| call | of all | addresses in a week, skew | kept | bytes | asked a second, peak | answered by the edge, mean and peak | at the origin a second, mean and peak | the store, each |\n|---|---:|---|---:|---:|---:|---|---|---|\n")
	var shielded, open, without load
	var atMean, atPeak flow
	units, bytesOut := [2]float64{}, 0.0
	for _, c := range visit.Calls {
		k, ok := keeps[c]
		if !ok {
			continue
		}
		m, top, pop := flowOf(c, k, mean), flowOf(c, k, peakOfMean*mean), popular[c]
		atMean, atPeak = atMean.plus(m), atPeak.plus(top)
		reads := float64(k.Use.Reads) / 2
		units[0], units[1] = units[0]+m.atOrigin*reads, units[1]+top.atOrigin*reads
		out := float64(k.Bytes) + headBytes
		bytesOut += top.asked * out
		one := asked(k.Use, k.GB, k.Bytes, true)
		without = without.plus(one, m.asked*monthSeconds)
		one.out = 0 // what the edge fetches costs nothing
		carried := load{edgeRequests: m.asked, edgeOut: m.asked * out}
		open = open.plus(one, m.atShield*monthSeconds).plus(carried, monthSeconds)
		carried.shielded = m.atShield
		shielded = shielded.plus(one, m.atOrigin*monthSeconds).plus(carried, monthSeconds)
		fmt.Fprintf(b, "| %v | %.1f %% | %d, %.1f: %s | %s | %d | %.0f | %s, %s | %.0f, %.0f | %d requests, %v RU |\n",
			c, 100*visit.Shares()[c], pop.addresses, pop.skew, pop.why, span(k.Lifetime), k.Bytes, top.asked, m.hits(), top.hits(), m.atOrigin, top.atOrigin, k.Use.Requests, k.Use.Reads)
	}
	fmt.Fprintf(b, "| **together** | | | | | **%.0f** | **%s, %s** | **%.0f, %.0f** | **%.0f, %.0f RU a second** |\n", atPeak.asked, atMean.hits(), atPeak.hits(), atMean.atOrigin, atPeak.atOrigin, units[0], units[1])
	fmt.Fprintf(b, "\nThe origin's figures are behind Origin Shield. At the peak the edge sends %.0f MB a second. Of the map of the most wanted show, %.0f a second come then and at most one passes.\n", bytesOut/1e6, first(visit.Map, peakOfMean*mean))
	tries, sold := monthViews*visit.Shares()[visit.Hold], monthTickets/Seats
	buyers := load{}.plus(j.sale, sold).plus(j.refusal, tries-sold)
	edged := buyers
	edged.edgeRequests, edged.edgeOut, edged.out = buyers.requests, buyers.out, 0
	fmt.Fprintf(b, "\n### Dollars for that month\n\nOf the calls one in a hundred holds, %.1f million; %.0f million of them are sold as 10 million tickets, the others are refused.\n\n", tries/1e6, sold/1e6)
	p.table(b, []string{"no edge", "an edge", "an edge and Origin Shield", "of that, holds and what follows"}, []load{without.plus(buyers, 1), open.plus(edged, 1), shielded.plus(edged, 1), edged})
}
