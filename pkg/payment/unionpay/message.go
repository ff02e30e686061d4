package unionpay

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
)

// message is the fields of one. Names and values are raw UTF-8.
type message map[string]string

// text is what is signed of a message: an empty value stays as k=, as UnionPay's SDK
// in Java has it.
func (m message) text() string {
	return fields.Text(m, func(name, _ string) bool { return name == "signature" })
}

// plain reports whether the text that is signed has these fields and no others. Without
// that, who has a notice could put one field into the value before it, and the signature
// would still be right. Only brackets may hold an &, as in an answer.
func (m message) plain() bool {
	for k, v := range m {
		if strings.ContainsAny(k, "&=") || valueEnd(v) != len(v) {
			return false
		}
	}
	return true
}

// parseAnswer reads an answer, which is k=v joined by & without any encoding: values
// hold =, + and line ends, and an & inside {…} or […] is theirs, as in parseQString
// of UnionPay's SDK. Brackets do not nest there, nor do they here.
func parseAnswer(body []byte) (message, error) {
	m, rest := message{}, string(body)
	for {
		k, after, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, errors.New("not an answer")
		}
		end := valueEnd(after)
		if _, twice := m[k]; twice || k == "" || strings.Contains(k, "&") || !utf8.ValidString(k) || !utf8.ValidString(after[:end]) {
			return nil, fmt.Errorf("field %.40q is repeated, not a name or not UTF-8", k)
		}
		m[k] = after[:end]
		if end == len(after) {
			return m, nil
		}
		rest = after[end+1:]
	}
}

func valueEnd(s string) int {
	var close byte
	for i := range len(s) {
		switch c := s[i]; {
		case close != 0:
			if c == close {
				close = 0
			}
		case c == '{':
			close = '}'
		case c == '[':
			close = ']'
		case c == '&':
			return i
		}
	}
	return len(s)
}

// word reports whether s is letters and digits, from least to most of them.
func word(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
