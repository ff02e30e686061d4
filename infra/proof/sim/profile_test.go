package main

import "testing"

func BenchmarkSeed(b *testing.B) {
	for i := range b.N {
		newWorld(seeded(uint64(i+1)), false).play()
	}
}
