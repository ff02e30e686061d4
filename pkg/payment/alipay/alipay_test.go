package alipay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// TestAPersonPays: from the QR code over the page to the notice, which is acknowledged.
func TestAPersonPays(t *testing.T) {
	r := newRig(t)
	in := r.intent("ann")
	made, err := r.provider.Create(t.Context(), in)
	if err != nil || made.Action.Kind != payment.ActionQR || !strings.HasPrefix(made.Action.Value, r.url+"/pay/") || made.Report.State != payment.ReportPending || made.Report.Order != in.OrderID {
		t.Fatalf("%+v %v", made, err)
	}
	if again, err := r.provider.Create(t.Context(), in); err != nil || again.Action != made.Action {
		t.Errorf("again: %+v %v", again, err)
	}
	ref := payment.Ref{ID: in.ID, OrderID: in.OrderID, Amount: in.Amount}
	if _, err := r.provider.Query(t.Context(), ref); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("before anybody scanned: %v", err)
	}
	if page := r.person(made.Action.Value, ""); !strings.Contains(page, "29.98 CNY") || !strings.Contains(page, "2 seats   A 1   B") {
		t.Error(page)
	}
	if got, err := r.provider.Query(t.Context(), ref); err != nil || got.State != payment.ReportPending || got.Order != in.OrderID {
		t.Errorf("scanned: %+v %v", got, err)
	}
	r.person(made.Action.Value, "approve")
	n := r.next()
	asked, err := r.provider.Query(t.Context(), ref)
	if err != nil || asked.State != payment.ReportCaptured || asked.Amount != price || asked.ProviderRef == "" || time.Since(asked.At) > time.Minute {
		t.Fatalf("%+v %v", asked, err)
	}
	if *n.Payment != asked {
		t.Errorf("heard %+v, asked %+v", *n.Payment, asked)
	}
	if again, err := r.provider.Create(t.Context(), in); err != nil || again.Action != (payment.Action{}) || again.Report.State != payment.ReportPending {
		t.Errorf("after it was paid: %+v %v", again, err)
	}
	got := unmarshal[struct{ Items []sim.Callback }](t, r.control("GET", "callbacks?payment="+string(ref.ID), ""))
	if len(got.Items) != 1 || got.Items[0].Progress != sim.Delivered {
		t.Errorf("%+v", got)
	}
}

// TestNoticesComeAsTheyLike: twice, in disorder, and again after a "fail".
func TestNoticesComeAsTheyLike(t *testing.T) {
	r := newRig(t)
	r.control("PUT", "defaults", `{"outcome":"success","callback":{"copies":2}}`)
	r.control("POST", "hold", "")
	a, _ := r.create("a")
	b, _ := r.create("b")
	if n := len(unmarshal[struct{ Items []sim.Callback }](t, r.control("GET", "callbacks", "")).Items); n != 4 {
		t.Fatalf("%d notices were planned", n)
	}
	r.control("POST", "release", `{"order":"reverse"}`)
	heard := map[payment.ID]int{}
	for range 4 {
		heard[r.next().Payment.Payment]++
	}
	if heard[a.ID] != 2 || heard[b.ID] != 2 {
		t.Errorf("%v", heard)
	}
	r.hears.Store(r.newProvider(func(o *Options) { o.AppID = "another" }))
	r.control("POST", "deliver", `{"payment":"`+string(a.ID)+`"}`)
	if c := <-r.calls; !errors.Is(c.err, payment.ErrMismatch) {
		t.Errorf("of another application: %v", c.err)
	}
	r.hears.Store(r.provider)
	if n := r.next(); n.Payment.Payment != a.ID { // a second later: "fail" ends nothing
		t.Errorf("%+v", n)
	}
}

func TestClose(t *testing.T) {
	r := newRig(t)
	ref, qr := r.create("unscanned")
	if _, err := r.provider.Close(t.Context(), ref); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("unscanned: %v", err)
	}
	r.person(qr, "")
	for _, how := range []string{"scanned", "again"} {
		if got, err := r.provider.Close(t.Context(), ref); err != nil || got.State != payment.ReportClosed || got.Order != ref.OrderID {
			t.Errorf("%s: %+v %v", how, got, err)
		}
	}
	if got, err := r.provider.Query(t.Context(), ref); err != nil || got.State != payment.ReportClosed {
		t.Errorf("%+v %v", got, err)
	}
	r.control("POST", "pay", `{"payment":"`+string(ref.ID)+`"}`) // money after the close
	if n := r.next(); n.Payment.State != payment.ReportCaptured {
		t.Errorf("%+v", n.Payment)
	}
	if got, err := r.provider.Close(t.Context(), ref); err != nil || got.State != payment.ReportCaptured || got.Amount != price {
		t.Errorf("paid: %+v %v", got, err)
	}
	other, qr := r.create("declined")
	r.person(qr, "decline")
	if got, err := r.provider.Query(t.Context(), other); err != nil || got.State != payment.ReportClosed {
		t.Errorf("declined: %+v %v", got, err)
	}
	if _, err := r.provider.Create(t.Context(), r.intent("declined")); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("a used number: %v", err)
	}
}

func TestRefund(t *testing.T) {
	r := newRig(t)
	ref := r.paid("ann")
	refund := func(n int, fen int64) (payment.RefundReport, error) {
		return r.provider.Refund(t.Context(), payment.RefundRequest{
			ID: payment.RefundFor(ref.ID, n), Payment: ref, Amount: money.Amount{Minor: fen, Currency: "CNY"}, Reason: "seats no longer available",
		})
	}
	for _, c := range []struct {
		name  string
		n     int
		fen   int64
		state payment.RefundState
		err   error
	}{
		{"a part", 1, 1000, payment.RefundDone, nil},
		{"the same again", 1, 1000, payment.RefundDone, nil},
		{"another amount under the number", 1, 999, "", payment.ErrRefused},
		{"more than is left", 2, 1999, "", payment.ErrRefused},
		{"the rest", 3, 1998, payment.RefundDone, nil},
		{"the rest again", 3, 1998, payment.RefundDone, nil},
		{"nothing", 4, 0, "", payment.ErrRefused},
	} {
		got, err := refund(c.n, c.fen)
		if !errors.Is(err, c.err) || got.State != c.state || err == nil && (got.Amount.Minor != c.fen || got.Payment != ref.ID || got.ID != payment.RefundFor(ref.ID, c.n)) {
			t.Errorf("%s: %+v %v", c.name, got, err)
		}
	}
	if got := unmarshal[struct{ Items []sim.Refund }](t, r.control("GET", "refunds", "")); len(got.Items) != 2 {
		t.Errorf("%+v", got)
	}
	if got, err := r.provider.Query(t.Context(), ref); err != nil || got.State != payment.ReportCaptured {
		t.Errorf("refunded in whole: %+v %v", got, err)
	}
	unpaid, qr := r.create("bob")
	r.person(qr, "")
	if _, err := r.provider.Refund(t.Context(), payment.RefundRequest{ID: "r0000009", Payment: unpaid, Amount: price}); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("of what was not paid: %v", err)
	}
	if _, err := r.provider.Refund(t.Context(), payment.RefundRequest{ID: "r0000009", Payment: payment.Ref{ID: "p0000009"}, Amount: price}); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("of what nobody knows: %v", err)
	}
}

// TestRefundThatTakesTime is pending under its number until it is done, and its notice
// tells it from a payment's.
func TestRefundThatTakesTime(t *testing.T) {
	r := newRig(t)
	r.control("PUT", "defaults", `{"refund_delay_ms":300}`)
	for name, fen := range map[string]int64{"whole": 2998, "part": 1} {
		ref := r.paid(name)
		req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: money.Amount{Minor: fen, Currency: "CNY"}}
		for range 2 {
			if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundPending {
				t.Errorf("%s: %+v %v", name, got, err)
			}
		}
		n := r.next()
		if n.Payment != nil || n.Refund.ID != req.ID || n.Refund.Payment != ref.ID {
			t.Fatalf("%s: %+v", name, n)
		}
		if told := n.Refund.State == payment.RefundDone && n.Refund.Amount == price; told != (name == "whole") {
			t.Errorf("%s: %+v", name, n.Refund)
		}
		if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundDone || got.Amount.Minor != fen {
			t.Errorf("%s, done: %+v %v", name, got, err)
		}
	}
	r.control("PUT", "defaults", `{"refund_delay_ms":0,"refund_fails":true}`)
	ref := r.paid("poor")
	if _, err := r.provider.Refund(t.Context(), payment.RefundRequest{ID: "r0000007", Payment: ref, Amount: price}); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("without money: %v", err)
	}
}

func TestBill(t *testing.T) {
	r := newRig(t)
	today := time.Now()
	if rows, err := r.provider.Bill(t.Context(), today); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("of a day on which nothing moved: %v %v", rows, err)
	}
	ref := r.paid("ann")
	back := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: money.Amount{Minor: 5, Currency: "CNY"}}
	if _, err := r.provider.Refund(t.Context(), back); err != nil {
		t.Fatal(err)
	}
	if rows, err := r.provider.Bill(t.Context(), today); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("before the day was over: %v %v", rows, err)
	}
	r.control("POST", "advance", `{"seconds":172800}`)
	rows, err := r.provider.Bill(t.Context(), today)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%+v %v", rows, err)
	}
	trade := rows[0].ProviderRef
	for i := range rows {
		if time.Since(rows[i].At) > time.Minute || trade == "" || rows[i].ProviderRef != trade {
			t.Errorf("%+v", rows[i])
		}
		rows[i].At, rows[i].ProviderRef = time.Time{}, ""
	}
	if rows[0] != (payment.BillRow{Kind: payment.BillPayment, Payment: ref.ID, Amount: price}) {
		t.Errorf("%+v", rows[0])
	}
	if rows[1] != (payment.BillRow{Kind: payment.BillRefund, Payment: ref.ID, Refund: back.ID, Amount: back.Amount}) {
		t.Errorf("%+v", rows[1])
	}
}

// TestWhatIsNotKnown: a call whose answer is lost or proves nothing may have been
// carried out, and the same again is safe.
func TestWhatIsNotKnown(t *testing.T) {
	r := newRig(t)
	ref := r.paid("ann")
	req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: price}
	for _, fault := range []string{"unavailable", "lost"} {
		r.control("PUT", "defaults", `{"fault":"`+fault+`"}`)
		if _, err := r.provider.Create(t.Context(), r.intent(fault)); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: create: %v", fault, err)
		}
		if _, err := r.provider.Query(t.Context(), ref); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: query: %v", fault, err)
		}
		if _, err := r.provider.Close(t.Context(), ref); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: close: %v", fault, err)
		}
		if _, err := r.provider.Refund(t.Context(), req); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: refund: %v", fault, err)
		}
	}
	r.control("PUT", "defaults", `{"fault":""}`)
	if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundDone {
		t.Errorf("again: %+v %v", got, err)
	}
	if got := unmarshal[struct{ Items []sim.Refund }](t, r.control("GET", "refunds", "")); len(got.Items) != 1 {
		t.Errorf("%+v", got)
	}
	for name, p := range map[string]*Provider{
		"Alipay's key is another": r.newProvider(func(o *Options) { o.Theirs = []string{public(fresh())} }),
		"our key is another":      r.newProvider(func(o *Options) { o.Key = private(fresh()) }),
		"application":             r.newProvider(func(o *Options) { o.AppID = "2021000000000002" }),
		"clock in another zone":   r.newProvider(func(o *Options) { o.Now = func() time.Time { return time.Now().Add(8 * time.Hour) } }),
		"path":                    r.newProvider(func(o *Options) { o.Gateway = r.url + "/elsewhere" }),
	} {
		if _, err := p.Query(t.Context(), ref); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: %v", name, err)
		}
	}
	two := r.newProvider(func(o *Options) { o.Theirs = []string{public(fresh()), public(bankKey)} })
	if _, err := two.Query(t.Context(), ref); err != nil {
		t.Errorf("the second of two keys: %v", err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.provider.Query(done, ref); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("cancelled: %v", err)
	}
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	nobody := r.newProvider(func(o *Options) { o.Gateway = s.URL + "/gateway.do" })
	if _, err := nobody.Create(t.Context(), r.intent("nobody")); !errors.Is(err, payment.ErrProviderDown) {
		t.Errorf("nobody there: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestAnswersMustBeAuthentic: signed by Alipay, of the very call, about the very payment.
func TestAnswersMustBeAuthentic(t *testing.T) {
	v := load(t)
	bank := v.alipay(t)
	good := `{"code":"10000","msg":"Success","out_trade_no":"p0000001","trade_no":"2026","trade_status":"TRADE_SUCCESS","total_amount":"29.98","send_pay_date":"2026-01-15 12:00:00"}`
	sign := func(text string) string {
		s, err := bank.sign(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	wrap := func(name, node, signature string) string {
		return `{"` + name + `":` + node + `,"sign":"` + signature + `"}`
	}
	with := func(old, new string) string {
		node := strings.Replace(good, old, new, 1)
		if node == good {
			t.Fatalf("%s is not there", old)
		}
		return wrap("alipay_trade_query_response", node, sign(node))
	}
	for _, c := range []struct {
		name, body string
		status     int
		want       error
	}{
		{"as it should be", with("Success", "success"), 200, nil},
		{"white space in the node", with(`,"msg"`, ` , "msg"`), 200, nil},
		{"an unknown member", with(`"msg"`, `"new":{"a":[1]},"msg"`), 200, nil},
		{"unsigned", `{"alipay_trade_query_response":` + good + `}`, 200, payment.ErrOutcome},
		{"signature of other text", wrap("alipay_trade_query_response", good, sign(good+" ")), 200, payment.ErrOutcome},
		{"by our own key", wrap("alipay_trade_query_response", good, func() string { s, _ := v.provider(t).sign(good); return s }()), 200, payment.ErrOutcome},
		{"of another call", wrap("alipay_trade_close_response", good, sign(good)), 200, payment.ErrOutcome},
		{"gateway's error", wrap("error_response", good, sign(good)), 200, payment.ErrOutcome},
		{"node twice", `{"alipay_trade_query_response":{},"alipay_trade_query_response":` + good + `,"sign":"` + sign(good) + `"}`, 200, payment.ErrOutcome},
		{"member twice", with(`"msg"`, `"trade_status":"TRADE_CLOSED","msg"`), 200, payment.ErrOutcome},
		{"status 500", with("Success", "x"), 500, payment.ErrOutcome},
		{"not JSON", "<html>", 200, payment.ErrOutcome},
		{"another payment", with("p0000001", "p0000002"), 200, payment.ErrOutcome},
		{"no amount", with(`"total_amount":"29.98",`, ``), 200, payment.ErrOutcome},
		{"odd amount", with("29.98", "2998e-2"), 200, payment.ErrOutcome},
		{"number for an amount", with(`"29.98"`, `29.98`), 200, payment.ErrOutcome},
		{"unknown status", with("TRADE_SUCCESS", "PAID"), 200, payment.ErrOutcome},
		{"unknown code", with("10000", "10003"), 200, payment.ErrOutcome},
		{"no code", with(`"code":"10000",`, ``), 200, payment.ErrOutcome},
		{"system error", with(`"10000"`, `"40004","sub_code":"ACQ.SYSTEM_ERROR"`), 200, payment.ErrOutcome},
		{"system error of old", with(`"10000"`, `"40004","sub_code":"aop.ACQ.SYSTEM_ERROR"`), 200, payment.ErrOutcome},
		{"no such trade", with(`"10000"`, `"40004","sub_code":"ACQ.TRADE_NOT_EXIST"`), 200, payment.ErrNotFound},
		{"refused", with(`"10000"`, `"40004","sub_code":"ACQ.ACCESS_FORBIDDEN"`), 200, payment.ErrRefused},
		{"our contract", with(`"10000"`, `"40006","sub_code":"isv.insufficient-isv-permissions"`), 200, payment.ErrProviderDown},
	} {
		opt := v.options()
		opt.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
		})}
		p, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Query(t.Context(), payment.Ref{ID: "p0000001", OrderID: "o1"})
		if !errors.Is(err, c.want) || (c.want == nil) != (got.State == payment.ReportCaptured) {
			t.Errorf("%s: %+v %v", c.name, got, err)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	p := load(t).provider(t) // which cannot call
	for name, c := range map[string]struct {
		change func(*payment.Intent)
		want   error
	}{
		"dollars":    {func(in *payment.Intent) { in.Amount.Currency = "USD" }, payment.ErrRefused},
		"nothing":    {func(in *payment.Intent) { in.Amount.Minor = 0 }, payment.ErrRefused},
		"too much":   {func(in *payment.Intent) { in.Amount.Minor = maxPrice + 1 }, payment.ErrRefused},
		"number":     {func(in *payment.Intent) { in.ID = "a b" }, payment.ErrMalformed},
		"notify_url": {func(in *payment.Intent) { in.NotifyURL = "https://h/" + strings.Repeat("x", 256) }, payment.ErrMalformed},
	} {
		in := payment.Intent{ID: "p0000001", OrderID: "o1", Amount: price, NotifyURL: "https://h/cb"}
		c.change(&in)
		if _, err := p.Create(t.Context(), in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, s := range []string{"", " ", "///", "\n"} {
		if got := subject(s); got != "tickets" {
			t.Errorf("%q: %q", s, got)
		}
	}
	if got := []rune(subject(strings.Repeat("票", 300))); len(got) != 256 {
		t.Error(len(got))
	}
}

func TestNewRefuses(t *testing.T) {
	v := load(t)
	for name, change := range map[string]func(*Options){
		"no client": func(o *Options) { o.Client = nil }, "no clock": func(o *Options) { o.Now = nil },
		"no application": func(o *Options) { o.AppID = "" }, "no seller": func(o *Options) { o.Seller = "" },
		"gateway": func(o *Options) { o.Gateway = "gateway.do" }, "query": func(o *Options) { o.Gateway += "?charset=gbk" },
		"no key": func(o *Options) { o.Key = "" }, "no key of Alipay's": func(o *Options) { o.Theirs = nil },
		"three of Alipay's":  func(o *Options) { o.Theirs = []string{v.Keys.Theirs, v.Keys.Theirs, v.Keys.Theirs} },
		"public for private": func(o *Options) { o.Key = v.Keys.Theirs }, "our own as Alipay's": func(o *Options) { o.Theirs = []string{v.Keys.Own} },
	} {
		opt := v.options()
		change(&opt)
		if _, err := New(opt); err == nil || strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAcknowledge(t *testing.T) {
	p := &Provider{}
	for _, c := range []struct {
		err    error
		status int
		body   string
	}{
		{nil, 200, "success"},
		{payment.ErrSignature, 401, "fail"},
		{payment.ErrMalformed, 400, "fail"},
		{payment.ErrNotFound, 404, "fail"},
		{fmt.Errorf("notice: %w", payment.ErrMismatch), 409, "fail"},
		{payment.ErrProviderDown, 503, "fail"},
		{errors.New("anything else"), 503, "fail"},
	} {
		if got := p.Acknowledge(c.err); got.Status != c.status || string(got.Body) != c.body || !strings.HasPrefix(got.ContentType, "text/plain") {
			t.Errorf("%v: %d %s %s", c.err, got.Status, got.ContentType, got.Body)
		}
	}
}
