package cloud

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/localstack/rights"
)

// spoiltTemplate is the test stack with one place changed.
func spoiltTemplate(t *testing.T, old, spoilt string) string {
	t.Helper()
	return spoiltFile(t, "template.yaml", old, spoilt)
}

func spoiltFile(t *testing.T, name, old, spoilt string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the template has no %q", old)
	}
	file, err := os.CreateTemp(home, "template-*.yaml") // beside the built functions
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(file.Name()) })
	if _, err := io.WriteString(file, strings.Replace(string(text), old, spoilt, 1)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(home, filepath.Base(file.Name()))
}

// TestRolesAreExact: from request to queue every right is used, and no other.
func TestRolesAreExact(t *testing.T) {
	for _, store := range stores {
		t.Run(store.String(), func(t *testing.T) {
			c := start(t, func(o *Options) { o.Store = store })
			call(t, c, "GET", "0") // only who may list learns that an object is not there
			call(t, c, "PUT", "1")
			until(t, "the note is marked", func() bool { return call(t, c, "GET", "1").Marked })
			exact := func() bool { return len(rights.Compare(c.Stack, c.Rights(), true)) == 0 }
			until(t, "every right is used: the message is deleted last", exact)
		})
	}
}

// TestRefusedWithoutARight: each row takes one right away. The function, or the
// source that reads in its name, is refused, and the comparison names it.
func TestRefusedWithoutARight(t *testing.T) {
	for _, tt := range []struct {
		old, spoilt    string
		function, need string
	}{
		{"[dynamodb:GetItem, dynamodb:PutItem]", "[dynamodb:GetItem]", "Write", "dynamodb:PutItem"},
		{"Action: [sqs:SendMessage], Resource: !GetAtt Inbox.Arn", "Action: [sqs:SendMessage], Resource: !GetAtt Dead.Arn", "Relay", "sqs:SendMessage"},
		{"dynamodb:ListStreams", "dynamodb:DescribeTable", "Relay", "dynamodb:ListStreams"},
		{"sqs:DeleteMessage, ", "", "Mark", "sqs:DeleteMessage"},
		{"${Kept.Arn}/marks/*", "${Kept.Arn}/others/*", "Mark", "s3:PutObject"},
	} {
		t.Run(tt.need, func(t *testing.T) {
			c := start(t, func(o *Options) { o.Template = spoiltTemplate(t, tt.old, tt.spoilt) })
			status := put(t, c)
			if want := map[bool]int{true: 502, false: 201}[tt.function == "Write"]; status != want {
				t.Errorf("the write is answered %d, not %d", status, want)
			}
			until(t, "the refusal is known", func() bool {
				for _, f := range rights.Compare(c.Stack, c.Rights(), false) {
					if f.Function == tt.function && f.Action == tt.need && f.Granted == "no" {
						return true
					}
				}
				return false
			})
		})
	}
}

// TestRecordLetsThrough what is not granted, and names it all the same.
func TestRecordLetsThrough(t *testing.T) {
	c := start(t, func(o *Options) {
		o.Template = spoiltTemplate(t, "[dynamodb:GetItem, dynamodb:PutItem]", "[dynamodb:GetItem]")
		o.Rights = rights.Record
	})
	if status := put(t, c); status != 201 {
		t.Errorf("the write is answered %d", status)
	}
	fs := rights.Compare(c.Stack, c.Rights(), false)
	if len(fs) != 1 || fs[0].Function != "Write" || fs[0].Action != "dynamodb:PutItem" || fs[0].Granted != "no" {
		t.Errorf("found\n%s", rights.Table(fs))
	}
}

// TestOffAsksNobody.
func TestOffAsksNobody(t *testing.T) {
	c := start(t, func(o *Options) {
		o.Template = spoiltTemplate(t, "[dynamodb:GetItem, dynamodb:PutItem]", "[dynamodb:GetItem]")
		o.Rights = rights.Off
	})
	if status := put(t, c); status != 201 || len(c.Rights().Used) != 0 {
		t.Errorf("the write is answered %d, %d uses are known", status, len(c.Rights().Used))
	}
}

// TestConditionsAreRefusedByName: what cannot be judged is not passed over.
func TestConditionsAreRefusedByName(t *testing.T) {
	_, err := Start(t.Context(), options(t, func(o *Options) {
		o.Template = spoiltTemplate(t, "Resource: !GetAtt Inbox.Arn}", "Resource: !GetAtt Inbox.Arn, Condition: {Bool: {\"aws:SecureTransport\": \"true\"}}}")
	}))
	if err == nil || !strings.Contains(err.Error(), "Relay: statement 2 has the condition Bool") {
		t.Errorf("got %v", err)
	}
}

func put(t *testing.T, c *Cloud) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "PUT", c.URL+"/notes/9", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", variable(c, "API_KEY_Key"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
