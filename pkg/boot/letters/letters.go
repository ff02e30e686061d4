// Package letters builds what sends e-mail, apart from all else: only send-mail speaks SMTP.
package letters

import (
	"log/slog"
	"strconv"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/safe"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/mail/smtp"
	"github.com/fairseat/fairseat/pkg/store"
)

// Office sends the letters of the deployed outbox. No call is made.
func Office(p *boot.Parts) *mail.Office {
	t := desk.Tables(p)
	port, _ := strconv.Atoi(p.Text("SMTP_PORT"))
	carrier, err := smtp.New(smtp.Config{
		Host: p.Text("SMTP_HOST"), Port: port, From: p.Text("MAIL_FROM"),
		User: p.Env("SMTP_USER"), Password: p.Env("SMTP_PASSWORD"), Plain: p.Env("SMTP_SECURITY") == "none",
	}, boot.Clock)
	if err != nil {
		p.Fail(err)
	}
	return &mail.Office{
		Outbox: store.NewOutbox(t), Vault: safe.Sealer(p, t), Carrier: carrier, Clock: boot.Clock, Log: slog.Default(),
	}
}
