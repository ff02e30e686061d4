package api

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
)

// OpenSession answers POST /sessions: a guest (B1).
func OpenSession(e Edge, issue func(now time.Time) (session.Session, error)) Handler {
	return e.handle(map[string]operation{opOpenSession: func(ctx context.Context, c *call) (reply, error) {
		if err := c.emptyBody(); err != nil {
			return reply{}, err
		}
		if err := c.pass(ctx, turnstile.Open, 0); err != nil {
			return reply{}, err
		}
		s, err := issue(c.now)
		if err != nil {
			return reply{}, err
		}
		return reply{status: 201, doc: sessionDoc{s.Token, wireTime(s.ExpiresAt)}}, nil
	}})
}

type sessionDoc struct {
	Token     string `json:"session_token"`
	ExpiresAt string `json:"expires_at"`
}
