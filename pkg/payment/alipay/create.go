package alipay

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/yuan"
)

const (
	maxPrice   = 100_000_000_00 // fen (AlipayTradePrecreateModel)
	maxSubject = 256            // characters
	maxNotify  = 256            // bytes of the address
)

// Create asks for a QR code, alipay.trade.precreate: what the buyer must do is to scan
// it. Its end is given as a time, not as a span: a span would begin anew with each
// repetition. Only CNY can be paid, and hints are nobody's business here.
func (p *Provider) Create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	c, err := p.create(ctx, in)
	if err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, err)
	}
	return c, nil
}

func (p *Provider) create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	if err := usable(in.ID); err != nil {
		return payment.Created{}, err
	}
	if in.Amount.Currency != currency || in.Amount.Minor < 1 || in.Amount.Minor > maxPrice {
		return payment.Created{}, fmt.Errorf("%w: %v cannot be paid with Alipay", payment.ErrRefused, in.Amount)
	}
	if len(in.NotifyURL) > maxNotify {
		return payment.Created{}, fmt.Errorf("%w: address for notices has %d bytes", payment.ErrMalformed, len(in.NotifyURL))
	}
	order := struct {
		Number  payment.ID `json:"out_trade_no"`
		Price   string     `json:"total_amount"`
		Subject string     `json:"subject"`
		Seller  string     `json:"seller_id"`
		Ends    string     `json:"time_expire"`
		Back    string     `json:"passback_params,omitempty"` // comes back in the notice
	}{in.ID, yuan.Format(in.Amount.Minor), subject(in.Description), p.seller, beijing.Format(in.ExpiresAt, beijing.Seconds), url.QueryEscape(in.OrderID)}
	pending := payment.Report{Payment: in.ID, Order: in.OrderID, State: payment.ReportPending, Amount: in.Amount, At: p.now().UTC()}
	a, err := p.call(ctx, "alipay.trade.precreate", order, in.NotifyURL)
	if saysNo(err, "TRADE_HAS_SUCCESS") {
		return payment.Created{Report: pending}, nil // paid: the notice or the query tells so, and nothing is left to scan
	}
	if err != nil {
		return payment.Created{}, final(err)
	}
	number, qr := a.Text("out_trade_no"), a.Text("qr_code")
	if a.Err() != nil || number != string(in.ID) {
		return payment.Created{}, unusable(fmt.Errorf("answer about payment %.40q: %v", number, a.Err()))
	}
	return payment.Created{Action: payment.Action{Kind: payment.ActionQR, Value: qr}, Report: pending}, nil
}

// subject is what the buyer reads. Alipay refuses /, = and & in it, and nothing at all.
func subject(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("/=&", r) || r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > maxSubject {
		s = string(r[:maxSubject])
	}
	if strings.TrimSpace(s) == "" {
		return "tickets"
	}
	return s
}
