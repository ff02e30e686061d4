package engine

import (
	"math"
	"strings"
	"unicode"

	"github.com/fairseat/fairseat/pkg/search"
)

const earth = 6_371_008.8 // metres, the mean radius (IUGG)

// metres between two points on a sphere, by the haversine, rounded: so exact is no
// address, and equal distances stay equal.
func metres(a, b search.Point) int32 {
	const rad = math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*rad/2, (b.Lon-a.Lon)*rad/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Sin(dLon)*math.Sin(dLon)
	return int32(math.Round(2 * earth * math.Asin(math.Min(1, math.Sqrt(h)))))
}

// postal is a postal code as it is compared: letters and digits, without case. The
// blank in SW1A 2AA and the hyphen in 100-0005 are habits.
func postal(code string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, code)
}

// inPostal tells whether a cinema's postal code lies in what was asked for. Where
// the data know an area alone (SW1A), a whole code (SW1A 2AA) is in it.
func inPostal(cinema, asked string) bool {
	return cinema != "" && asked != "" && (strings.HasPrefix(cinema, asked) || len(cinema) >= 2 && strings.HasPrefix(asked, cinema) && !allDigits(cinema))
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
