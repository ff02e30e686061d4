package api

import (
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/vault"
)

// TestContact: one mailbox and one telephone have one index, however they are
// written; what is none of them is refused, and nothing of it is told.
func TestContact(t *testing.T) {
	k, err := vault.New(nil, nil, "a-blind-secret-0123456789", nil)
	must(t, err)
	read := func(contact string) (payBody, error) {
		return decodePay(`{"provider":"sandbox","contact":`+contact+`}`, k.Blind)
	}
	first, err := read(`{"email":"Ann+cinema@Example.org","phone":"+86 138 0013 8000"}`)
	must(t, err)
	same, err := read(`{"phone":"+8613800138000","email":"ann@example.org"}`)
	must(t, err)
	if *first.Contact != *same.Contact || first.Contact.Email == first.Contact.Phone {
		t.Errorf("%+v and %+v", first.Contact, same.Contact)
	}
	if text := string(canonical(first)); strings.Contains(text, "xample") || strings.Contains(text, "138") && strings.Contains(text, "8000") {
		t.Errorf("the request keeps its contact: %s", text)
	}
	for _, bad := range []string{`{}`, `[]`, `null`, `"ann@example.org"`, `{"email":""}`, `{"email":"ann"}`, `{"email":7}`, `{"phone":"138"}`, `{"email":"a@b.org","fax":"1"}`} {
		if _, err := read(bad); err == nil || codeOf(err) != "bad_request" || strings.Contains(err.Error(), "138") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
