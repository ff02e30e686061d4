package vault

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what a value is, and so when two writings are the same. The zero value is invalid.
type Kind uint8

const (
	_        Kind = iota
	Email         // without case: mail systems that tell A from a are a danger to their users
	Phone         // E.164, as +86 138 0013 8000: blanks, dots, dashes and brackets do not count
	Document      // a passport's or identity card's: letters and digits without case
)

// kinds name the keys of the blind index: a value of one kind is not found as another.
var kinds = map[Kind]string{Email: "e-mail", Phone: "phone", Document: "document"}

// longest value in bytes; an e-mail address has at most 254 by RFC 5321, 4.5.3.1.
const longest = 254

// Normal is the one writing of a value; ok is false for what cannot be of the kind.
func (k Kind) Normal(value string) (normal string, ok bool) {
	value = strings.TrimSpace(value)
	if value == "" || len(value) > longest || !utf8.ValidString(value) {
		return "", false
	}
	switch k {
	case Email:
		return normalEmail(value)
	case Phone:
		return normalPhone(value)
	case Document:
		return normalDocument(value)
	}
	return "", false
}

// normalEmail accepts what one mailbox may be called, and nothing that could be read as
// two or as a header: no blanks, no controls, none of the signs of RFC 5322's lists.
func normalEmail(s string) (string, bool) {
	name, domain, ok := strings.Cut(s, "@")
	if !ok || name == "" || len(name) > 64 || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "@_") {
		return "", false
	}
	for _, label := range strings.Split(domain, ".") {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return "", false
		}
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune(`"(),:;<>[\]`, r) {
			return "", false
		}
	}
	return strings.ToLower(s), true
}

// normalPhone wants the country's number: a local one means another person elsewhere.
func normalPhone(s string) (string, bool) {
	s = strip(s, " .-()")
	digits, ok := strings.CutPrefix(s, "+")
	if !ok || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return s, true
}

func normalDocument(s string) (string, bool) {
	s = strings.ToUpper(strip(s, " -"))
	if len(s) < 4 || len(s) > 32 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "", false
	}
	return s, true
}

func strip(s, cut string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(cut, r) {
			return -1
		}
		return r
	}, s)
}
