package api

import (
	"context"
	"slices"

	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// ReadHistory answers GET /me/orders and GET /me/tickets (B1).
func ReadHistory(e Edge, b *history.Book) Handler {
	h := past{b}
	return e.handle(map[string]operation{opListOrders: h.orders, opListTickets: h.tickets})
}

type past struct{ book *history.Book }

type listedOrderDoc struct {
	ID        string       `json:"id"`
	ShowID    string       `json:"show_id"`
	Status    string       `json:"status"`
	Total     money.Amount `json:"total"`
	Seats     []string     `json:"seats"`
	CreatedAt string       `json:"created_at"`
	StartsAt  string       `json:"starts_at,omitempty"`
}

func (h past) orders(ctx context.Context, c *call) (reply, error) {
	var status order.Status
	if text, given := c.query["status"]; given {
		if status = order.Status(text); !slices.Contains(order.Statuses, status) {
			return reply{}, bad("status: must be PENDING, PAID, CANCELLED or REFUNDED")
		}
	}
	p, err := c.page()
	if err != nil {
		return reply{}, err
	}
	l, err := h.book.Orders(ctx, c.buyer, status, p)
	if err != nil {
		return reply{}, err
	}
	return listOf(l, listedOrder, ""), nil
}

func listedOrder(e history.Entry) listedOrderDoc {
	return listedOrderDoc{
		ID: string(e.Order), ShowID: string(e.Show), Status: string(e.Status), Total: e.Total, Seats: e.Seats,
		CreatedAt: wireTime(e.MadeAt), StartsAt: wireTime(e.StartsAt),
	}
}

// listedTicketsDoc are the tickets of one order. Their codes the order has: a list that
// is read often need not carry what opens doors.
type listedTicketsDoc struct {
	OrderID  string            `json:"order_id"`
	ShowID   string            `json:"show_id"`
	StartsAt string            `json:"starts_at,omitempty"`
	EndsAt   string            `json:"ends_at,omitempty"`
	Tickets  []listedTicketDoc `json:"tickets"`
}

type listedTicketDoc struct {
	ID   string `json:"id"`
	Seat string `json:"seat"`
}

func (h past) tickets(ctx context.Context, c *call) (reply, error) {
	when := history.Upcoming
	switch c.query["when"] {
	case "upcoming":
	case "past":
		when = history.Past
	default:
		if _, given := c.query["when"]; given {
			return reply{}, bad("when: must be upcoming or past")
		}
	}
	p, err := c.page()
	if err != nil {
		return reply{}, err
	}
	l, err := h.book.Tickets(ctx, c.buyer, when, p)
	if err != nil {
		return reply{}, err
	}
	return listOf(l, func(e history.Entry) listedTicketsDoc {
		d := listedTicketsDoc{
			OrderID: string(e.Order), ShowID: string(e.Show), StartsAt: wireTime(e.StartsAt), EndsAt: wireTime(e.EndsAt),
			Tickets: make([]listedTicketDoc, len(e.Seats)),
		}
		for i, seat := range e.Seats {
			d.Tickets[i] = listedTicketDoc{string(ticket.IDFor(string(e.Order), seat)), seat}
		}
		return d
	}, ""), nil
}
