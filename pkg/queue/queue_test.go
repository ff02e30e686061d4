package queue_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/queue"
	"github.com/fairseat/fairseat/pkg/relay"
)

// TestSend speaks SQS's JSON wire to a server that keeps what it gets.
func TestSend(t *testing.T) {
	var got map[string]any
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = map[string]any{}
		if err := json.Unmarshal(b, &got); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" || !strings.Contains(r.Header.Get("Authorization"), "Credential=key/") {
			t.Errorf("request %s %v: %v", b, r.Header, err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		if status == http.StatusOK {
			_, _ = io.WriteString(w, `{"MessageId":"1"}`)
		} else {
			_, _ = io.WriteString(w, `{"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"no"}`)
		}
	}))
	defer server.Close()
	env := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_SQS": server.URL}
	client := queue.Client(func(name string) string { return env[name] })
	s := queue.New(client, map[relay.Queue]string{relay.Timers: server.URL + "/0/timers", relay.Lane: server.URL + "/0/lane.fifo"})

	for _, tt := range []struct {
		name string
		in   relay.Message
		want map[string]any
	}{
		{"at once", relay.Message{Queue: relay.Timers, Body: "b"}, map[string]any{"QueueUrl": server.URL + "/0/timers", "MessageBody": "b"}},
		{"with delay", relay.Message{Queue: relay.Timers, Body: "b", Delay: 305 * time.Second},
			map[string]any{"QueueUrl": server.URL + "/0/timers", "MessageBody": "b", "DelaySeconds": 305.0}},
		{"on the lane", relay.Message{Queue: relay.Lane, Body: "b", Group: "show", Dedup: "21", Delay: time.Second},
			map[string]any{"QueueUrl": server.URL + "/0/lane.fifo", "MessageBody": "b", "MessageGroupId": "show", "MessageDeduplicationId": "21"}},
	} {
		if err := s.Send(t.Context(), tt.in); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if d, ok := got["DelaySeconds"]; ok && d == 0.0 {
			delete(got, "DelaySeconds")
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if err := s.Send(t.Context(), relay.Message{Queue: relay.Payments, Body: "b"}); err == nil {
		t.Error("sent to a queue without an address")
	}
	status = http.StatusBadRequest
	if err := s.Send(t.Context(), relay.Message{Queue: relay.Timers, Body: "b"}); err == nil {
		t.Error("a refusal is no success")
	}
}
