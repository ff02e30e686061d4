package main

import "slices"

// The packages that defects are planted in.
const (
	inStore   = "pkg/store"
	inOffice  = "pkg/boxoffice"
	inBooking = "pkg/booking"
	inLine    = "pkg/line"
)

// all is every defect, in the order of the table.
func all() []Defect {
	return slices.Concat(holding(), ending(), paying(), lining(), waiting(), lists(), drawing(),
		reading(), deciding(), office(), choosing(), serving(), till(), edge(), granting(), private(), telling(), adopting(), soaked(), guarding())
}

// protocol are the parts of the store's suite, on the database in memory.
func protocol(parts ...string) []Test {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = "TestProtocol/memstore/" + p
	}
	return by("pkg/store", names...)
}

// replay are the failures of others, played on our box office.
func replay(names ...string) []Test {
	tests := make([]string, len(names))
	for i, n := range names {
		tests[i] = "TestReplay/" + n
	}
	return by("pkg/boxoffice", tests...)
}
