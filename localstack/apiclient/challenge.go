package apiclient

import (
	"context"
	"crypto/sha256"
	"math/bits"
	"net/http"
	"strconv"
)

// Solve asks for a challenge of the show and finds an answer, as the API's document
// says: what it returns is for Solution. Any language needs no more than this.
func (c *Client) Solve(ctx context.Context, show string, seats int) (string, error) {
	var posed struct {
		Challenge  string `json:"challenge"`
		Difficulty int    `json:"difficulty"`
	}
	in := map[string]int{"seats": seats}
	if err := c.Call(ctx, http.MethodPost, "/shows/"+show+"/challenges", "", in, &posed); err != nil {
		return "", err
	}
	for n := 0; ; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return "", ctx.Err()
		}
		solution := posed.Challenge + "." + strconv.Itoa(n)
		if leadingZeros(sha256.Sum256([]byte(solution))) >= posed.Difficulty {
			return solution, nil
		}
	}
}

func leadingZeros(sum [sha256.Size]byte) (n int) {
	for _, b := range sum {
		n += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return n
}
