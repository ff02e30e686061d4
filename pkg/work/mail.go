package work

import (
	"context"

	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/relay"
)

// RelayMail sends on what the stream of the outbox causes.
func RelayMail(s Sender) StreamHandler {
	return Stream(func(ctx context.Context, r relay.Record) error {
		ms, err := relay.OfMail(r)
		return send(ctx, s, ms, err)
	})
}

// SendMail sends the letters that messages name.
func SendMail(o *mail.Office) QueueHandler {
	return Messages(false, func(ctx context.Context, m relay.MailDue) error { return o.Send(ctx, m.Mail) })
}
