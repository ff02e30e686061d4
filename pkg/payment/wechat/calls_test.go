package wechat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// answers is a provider whose every answer is the same, signed by WeChat.
func (v vectorFile) answers(t *testing.T, status int, body string) *Provider {
	t.Helper()
	key, now := private(t, v.Keys.Signing), time.Unix(v.Unix, 0)
	return v.provider(t, v.Unix, func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: sign(t, key, serialOf(t, v.Keys.Platform), now, "n", body), Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	})
}

func ref() payment.Ref {
	in := intent()
	return payment.Ref{ID: in.ID, OrderID: in.OrderID, Amount: in.Amount, CreatedAt: in.CreatedAt, ExpiresAt: in.ExpiresAt}
}

func back() payment.RefundRequest {
	return payment.RefundRequest{ID: "RF2026000001", Payment: ref(), Amount: money.Amount{Minor: 500, Currency: "CNY"}, Reason: "r"}
}

// ways are the four calls of the port, as errors.
func ways(ctx context.Context, p *Provider) map[string]error {
	_, create := p.Create(ctx, intent())
	_, query := p.Query(ctx, ref())
	_, shut := p.Close(ctx, ref())
	_, refund := p.Refund(ctx, back())
	return map[string]error{"create": create, "query": query, "close": shut, "refund": refund}
}

// TestRefusals: what WeChat's words mean, by what the caller can do.
func TestRefusals(t *testing.T) {
	v := vectors(t)
	internal := fault.KindOf(errors.New(""))
	for _, c := range []struct {
		status int
		code   string
		want   fault.Kind
	}{
		{404, "ORDER_NOT_EXIST", fault.NotFound}, {404, "ORDERNOTEXIST", fault.NotFound}, {404, "RESOURCE_NOT_EXISTS", fault.NotFound},
		{429, "FREQUENCY_LIMITED", fault.Busy}, {429, "", fault.Busy}, {403, "RATELIMIT_EXCEEDED", fault.Busy},
		{403, "NOT_ENOUGH", fault.Conflict}, {400, "INVALID_REQUEST", fault.Conflict}, {403, "OUT_TRADE_NO_USED", fault.Conflict}, {400, "", fault.Conflict},
		{401, "SIGN_ERROR", internal}, {400, "PARAM_ERROR", internal}, {400, "APPID_MCHID_NOT_MATCH", internal},
		{500, "SYSTEM_ERROR", fault.Unknown}, {502, "", fault.Unknown}, {503, "BANK_ERROR", fault.Unknown}, {302, "", fault.Unknown}, {404, "", fault.Unknown},
	} {
		p := v.answers(t, c.status, `{"code":"`+c.code+`","message":"secret words","detail":{}}`)
		for way, err := range ways(t.Context(), p) {
			if fault.KindOf(err) != c.want || err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%d %s: %s: %v", c.status, c.code, way, err)
			}
		}
	}
}

// TestNoAnswer: whatever is not signed by WeChat tells nothing, least of all a refusal.
func TestNoAnswer(t *testing.T) {
	v := vectors(t)
	key, evil, now := private(t, v.Keys.Signing), private(t, v.Keys.Evil), time.Unix(v.Unix, 0)
	serial := serialOf(t, v.Keys.Platform)
	const gone = `{"code":"ORDER_NOT_EXIST","message":"m"}`
	for name, header := range map[string]http.Header{
		"unsigned":         {},
		"by another key":   sign(t, evil, serial, now, "n", gone),
		"another body's":   sign(t, key, serial, now, "n", gone+" "),
		"old":              sign(t, key, serial, now.Add(-window-time.Second), "n", gone),
		"of no known key":  sign(t, key, "PUB_KEY_ID_2", now, "n", gone),
		"by our own key":   sign(t, private(t, v.Keys.Merchant), v.Keys.Serial, now, "n", gone),
		"without a serial": {headTime: {"1768449600"}, headNonce: {"n"}, headSignature: {"AAAA"}},
	} {
		p := v.provider(t, v.Unix, func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 404, Header: header, Body: io.NopCloser(strings.NewReader(gone))}, nil
		})
		for way, err := range ways(t.Context(), p) {
			if !errors.Is(err, payment.ErrOutcome) {
				t.Errorf("%s: %s: %v", name, way, err)
			}
		}
	}
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"nobody there": {&net.OpError{Op: "dial", Err: errors.New("refused")}, payment.ErrProviderDown},
		"hung up":      {io.ErrUnexpectedEOF, payment.ErrOutcome},
		"out of time":  {context.DeadlineExceeded, payment.ErrOutcome},
	} {
		p := v.provider(t, v.Unix, func(*http.Request) (*http.Response, error) { return nil, c.err })
		for way, err := range ways(t.Context(), p) {
			if !errors.Is(err, c.want) || strings.Contains(err.Error(), "mchid") {
				t.Errorf("%s: %s: %v", name, way, err)
			}
		}
	}
	long := v.answers(t, 200, `{"code_url":"`+strings.Repeat("x", maxBody)+`"}`)
	for way, err := range ways(t.Context(), long) {
		if !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("too long: %s: %v", way, err)
		}
	}
}

// TestWhatIsNotAsked: a wrong request never leaves.
func TestWhatIsNotAsked(t *testing.T) {
	v := vectors(t)
	p := v.provider(t, v.Unix, nil)
	for name, spoil := range map[string]func(*payment.Intent){
		"dollars":         func(in *payment.Intent) { in.Amount.Currency = "USD" },
		"nothing":         func(in *payment.Intent) { in.Amount.Minor = 0 },
		"number":          func(in *payment.Intent) { in.ID = "../certificates" },
		"notify query":    func(in *payment.Intent) { in.NotifyURL += "?a=1" },
		"no notify":       func(in *payment.Intent) { in.NotifyURL = "" },
		"no description":  func(in *payment.Intent) { in.Description = "" },
		"a long order id": func(in *payment.Intent) { in.OrderID = strings.Repeat("o", 129) },
	} {
		in := intent()
		spoil(&in)
		if _, err := p.Create(t.Context(), in); fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"query":      second(p.Query(t.Context(), payment.Ref{ID: "a/b"})),
		"close":      second(p.Close(t.Context(), payment.Ref{ID: ""})),
		"refund":     second(p.Refund(t.Context(), payment.RefundRequest{ID: "a b", Payment: ref(), Amount: ref().Amount})),
		"of nothing": second(p.Refund(t.Context(), payment.RefundRequest{ID: "RF2026000001", Payment: payment.Ref{ID: ref().ID}, Amount: ref().Amount})),
	} {
		if err == nil {
			t.Error(name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestExpiry: an order ends with its hold, but for the minute that WeChat wants, and is
// the same however often it is asked for.
func TestExpiry(t *testing.T) {
	v := vectors(t)
	p := v.provider(t, v.Unix, nil)
	in := intent()
	if got := p.order(in).Expires; got != "2026-01-15T12:05:00+08:00" {
		t.Error(got)
	}
	in.CreatedAt = in.ExpiresAt.Add(-10*time.Second + 300*time.Millisecond)
	if got := p.order(in).Expires; got != "2026-01-15T12:05:51+08:00" {
		t.Error(got)
	}
	in.Description = strings.Repeat("票", 50)
	if got := p.order(in).Description; got != strings.Repeat("票", 42) {
		t.Error(len(got), got)
	}
}

func transaction(state, more string) string {
	return `{"appid":"wx0000000000000001","mchid":"1900000001","out_trade_no":"ORD2026000001","trade_state":"` + state + `","trade_state_desc":"x"` + more + `}`
}

const money1499 = `,"amount":{"total":1499,"payer_total":1400,"currency":"CNY","payer_currency":"CNY"}`

// TestQuery: each state of an order, and answers that are none.
func TestQuery(t *testing.T) {
	v := vectors(t)
	paid := money1499 + `,"transaction_id":"42","success_time":"2026-01-15T12:01:00+08:00","attach":"o","promotion_detail":[{"amount":99}]`
	for state, want := range map[string]payment.ReportState{
		"SUCCESS": payment.ReportCaptured, "REFUND": payment.ReportCaptured, "NOTPAY": payment.ReportPending, "USERPAYING": payment.ReportPending,
		"CLOSED": payment.ReportClosed, "REVOKED": payment.ReportClosed, "PAYERROR": payment.ReportFailed,
	} {
		more := money1499
		if want == payment.ReportCaptured {
			more = paid
		}
		r, err := v.answers(t, 200, transaction(state, more)).Query(t.Context(), ref())
		if err != nil || r.State != want || r.Payment != ref().ID || r.Order != "o" || r.Amount != ref().Amount || (r.At.IsZero() == (want == payment.ReportCaptured)) {
			t.Errorf("%s: %+v %v", state, r, err)
		}
	}
	for name, body := range map[string]string{
		"another payment":  strings.Replace(transaction("SUCCESS", paid), "ORD2026000001", "ORD2026000002", 1),
		"another merchant": strings.Replace(transaction("SUCCESS", paid), "1900000001", "1900000002", 1),
		"another app":      strings.Replace(transaction("SUCCESS", paid), "wx0000000000000001", "wx0000000000000002", 1),
		"another state":    transaction("WON", paid),
		"no amount":        transaction("SUCCESS", `,"transaction_id":"42","success_time":"2026-01-15T12:01:00+08:00"`),
		"no number":        transaction("SUCCESS", money1499+`,"success_time":"2026-01-15T12:01:00+08:00"`),
		"no time":          transaction("SUCCESS", money1499+`,"transaction_id":"42"`),
		"two states":       transaction("SUCCESS", paid+`,"trade_state":"SUCCESS"`),
		"nothing":          "",
	} {
		if r, err := v.answers(t, 200, body).Query(t.Context(), ref()); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
	// Another amount or order is authentic: it is not for us to hide it.
	r, err := v.answers(t, 200, strings.NewReplacer("1499", "1", `"o"`, `"p"`).Replace(transaction("SUCCESS", paid))).Query(t.Context(), ref())
	if err != nil || r.Amount.Minor != 1 || r.Order != "p" {
		t.Errorf("%+v %v", r, err)
	}
}

// TestClose: what is true then, also where the buyer was faster.
func TestClose(t *testing.T) {
	v := vectors(t)
	if r, err := v.answers(t, 204, "").Close(t.Context(), ref()); err != nil || r.State != payment.ReportClosed || r.Order != "o" || r.Payment != ref().ID {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := v.answers(t, 400, `{"code":"ORDER_CLOSED"}`).Close(t.Context(), ref()); err != nil || r.State != payment.ReportClosed {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := v.answers(t, 202, `{"code":"USERPAYING"}`).Close(t.Context(), ref()); err != nil || r.State != payment.ReportPending {
		t.Errorf("%+v %v", r, err)
	}
	key, now := private(t, v.Keys.Signing), time.Unix(v.Unix, 0)
	p := v.provider(t, v.Unix, func(r *http.Request) (*http.Response, error) {
		status, body := 400, `{"code":"ORDERPAID"}`
		if r.Method == "GET" {
			status, body = 200, transaction("SUCCESS", money1499+`,"transaction_id":"42","success_time":"2026-01-15T12:01:00+08:00"`)
		}
		return &http.Response{StatusCode: status, Header: sign(t, key, serialOf(t, v.Keys.Platform), now, "n", body), Body: io.NopCloser(strings.NewReader(body))}, nil
	})
	if r, err := p.Close(t.Context(), ref()); err != nil || r.State != payment.ReportCaptured || r.ProviderRef != "42" {
		t.Errorf("%+v %v", r, err)
	}
	if c, err := p.Create(t.Context(), intent()); !errors.Is(err, payment.ErrOutcome) { // it is paid: asking tells
		t.Errorf("%+v %v", c, err)
	}
	if c, err := v.answers(t, 403, `{"code":"ORDER_CLOSED"}`).Create(t.Context(), intent()); err != nil || c.Report.State != payment.ReportFailed {
		t.Errorf("%+v %v", c, err)
	}
}

// TestRefund: each status, and answers about something else.
func TestRefund(t *testing.T) {
	v := vectors(t)
	body := `{"refund_id":"50","out_refund_no":"RF2026000001","transaction_id":"42","out_trade_no":"ORD2026000001","status":"SUCCESS","create_time":"2026-01-15T12:02:00+08:00","success_time":"2026-01-15T12:03:00+08:00","amount":{"total":1499,"refund":500,"payer_total":1499,"payer_refund":500,"currency":"CNY"}}`
	for status, want := range map[string]payment.RefundState{
		"SUCCESS": payment.RefundDone, "PROCESSING": payment.RefundPending, "CLOSED": payment.RefundFailed, "ABNORMAL": payment.RefundFailed,
	} {
		got, err := v.answers(t, 200, strings.Replace(body, "SUCCESS", status, 1)).Refund(t.Context(), back())
		if err != nil || got.State != want || got.ID != "RF2026000001" || got.Payment != ref().ID || got.Amount.Minor != 500 || got.At.IsZero() || got.ProviderRef != "50" {
			t.Errorf("%s: %+v %v", status, got, err)
		}
	}
	for name, change := range map[string][]string{
		"another number":  {"RF2026000001", "RF2026000002"},
		"another payment": {"ORD2026000001", "ORD2026000002"},
		"another amount":  {`"refund":500`, `"refund":501`},
		"dollars":         {"CNY", "USD"},
		"another status":  {`"SUCCESS"`, `"DONE"`},
		"no amount":       {`"amount"`, `"sum"`},
	} {
		got, err := v.answers(t, 200, strings.NewReplacer(change...).Replace(body)).Refund(t.Context(), back())
		if !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

// TestAcknowledge is what stops WeChat, and what makes it come again.
func TestAcknowledge(t *testing.T) {
	p := vectors(t).provider(t, 0, nil)
	for status, err := range map[int]error{
		200: nil, 401: payment.ErrReplayWindow, 400: payment.ErrMalformed, 404: payment.ErrNotFound, 409: payment.ErrMismatch, 503: errors.New("the table is gone"),
	} {
		a := p.Acknowledge(err)
		word := map[bool]string{true: `"code":"SUCCESS"`, false: `"code":"FAIL"`}[err == nil]
		if a.Status != status || !bytes.Contains(a.Body, []byte(word)) || bytes.Contains(a.Body, []byte("table")) {
			t.Errorf("%v: %d %s", err, a.Status, a.Body)
		}
	}
}

func TestNew(t *testing.T) {
	v := vectors(t)
	good := v.provider(t, v.Unix, nil).opt
	for name, spoil := range map[string]func(*Options){
		"a query":     func(o *Options) { o.Base += "?a=1" },
		"no address":  func(o *Options) { o.Base = "" },
		"no client":   func(o *Options) { o.Client = nil },
		"no clock":    func(o *Options) { o.Now = nil },
		"no nonce":    func(o *Options) { o.Nonce = nil },
		"no merchant": func(o *Options) { o.Merchant = "" },
		"no app":      func(o *Options) { o.App = "" },
		"no keys":     func(o *Options) { o.Keys = Keys{} },
		"notify":      func(o *Options) { o.NotifyURL += "?a=b" },
	} {
		opt := good
		spoil(&opt)
		if _, err := New(opt); err == nil {
			t.Error(name)
		}
	}
}

// TestRefundCallback: the event, the status inside and the merchant must agree.
func TestRefundCallback(t *testing.T) {
	v := vectors(t)
	const text = `{"mchid":"1900000001","transaction_id":"42","out_trade_no":"ORD2026000001","refund_id":"50","out_refund_no":"RF2026000001","refund_status":"SUCCESS","success_time":"2026-01-15T12:00:00+08:00","user_received_account":"x","amount":{"total":1499,"refund":500,"payer_total":1499,"payer_refund":500}}`
	p := v.provider(t, v.Unix, nil)
	if n, err := p.refundNotice("REFUND.SUCCESS", []byte(text)); err != nil || n.Refund.State != payment.RefundDone {
		t.Errorf("%+v %v", n, err)
	}
	for _, status := range []string{"ABNORMAL", "CLOSED"} {
		n, err := p.refundNotice("REFUND."+status, []byte(strings.Replace(text, "SUCCESS", status, 1)))
		if err != nil || n.Refund.State != payment.RefundFailed {
			t.Errorf("%s: %+v %v", status, n, err)
		}
	}
	for name, c := range map[string]struct {
		event, text string
		want        error
	}{
		"another event":    {"REFUND.CLOSED", text, payment.ErrMismatch},
		"a payment's":      {"TRANSACTION.SUCCESS", text, payment.ErrMismatch},
		"another merchant": {"REFUND.SUCCESS", strings.Replace(text, "1900000001", "1900000002", 1), payment.ErrMismatch},
		"another status":   {"REFUND.DONE", strings.Replace(text, `"SUCCESS"`, `"DONE"`, 1), payment.ErrMalformed},
		"amount as text":   {"REFUND.SUCCESS", strings.Replace(text, `"refund":500`, `"refund":"500"`, 1), payment.ErrMalformed},
		"no number":        {"REFUND.SUCCESS", strings.Replace(text, "out_refund_no", "x", 1), payment.ErrMalformed},
	} {
		if n, err := p.refundNotice(c.event, []byte(c.text)); !errors.Is(err, c.want) || n.Refund != nil {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
}

// TestNothingIsEscaped: what is signed and sent is what a person would write.
func TestNothingIsEscaped(t *testing.T) {
	b, err := encode(map[string]string{"d": "<a&b> 票"})
	if err != nil || string(b) != `{"d":"<a&b> 票"}` {
		t.Errorf("%s %v", b, err)
	}
}

// TestSignedAndUnfit: a timestamp has one spelling, a resource one type.
func TestSignedAndUnfit(t *testing.T) {
	v := vectors(t)
	s, key := v.shop(t, v.Unix), private(t, v.Keys.Signing)
	body := envelope(t, v.Keys.Sealing, plainPayment)
	for _, ts := range []string{"+1768449600", "01768449600", "1768449600.0", "1.7684496e9", " 1768449600", "99999999999999999999"} {
		h := http.Header{headTime: {ts}, headNonce: {"n"}, headSerial: {serialOf(t, v.Keys.Platform)}, headSignature: {signature(t, key, ts+"\nn\n"+body+"\n")}}
		if _, err := s.p.ParseCallback(h, []byte(body), s.now); !errors.Is(err, payment.ErrSignature) {
			t.Errorf("%q: %v", ts, err)
		}
	}
	for old, new := range map[string]string{"encrypt-resource": "plain-resource", `"original_type":"transaction"`: `"original_type":"coupon"`} {
		body := strings.Replace(body, old, new, 1)
		_, err := s.p.ParseCallback(sign(t, key, serialOf(t, v.Keys.Platform), s.now, "n", body), []byte(body), s.now)
		if !errors.Is(err, payment.ErrMalformed) && !errors.Is(err, payment.ErrMismatch) {
			t.Errorf("%s: %v", new, err)
		}
	}
}
