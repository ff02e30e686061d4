package smtp_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/mailbox/inbox"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/mail/smtp"
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// start serves a mailbox and gives its port.
func start(t *testing.T) (*inbox.Box, smtp.Config) {
	t.Helper()
	box, err := inbox.Open("", clock)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := box.SMTP()
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return box, smtp.Config{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "no-reply@fairseat.example", Plain: true}
}

func carrier(t *testing.T, c smtp.Config) *smtp.Carrier {
	t.Helper()
	k, err := smtp.New(c, clock)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var message = mail.Message{ID: "m_1", To: "ada@example.com", Language: "zh", Subject: "您的 Fairseat 验证码", Text: "请输入以下验证码：\n\na-token_0123456789012345678901234567890123456789012345678901234567890123456789\n"}

// TestCarry: over the wire, as it was written.
func TestCarry(t *testing.T) {
	box, c := start(t)
	for range 2 {
		if err := carrier(t, c).Carry(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	all := box.Messages("Ada@example.com")
	if len(all) != 2 || len(box.Messages("other@example.com")) != 0 {
		t.Fatalf("%d letters", len(all))
	}
	for _, m := range all {
		if m.MessageID != "m_1@fairseat.example" || m.From != c.From || m.Subject != message.Subject || m.Text != message.Text || m.Language != "zh" ||
			!strings.Contains(m.Raw, "Auto-Submitted: auto-generated\r\n") || !strings.Contains(m.Raw, "Date: Wed, 01 May 2030 12:00:00 +0000\r\n") {
			t.Errorf("%+v\n%s", m, m.Raw)
		}
	}
}

// TestRefusals: what is in vain is told from what is not, and no error names anybody.
func TestRefusals(t *testing.T) {
	box, c := start(t)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	away := c
	away.Port, _ = strconv.Atoi(nobody.Addr().String()[len("127.0.0.1:"):])
	over, stop := context.WithCancel(t.Context())
	stop()
	for _, tt := range []struct {
		name string
		c    smtp.Config
		ctx  context.Context
		to   string
		vain bool
	}{
		{"no such mailbox", c, t.Context(), "ada@refused.invalid", true},
		{"no address", c, t.Context(), "ada", true},
		{"not yet", c, t.Context(), "ada@later.invalid", false},
		{"nobody there", away, t.Context(), "ada@example.com", false},
		{"no time", c, over, "ada@example.com", false},
	} {
		m := message
		m.To = tt.to
		err := carrier(t, tt.c).Carry(tt.ctx, m)
		if err == nil || errors.Is(err, mail.ErrRefused) != tt.vain || strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), "a-token") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if n := len(box.Messages("")); n != 0 {
		t.Errorf("%d letters arrived", n)
	}
}

// TestTLSIsAsked: of every server but this machine's.
func TestTLSIsAsked(t *testing.T) {
	_, c := start(t)
	c.Plain = false
	if err := carrier(t, c).Carry(t.Context(), message); err == nil || errors.Is(err, mail.ErrRefused) {
		t.Errorf("a server without TLS: %v", err)
	}
	for name, spoil := range map[string]func(*smtp.Config){
		"another machine in clear": func(c *smtp.Config) { c.Host, c.Plain = "mail.example.com", true },
		"no server":                func(c *smtp.Config) { c.Host = "" },
		"no port":                  func(c *smtp.Config) { c.Port = 0 },
		"no sender":                func(c *smtp.Config) { c.From = "nobody" },
	} {
		bad := c
		spoil(&bad)
		if _, err := smtp.New(bad, clock); !errors.Is(err, smtp.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
