package unionpay

import (
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

var beijing = time.FixedZone("CST", 8*3600)

const layout = "20060102150405"

// message is the fields of one.
type message map[string]string

// parse reads a request: a form in the body and nothing beside it, no name twice, none
// without a value.
func parse(contentType, query string, body []byte) (message, error) {
	if typ, _, _ := strings.Cut(contentType, ";"); typ != "application/x-www-form-urlencoded" || query != "" {
		return nil, errors.New("not a form in the body")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("not a form")
	}
	m := message{}
	for k, v := range values {
		if len(v) != 1 || v[0] == "" {
			return nil, errors.New("a field is empty or comes twice: " + strconv.Quote(k))
		}
		m[k] = v[0]
	}
	return m, nil
}

func (m message) text() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if k != "signature" {
			parts = append(parts, k+"="+m[k])
		}
	}
	return strings.Join(parts, "&")
}

// plain is how the gateway answers: nothing is encoded.
func (m message) plain() string { return m.text() + "&signature=" + m["signature"] }

func (m message) form() string {
	v := url.Values{}
	for k, x := range m {
		v.Set(k, x)
	}
	return v.Encode()
}

var (
	numbers = regexp.MustCompile(`^[0-9A-Za-z]{8,40}$`)
	names   = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)
	amounts = regexp.MustCompile(`^[1-9][0-9]{0,11}$`)
)

// common reports whether the fields that every request has say what they must.
func (m message) common() bool {
	return m["version"] == "5.1.0" && m["encoding"] == "UTF-8" && m["signMethod"] == "01" && m["accessType"] == "0"
}

var always = []string{"version", "encoding", "signMethod", "accessType", "txnType", "txnSubType", "bizType", "merId", "txnTime", "certId", "signature"}

// besides are the fields that a kind of transaction has besides; those with a question
// mark may be left out.
var besides = map[string][]string{
	"01": {"orderId", "channelType", "txnAmt", "currencyCode", "backUrl", "payTimeout", "reqReserved?", "orderDesc?"},
	"04": {"orderId", "channelType", "txnAmt", "origQryId", "backUrl", "reqReserved?"},
	"31": {"orderId", "channelType", "txnAmt", "origQryId", "backUrl", "reqReserved?"},
	"00": {"orderId", "channelType"},
	"76": {"settleDate", "fileType"},
}

// shaped reports whether all fields of its kind are there, and no others.
func (m message) shaped() bool {
	more, known := besides[m["txnType"]]
	seen := 0
	for _, k := range append(slices.Clone(always), more...) {
		k, optional := strings.CutSuffix(k, "?")
		if _, there := m[k]; there {
			seen++
		} else if !optional {
			return false
		}
	}
	return known && seen == len(m)
}

func (m message) order() bool {
	return numbers.MatchString(m["orderId"]) && amounts.MatchString(m["txnAmt"]) && !m.time("txnTime").IsZero() && len(m["reqReserved"]) <= 1024
}

// address refuses what would be mixed into the fields of a notice.
func (m message) address() bool {
	u, err := url.Parse(m["backUrl"])
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.RawQuery == "" && u.Fragment == ""
}

// time is zero where there is none.
func (m message) time(name string) time.Time {
	t, err := time.ParseInLocation(layout, m[name], beijing)
	if err != nil || t.Format(layout) != m[name] {
		return time.Time{}
	}
	return t
}

func (m message) yuan() money.Amount {
	fen, err := strconv.ParseInt(m["txnAmt"], 10, 64)
	if err != nil {
		fen = 0
	}
	return money.Amount{Minor: fen, Currency: "CNY"}
}

// clearing is the day that a transaction is cleared on: from eleven in the evening it is
// the next one.
func clearing(t time.Time) time.Time {
	t = t.In(beijing).Add(time.Hour)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, beijing)
}
