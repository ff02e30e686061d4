package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/fairseat/fairseat/pkg/boot"
)

// Variables of our own program when the runtime starts it in a function's place.
const (
	insideKind = "FLAT_KIND"
	insideLeak = "FLAT_LEAK"
	insideFail = "FLAT_FAIL" // set where the services fail
)

// patience ends what a service that fails does not answer. The deployed programs
// have their whole time-out for that, and are killed with it.
const patience = 300 * time.Millisecond

// leak is planted in our own program, so that it is known to be seen.
type leak string

const (
	noLeak        leak = ""
	leakGoroutine leak = "goroutine" // one that never ends
	leakBody      leak = "body"      // an answer that is never closed
	leakMap       leak = "map"       // an entry that is never deleted
)

// serveInside runs a function's handler as its main does, and counts what is left
// behind when it is asked to.
func serveInside() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.function == os.Getenv(insideKind) })
	if i < 0 {
		slog.Error("no such kind", "kind", os.Getenv(insideKind))
		os.Exit(1)
	}
	h := kinds[i].handler(&boot.Parts{Env: os.Getenv})
	lambda.Start(&counted{Handler: lambda.NewHandler(h), leak: leak(os.Getenv(insideLeak)), kept: map[string]int{}})
}

// counted is a handler that leaks, and answers the question what is there.
type counted struct {
	lambda.Handler
	leak leak
	kept map[string]int
}

// question is a payload that no function gets.
const question = `"what is there"`

// there is what a process knows of itself.
type there struct {
	Goroutines float64
	Objects    float64
}

func (c *counted) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if string(payload) == question {
		return json.Marshal(count())
	}
	c.lose()
	if os.Getenv(insideFail) != "" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	return c.Handler.Invoke(ctx, payload)
}

// count collects twice: what a finalizer held goes with the second.
func count() there {
	runtime.GC()
	runtime.GC()
	s := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/gc/heap/objects:objects"}}
	metrics.Read(s)
	return there{float64(s[0].Value.Uint64()), float64(s[1].Value.Uint64())}
}

func (c *counted) lose() {
	switch c.leak {
	case leakGoroutine:
		go func() { select {} }()
	case leakMap:
		c.kept[strings.Repeat("k", 20)+time.Now().String()]++
	case leakBody:
		req, err := http.NewRequest(http.MethodPost, os.Getenv("AWS_ENDPOINT_URL_SQS"), strings.NewReader(`{"MessageBody":"x"}`))
		if err != nil {
			return
		}
		req.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_, _ = io.ReadFull(res.Body, make([]byte, 1)) // and never to its end
		}
	}
}
