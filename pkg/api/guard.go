package api

import (
	"context"
	"strings"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/challenge"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
)

// PoseChallenge answers POST /shows/{show}/challenges (B7).
func PoseChallenge(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opPoseChallenge: func(ctx context.Context, c *call) (reply, error) {
		seats, err := c.challenged(o.Policy.MaxSeats)
		if err != nil {
			return reply{}, err
		}
		if err := c.pass(ctx, turnstile.Challenge, seats); err != nil {
			return reply{}, err
		}
		got, err := o.ChallengeFor(ctx, catalog.ShowID(c.id("show")), c.buyer, seats)
		if err != nil {
			return reply{}, err
		}
		d := challengeDoc{got.Text, challenge.Algorithm, got.Difficulty, wireTime(got.ExpiresAt), wireTime(c.edge.Clock())}
		return reply{status: 201, doc: d}, nil
	}})
}

type challengeDoc struct {
	Challenge  string `json:"challenge"`
	Algorithm  string `json:"algorithm"`
	Difficulty int    `json:"difficulty"`
	ExpiresAt  string `json:"expires_at"`
	ServerTime string `json:"server_time"`
}

// challenged reads for how many seats a challenge is asked for: as many as one may
// have, where nothing is said.
func (c *call) challenged(most int) (int, error) {
	if len(c.body) == 0 {
		return most, nil
	}
	v, err := parse(c.body)
	if err != nil {
		return 0, err
	}
	m, err := v.object("seats")
	if err != nil {
		return 0, err
	}
	seats, given := m["seats"]
	if !given {
		return most, nil
	}
	n, err := seats.number()
	if err == nil && (n < 1 || n > most) {
		err = bad("seats: must be from 1 to as many as one buyer may have")
	}
	return n, err
}

// pass asks whether the buyer and his address have come too often.
func (c *call) pass(ctx context.Context, a turnstile.Act, seats int) error {
	if c.edge.Limit == nil {
		return nil
	}
	return c.edge.Limit(ctx, turnstile.Visit{
		Act: a, Address: c.event.RequestContext.Identity.SourceIP, Buyer: c.buyer, Show: catalog.ShowID(c.id("show")), Seats: seats,
	})
}

// solution reads Challenge-Solution; "" when it is not there. What it is worth, the
// use case tells.
func (c *call) solution() (string, error) {
	values := header(c.event, "Challenge-Solution")
	if len(values) > 1 {
		return "", bad("Challenge-Solution: must be there once")
	}
	return strings.Join(values, ""), nil
}
