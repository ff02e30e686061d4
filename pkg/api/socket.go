package api

import (
	"context"
	"net/url"
	"time"

	"github.com/fairseat/fairseat/pkg/socket/hub"
)

// OpenSocket answers POST /socket-tickets: a ticket for one WebSocket (A16). The
// socket lives no longer than the session whose token asks, which is what end
// tells. address is where sockets are opened.
func OpenSocket(e Edge, h *hub.Hub, end func(token string, now time.Time) (time.Time, error), address string) Handler {
	return e.handle(map[string]operation{opOpenSocket: func(ctx context.Context, c *call) (reply, error) {
		if err := c.emptyBody(); err != nil {
			return reply{}, err
		}
		token, _ := bearer(header(c.event, "Authorization")[0])
		ends, err := end(token, c.now)
		if err != nil {
			return reply{}, err
		}
		text, t, err := h.Issue(ctx, c.buyer, c.key, ends, c.now)
		if err != nil {
			return reply{}, err
		}
		d := socketDoc{text, address + "?ticket=" + url.QueryEscape(text), wireTime(t.ExpiresAt), wireTime(c.now)}
		return reply{status: 201, doc: d}, nil
	}})
}

type socketDoc struct {
	Ticket     string `json:"ticket"`
	URL        string `json:"url"`
	ExpiresAt  string `json:"expires_at"`
	ServerTime string `json:"server_time"`
}
