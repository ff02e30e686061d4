package wechat

import (
	"cmp"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/money"
)

var (
	tradeNumber  = regexp.MustCompile(`^[0-9A-Za-z_*-]{6,32}$`)
	refundNumber = regexp.MustCompile(`^[0-9A-Za-z_|*@-]{1,64}$`)
)

var (
	errNoOrder  = no{http.StatusNotFound, "ORDER_NOT_EXIST"}
	errPaid     = no{http.StatusBadRequest, "ORDER_PAID"}
	errClosed   = no{http.StatusBadRequest, "ORDER_CLOSED"}
	errOther    = no{http.StatusBadRequest, "INVALID_REQUEST"} // not what was asked for first
	errNoRefund = no{http.StatusNotFound, "RESOURCE_NOT_EXISTS"}
)

type order struct {
	App         string `json:"appid"`
	Merchant    string `json:"mchid"`
	Description string `json:"description"`
	Number      string `json:"out_trade_no"`
	Expires     string `json:"time_expire"`
	Attach      string `json:"attach"`
	Notify      string `json:"notify_url"`
	Amount      struct {
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

func (w *Wire) shaped(o order) error {
	switch {
	case o.App != w.opt.App || o.Merchant != w.opt.Merchant:
		return no{http.StatusBadRequest, "APPID_MCHID_NOT_MATCH"}
	case !tradeNumber.MatchString(o.Number), o.Description == "", len(o.Description) > 127, len(o.Attach) > 128,
		o.Amount.Total < 1, o.Amount.Currency != "CNY", !callable(o.Notify):
		return bad
	}
	return nil
}

// callable wants https and no query; on this machine http will do.
func callable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || len(address) > 255 {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	near := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && near
}

// native makes an order and its code, a new one for the same request again. The real
// one is good for two hours and begins with weixin://; this one is the buyer's page.
func (w *Wire) native(_ *http.Request, body []byte) (any, error) {
	var o order
	if err := strictly(body, &o); err != nil {
		return nil, err
	}
	if err := w.shaped(o); err != nil {
		return nil, err
	}
	ends, err := time.Parse(time.RFC3339, o.Expires)
	if err != nil || beijing(ends) != o.Expires {
		return nil, bad
	}
	extra := map[string]string{"time_expire": o.Expires, "attach": o.Attach, "notify_url": o.Notify, "description": o.Description}
	was, err := w.books.Payment(o.Number)
	switch {
	case err != nil:
		if !ends.After(w.books.Now()) {
			return nil, bad
		}
	case was.State == sim.Captured:
		return nil, errPaid
	case was.State != sim.Pending:
		return nil, errClosed
	default:
		for k, v := range extra {
			if was.Extra[k] != v {
				return nil, errOther
			}
		}
	}
	p, err := w.books.Make(sim.Order{
		ID: o.Number, Order: cmp.Or(o.Attach, o.Number), Amount: money.Amount{Minor: o.Amount.Total, Currency: o.Amount.Currency},
		Description: o.Description, NotifyURL: o.Notify, ExpiresAt: ends, Extra: extra,
	})
	if err != nil {
		return nil, refused(err, map[error]no{sim.ErrOther: errOther})
	}
	return members{"code_url": w.books.Page(p.ID)}, nil
}

// order finds one; the merchant must name itself in the query, and nothing else.
func (w *Wire) order(r *http.Request) (sim.Payment, error) {
	p, err := w.books.Payment(r.PathValue("number"))
	if err != nil {
		return p, refused(err, map[error]no{sim.ErrNotFound: errNoOrder})
	}
	return p, nil
}

func (w *Wire) query(r *http.Request, body []byte) (any, error) {
	if r.URL.RawQuery != "mchid="+w.opt.Merchant || len(body) > 0 {
		return nil, bad
	}
	p, err := w.order(r)
	if err != nil {
		return nil, err
	}
	return w.transaction(p, w.books.Now()), nil
}

// close ends an order, also again.
func (w *Wire) close(r *http.Request, body []byte) (any, error) {
	var in struct {
		Merchant string `json:"mchid"`
	}
	if err := strictly(body, &in); err != nil || in.Merchant != w.opt.Merchant {
		return nil, bad
	}
	p, err := w.order(r)
	if err != nil {
		return nil, err
	}
	if p, err = w.books.Shut(p.ID); err != nil {
		return nil, err
	}
	switch p.State {
	case sim.Captured:
		return nil, errPaid
	case sim.Failed:
		return nil, errClosed
	}
	return nil, nil
}

// transaction is an order as queries and callbacks tell of it. One that its buyer
// refused is closed here, since nobody can try again on the page.
func (w *Wire) transaction(p sim.Payment, now time.Time) members {
	state, words := "CLOSED", "订单已关闭"
	switch {
	case p.State == sim.Captured && p.Refunded > 0:
		state, words = "REFUND", "订单发生过退款"
	case p.State == sim.Captured:
		state, words = "SUCCESS", "支付成功"
	case p.State == sim.Pending:
		state, words = "NOTPAY", "订单未支付"
	}
	out := members{
		"appid": w.opt.App, "mchid": w.opt.Merchant, "out_trade_no": p.ID, "attach": p.Extra["attach"],
		"trade_state": state, "trade_state_desc": words,
		"amount": members{"total": p.Amount.Minor, "currency": p.Amount.Currency},
	}
	if p.State == sim.Captured {
		out["transaction_id"], out["trade_type"], out["bank_type"] = p.Ref, "NATIVE", "OTHERS"
		out["success_time"], out["payer"] = beijing(p.PaidAt), members{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
		out["amount"] = members{"total": p.Amount.Minor, "payer_total": p.Amount.Minor, "currency": p.Amount.Currency, "payer_currency": p.Amount.Currency}
	}
	return out
}
