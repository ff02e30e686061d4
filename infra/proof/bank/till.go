package bank

import (
	"context"

	"github.com/fairseat/fairseat/pkg/payment"
)

// Till is a sandbox that takes on every payment; whether there is money its user
// tells. Its other methods are those of the embedded provider, which may be nil.
type Till struct{ payment.Provider }

// Name implements payment.Provider.
func (Till) Name() payment.Name { return payment.Sandbox }

// Create implements payment.Provider.
func (Till) Create(_ context.Context, in payment.Intent) (payment.Created, error) {
	return payment.Created{
		Action: payment.Action{Kind: payment.ActionURL, Value: "https://till.example/" + string(in.ID)},
		Report: payment.Report{Payment: in.ID, Order: in.OrderID, ProviderRef: string(in.ID), State: payment.ReportPending, Amount: in.Amount, At: in.CreatedAt},
	}, nil
}
