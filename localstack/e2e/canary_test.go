package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/pkg/mail"
)

// Canaries are personal data that nobody else has. Whatever the tests do with them,
// they may stand nowhere but in the letters that they are for (B7): not in tables,
// queues, objects, logs or errors, in clear, in base64 or in hexadecimal.
const (
	canaryMail     = "canary.kyxqwv@example.com"
	canaryPhone    = "+8613812345067"
	canaryDocument = "EK7713098"
	canaryPassword = "canary-zvqkxj-password-7713"
	canaryToken    = "canary-wqzxkv-token-40951"
	canaryName     = "Canaria Zqxvkwy"
)

var canaries = newAviary(canaryMail, canaryPhone, canaryDocument, canaryPassword, canaryToken, canaryName)

// aviary knows canaries in each of their forms.
type aviary struct {
	forms map[string]string // form → which canary

	mu   sync.Mutex
	seen []string
}

func newAviary(all ...string) *aviary {
	a := &aviary{forms: map[string]string{}}
	for i, text := range all {
		a.add(fmt.Sprintf("canary %d", i), text)
	}
	return a
}

func (a *aviary) add(name, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, form := range forms(text) {
		a.forms[form] = name
	}
}

// forms are a text in clear, escaped, hexadecimal, and within a longer text in base64,
// which depends on where in three bytes it begins: what is the same in all neighbours.
func forms(text string) []string {
	out := []string{text, url.QueryEscape(text), hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	for shift := range 3 {
		padded := slices.Concat(make([]byte, shift), []byte(text))
		padded = padded[:len(padded)-len(padded)%3]
		from := (shift*8 + 5) / 6 // the first character that no byte before has a part in
		out = append(out, base64.RawStdEncoding.EncodeToString(padded)[from:], base64.RawURLEncoding.EncodeToString(padded)[from:])
	}
	return out
}

// in tells which canary a text holds, or "".
func (a *aviary) in(text []byte) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for form, which := range a.forms {
		if bytes.Contains(text, []byte(form)) {
			return which
		}
	}
	return ""
}

// heard remembers what it finds.
func (a *aviary) heard(where string, text []byte) {
	if which := a.in(text); which != "" {
		a.mu.Lock()
		defer a.mu.Unlock()
		if at := which + " in " + where; !slices.Contains(a.seen, at) {
			a.seen = append(a.seen, at)
		}
	}
}

// exposed looks through all that the stack keeps, at the end of all tests.
func exposed() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	err := errors.Join(lookAtTables(ctx), lookAtQueues(ctx), lookAtObjects(ctx))
	canaries.mu.Lock()
	defer canaries.mu.Unlock()
	if len(canaries.seen) > 0 {
		err = errors.Join(err, fmt.Errorf("personal data in clear:\n  %s", strings.Join(canaries.seen, "\n  ")))
	}
	return err
}

func lookAtTables(ctx context.Context) error {
	for _, t := range stack.Stack.Tables {
		pages := dynamodb.NewScanPaginator(stack.Clients().Tables, &dynamodb.ScanInput{TableName: &t.Name})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("scan %s: %w", t.ID, err)
			}
			for _, it := range page.Items {
				text, err := json.Marshal(it) // binaries in base64, which is looked for too
				if err != nil {
					return err
				}
				canaries.heard("the table "+t.ID, text)
			}
		}
	}
	return nil
}

// lookAtQueues reads what waits; messages come back after a second.
func lookAtQueues(ctx context.Context) error {
	for _, q := range stack.Stack.Queues {
		out, err := stack.Clients().Queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10, VisibilityTimeout: 1})
		if err != nil {
			return fmt.Errorf("receive from %s: %w", q.ID, err)
		}
		for _, m := range out.Messages {
			canaries.heard("the queue "+q.ID, []byte(*m.Body))
		}
	}
	return nil
}

func lookAtObjects(ctx context.Context) error {
	c := stack.Clients().Objects
	for _, b := range stack.Stack.Buckets {
		pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: &b.Name})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("list %s: %w", b.ID, err)
			}
			for _, o := range page.Contents {
				canaries.heard("a key of the bucket "+b.ID, []byte(*o.Key))
				got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.Name, Key: o.Key})
				if err != nil {
					return fmt.Errorf("get %s: %w", *o.Key, err)
				}
				text, err := io.ReadAll(got.Body)
				got.Body.Close()
				if err != nil {
					return err
				}
				canaries.heard("an object of the bucket "+b.ID, text)
			}
		}
	}
	return nil
}

// TestCanaries plants them: a letter to one, which is looked at while it waits in the
// outbox and in its queue, and requests that hold them where they do not belong.
func TestCanaries(t *testing.T) {
	must(t, stack.Pause(t.Context(), "SendMailMail"))
	paused := true
	resume := func() {
		if paused {
			must(t, stack.Resume("SendMailMail"))
		}
		paused = false
	}
	t.Cleanup(resume)
	id := mail.ID(fmt.Sprintf("canary-%d", time.Now().UnixNano()))
	putLetter(t, mail.Letter{ID: id, Kind: mail.Reset, Locale: "en", To: canaryMail, Token: canaryToken, At: time.Now().UTC()})
	queue := variable("QUEUE_MailQueue")
	eventually(t, 20*time.Second, func() error {
		out, err := stack.Clients().Queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, VisibilityTimeout: 1})
		if err != nil {
			return err
		}
		for _, m := range out.Messages {
			canaries.heard("the queue MailQueue", []byte(*m.Body))
			if strings.Contains(*m.Body, string(id)) {
				return nil
			}
		}
		return yet("no message of letter %s", id)
	})
	must(t, lookAtTables(t.Context()))
	resume()
	if m := awaitLetter(t, canaryMail); !strings.Contains(m.Text, canaryToken) {
		t.Errorf("the letter itself lacks its token: %s", m.Text)
	}
	liveAsCanary(t)
	must(t, lookAtTables(t.Context()))
	b := guest(t)
	for _, r := range misplaced() {
		got, err := b.Do(t.Context(), r.method, r.path, r.header, []byte(r.body))
		must(t, err)
		if which := canaries.in(got.Body); which != "" && got.Status >= 400 {
			t.Errorf("%s %s: the error has %s: %s", r.method, r.path, which, got.Body)
		}
	}
}

// liveAsCanary registers, logs in, tells a name and a number, buys, and forgets the
// password: the tokens of all this are canaries, too.
func liveAsCanary(t *testing.T) {
	t.Helper()
	m := &member{buyer: buyer{client(), t}, email: canaryMail, password: canaryPassword}
	must(t, m.post("/accounts", map[string]string{"email": m.email, "password": m.password, "locale": "en"}, nil))
	proof := proofIn(t, m.email, "fsc1.")
	canaries.add("the token of a registration", proof)
	must(t, m.post("/accounts/verifications", map[string]string{"token": proof, "password": m.password}, nil))
	must(t, m.logIn(m.password, ""))
	canaries.add("an access token", m.Access)
	canaries.add("a refresh token", m.Refresh)
	must(t, m.Call(t.Context(), http.MethodPatch, "/me", "", map[string]string{"name": canaryName, "phone": canaryPhone}, nil))
	s := shop.open(t, "arthouse-40")
	paidFor(t, m.await(m.pay(m.hold(s, s.regular(t, 2, 0)...).ID, "success").OrderID, "PAID", holdTime))
	refused(t, (&member{buyer: buyer{client(), t}, email: m.email}).logIn(canaryPassword+"?", ""), 401, "wrong_credentials")
	must(t, m.post("/password-resets", map[string]string{"email": m.email}, nil))
}

// misplaced are requests with canaries where nobody asks for them.
func misplaced() []request {
	json := func(extra ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {canaryDocument + "-" + canaryPhone[1:]}}
		for i := 0; i+1 < len(extra); i += 2 {
			h.Set(extra[i], extra[i+1])
		}
		return h
	}
	body := fmt.Sprintf(`{"email":%q,"phone":%q,"document":%q,"password":%q,"token":%q}`, canaryMail, canaryPhone, canaryDocument, canaryPassword, canaryToken)
	return []request{
		{method: "GET", path: "/cities?q=" + url.QueryEscape(canaryMail), header: nil, body: ""},
		{method: "GET", path: "/cities?limit=" + url.QueryEscape(canaryMail), header: nil, body: ""},
		{method: "GET", path: "/cities?cursor=" + url.QueryEscape(canaryToken), header: nil, body: ""},
		{method: "POST", path: "/shows/x/holds", header: json(), body: body},
		{method: "POST", path: "/holds/x/payments", header: json(), body: body},
		{method: "POST", path: "/sessions", header: json("Authorization", "Bearer "+canaryToken), body: body},
		{method: "GET", path: "/me/orders", header: json("Authorization", "Bearer "+canaryPassword), body: ""},
		{method: "POST", path: "/callbacks/sandbox", header: json("X-Sandbox-Signature", canaryToken), body: body},
	}
}

// TestCanariesAreFound: in each form, wherever in a text it stands.
func TestCanariesAreFound(t *testing.T) {
	a := newAviary("ada@example.com")
	for pad := range 5 {
		text := []byte(strings.Repeat("x", pad) + "ada@example.com" + strings.Repeat("y", 7-pad))
		for name, form := range map[string]string{
			"clear": string(text), "hexadecimal": hex.EncodeToString(text), "HEXADECIMAL": strings.ToUpper(hex.EncodeToString(text)),
			"base64": base64.StdEncoding.EncodeToString(text), "base64url": base64.RawURLEncoding.EncodeToString(text),
			"escaped": url.QueryEscape(string(text)),
		} {
			if a.in([]byte("..."+form+"...")) == "" {
				t.Errorf("%s at %d is not found", name, pad)
			}
		}
	}
	if a.in([]byte("ada@example.org")) != "" {
		t.Error("another is found")
	}
	a.heard("x", []byte("ada@example.com"))
	a.heard("x", []byte("ada@example.com"))
	if len(a.seen) != 1 {
		t.Errorf("seen %q", a.seen)
	}
}
