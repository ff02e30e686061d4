package gateway

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

// TestCompressorsAreUsedAgain: by many at once, and none finds another's bytes.
func TestCompressorsAreUsedAgain(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			body := bytes.Repeat([]byte(fmt.Sprint("answer ", i, " ")), 50+i)
			for _, enc := range []string{"gzip", "deflate"} {
				back, err := decompress(enc, compress(enc, body))
				if err != nil || !bytes.Equal(back, body) {
					t.Errorf("%s of answer %d: %.40q, %v", enc, i, back, err)
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkCompress is a seat map of two thousand seats.
func BenchmarkCompress(b *testing.B) {
	body := bytes.Repeat([]byte(`{"states":"AAAAAAAAVVVVqqqq"}`), 25)
	b.ReportAllocs()
	for b.Loop() {
		compress("gzip", body)
	}
}
