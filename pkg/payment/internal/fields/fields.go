// Package fields reads and joins the form fields that Alipay and UnionPay sign.
package fields

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse reads a form, decoding each name and value once. A name that comes twice,
// a part without "=", an escape that is none and bytes that are no UTF-8 are
// refused: each is a way to make two readers see two messages.
func Parse(body []byte) (map[string]string, error) {
	out := map[string]string{}
	if len(body) == 0 {
		return out, nil
	}
	for part := range strings.SplitSeq(string(body), "&") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || strings.ContainsRune(part, ';') {
			return nil, errors.New("a part is not name=value")
		}
		k, err := url.QueryUnescape(name)
		if err != nil {
			return nil, errors.New("a name is escaped wrongly")
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, errors.New("a value is escaped wrongly")
		}
		if k == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, errors.New("a name is empty, or a text is not UTF-8")
		}
		if _, twice := out[k]; twice {
			return nil, fmt.Errorf("field %.40q is repeated", k)
		}
		out[k] = v
	}
	return out, nil
}

// Text joins name=value with "&", by the bytes of the names, raw: what is signed
// is not escaped. Fields that leave wants away are not in it.
func Text(in map[string]string, leave func(name, value string) bool) string {
	names := make([]string, 0, len(in))
	for k, v := range in {
		if !leave(k, v) {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for i, k := range names {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(k)
		b.WriteByte('=')
		b.WriteString(in[k])
	}
	return b.String()
}

// Encode escapes the fields for a body, by the bytes of the names.
func Encode(in map[string]string) []byte {
	v := make(url.Values, len(in))
	for k, s := range in {
		v[k] = []string{s}
	}
	return []byte(v.Encode())
}
