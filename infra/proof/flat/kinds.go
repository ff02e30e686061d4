package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/keys"
	"github.com/fairseat/fairseat/pkg/boot/post"
	"github.com/fairseat/fairseat/pkg/work"
)

// kind is one way in which functions are invoked: with what, and what the
// program's main hands to boot.
type kind struct {
	function string // logical id
	folder   string // under functions/ and of its sample in events/
	handler  func(*boot.Parts) any
	payload  func(w *world, sample []byte) (func() []byte, error)
	refused  func(answer []byte) bool // an answer that the services' failures explain, and nothing else does
}

var kinds = []kind{
	{"AuthorizeKey", "authorize-key", func(p *boot.Parts) any { return api.AuthorizeKey(keys.Door(p)) }, asItIs, unjudged},
	{"ReadSeatmap", "read-seatmap", func(p *boot.Parts) any { return api.ReadSeatmap(front.Open(), desk.Office(p)) }, ofShow, failedHTTP},
	{"ReserveSeats", "reserve-seats", func(p *boot.Parts) any { return api.ReserveSeats(front.Guarded(p), desk.Office(p)) }, wish, failedHTTP},
	{"ProjectSeatmap", "project-seatmap", func(p *boot.Parts) any { return work.ProjectSeatmap(desk.Office(p), post.Sender(p)) }, ofRecords, failedBatch},
	{"RelayHolds", "relay-holds", func(p *boot.Parts) any {
		return work.RelayHolds(post.Sender(p), desk.Office(p).Store, p.Policy(), boot.Clock)
	}, asItIs, failedBatch},
	{"ExpireHold", "expire-hold", func(p *boot.Parts) any { return work.ExpireHold(desk.Office(p), post.Sender(p)) }, ofHold, failedBatch},
}

// unjudged is what the authorizer says of a call when its table does not answer.
func unjudged(answer []byte) bool { return strings.Contains(string(answer), `"refused":"busy"`) }

func failedHTTP(answer []byte) bool {
	var a struct {
		Status int `json:"statusCode"`
	}
	return json.Unmarshal(answer, &a) != nil || a.Status >= 300
}

func failedBatch(answer []byte) bool { return strings.Contains(string(answer), "itemIdentifier") }

func (k kind) payloads(w *world, root string) (func() []byte, error) {
	sample, err := os.ReadFile(filepath.Join(root, "events", k.folder+".json"))
	if err != nil {
		return nil, err
	}
	return k.payload(w, sample)
}

func asItIs(_ *world, sample []byte) (func() []byte, error) {
	return func() []byte { return sample }, nil
}

func ofHold(w *world, _ []byte) (func() []byte, error) {
	body, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: fmt.Sprintf(`{"hold":%q}`, w.hold), EventSource: "aws:sqs"}}})
	return func() []byte { return body }, err
}

// ofRecords are the sample's, of our show.
func ofRecords(w *world, sample []byte) (func() []byte, error) {
	const evening = "solaris-parlour-2030-05-01-2000"
	if !strings.Contains(string(sample), evening) {
		return nil, fmt.Errorf("the sample does not speak of %s", evening)
	}
	ours := []byte(strings.ReplaceAll(string(sample), evening, w.show))
	return func() []byte { return ours }, nil
}

func request(w *world, sample []byte) (events.APIGatewayProxyRequest, error) {
	var r events.APIGatewayProxyRequest
	err := json.Unmarshal(sample, &r)
	r.PathParameters["show"], r.Path = w.show, strings.Replace(r.Path, "/open/", "/"+w.show+"/", 1)
	return r, err
}

func ofShow(w *world, sample []byte) (func() []byte, error) {
	r, err := request(w, sample)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(r)
	return func() []byte { return body }, err
}

// wish asks for two seats under a new key each time.
func wish(w *world, sample []byte) (func() []byte, error) {
	r, err := request(w, sample)
	if err != nil {
		return nil, err
	}
	seats, err := json.Marshal(map[string]any{"seats": w.seats})
	if err != nil {
		return nil, err
	}
	r.Body = string(seats)
	set := func(name, value string) { r.Headers[name], r.MultiValueHeaders[name] = value, []string{value} }
	set("Authorization", "Bearer "+w.token)
	set("Idempotency-Key", "KEY")
	text, err := json.Marshal(r)
	return func() []byte { return []byte(strings.ReplaceAll(string(text), `"KEY"`, `"`+rand.Text()+`"`)) }, err
}
