// Package smtp hands messages over to an SMTP server: in AWS that of SES, on one machine
// that of the local mailbox.
package smtp

import (
	"context"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/fairseat/fairseat/pkg/mail"
)

// Config is where and as whom. User and Password are empty where nobody asks for them.
type Config struct {
	Host           string
	Port           int
	From           string // address; its domain ends the Message-IDs
	User, Password string
	Plain          bool // without TLS: to this machine alone
}

// Carrier speaks SMTP, one connection a message.
type Carrier struct {
	config Config
	clock  func() time.Time
}

var _ mail.Carrier = (*Carrier)(nil)

// limit of a whole conversation. SES answers in well under a second.
const limit = 8 * time.Second

// ErrConfig names no value: a password may be among them.
var ErrConfig = errors.New("smtp: no address to send from, no server, or no TLS to another machine")

// New makes a Carrier. No call is made.
func New(c Config, clock func() time.Time) (*Carrier, error) {
	here := c.Host == "127.0.0.1" || c.Host == "localhost"
	m := gomail.NewMsg()
	if c.Host == "" || c.Port <= 0 || m.From(c.From) != nil || c.Plain && !here {
		return nil, ErrConfig
	}
	return &Carrier{c, clock}, nil
}

// Carry hands one message over. Its Message-ID is made of its id.
func (c *Carrier) Carry(ctx context.Context, m mail.Message) error {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if msg.FromFormat("Fairseat", c.config.From) != nil || msg.To(m.To) != nil {
		return fmt.Errorf("smtp: an address cannot be written: %w", mail.ErrRefused)
	}
	msg.SetMessageIDWithValue(string(m.ID) + "@" + domain(c.config.From))
	msg.SetDateWithValue(c.clock())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence answers
	msg.SetGenHeader("Content-Language", m.Language)
	msg.Subject(m.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	client, err := gomail.NewClient(c.config.Host, c.options()...)
	if err != nil {
		return ErrConfig
	}
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	err = client.DialAndSendWithContext(ctx, msg)
	if msg.IsDelivered() {
		return nil // what went wrong afterwards is no reason for a second copy
	}
	return tell(ctx, err)
}

func domain(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == '@' {
			return address[i+1:]
		}
	}
	return address
}

func (c *Carrier) options() []gomail.Option {
	o := []gomail.Option{gomail.WithPort(c.config.Port), gomail.WithTimeout(limit), gomail.WithHELO("fairseat"), gomail.WithTLSPolicy(gomail.TLSMandatory)}
	if c.config.Plain {
		o = append(o, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if c.config.User != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthPlain), gomail.WithUsername(c.config.User), gomail.WithPassword(c.config.Password))
	}
	return o
}

// tell keeps of an error what is no one's: the library's own text holds addresses, and
// the server's may.
func tell(ctx context.Context, err error) error {
	var s *gomail.SendError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("smtp: %w", context.Cause(ctx))
	case errors.As(err, &s) && !s.IsTemp() && s.ErrorCode() >= 500 && s.ErrorCode() != unauthorized && s.Reason != gomail.ErrSMTPMailFrom:
		return fmt.Errorf("smtp: the server says %d: %w", s.ErrorCode(), mail.ErrRefused)
	case errors.As(err, &s):
		return fmt.Errorf("smtp: the server says %d", s.ErrorCode())
	}
	return errors.New("smtp: the server was not reached, or did not let us in")
}

// unauthorized is our fault, not the letter's: RFC 4954, 6.
const unauthorized = 530
