package relay

import (
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/store"
)

// MailDue is the body of a letter's message: it names nobody.
type MailDue struct {
	Mail mail.ID `json:"mail"`
}

// OfMail: a new letter of the outbox is to be sent.
func OfMail(r Record) ([]Message, error) {
	if r.New == nil || r.Old != nil {
		return nil, nil
	}
	p, err := store.PostFromItem(r.New)
	if err != nil {
		return nil, err
	}
	return one(Message{Queue: Letters}, MailDue{p.ID})
}
