package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

// members is how many accounts there are; the fuzzer erases some.
const members = 12

// member is somebody with an account that is verified.
type member struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// register makes one by way of the letter, as anybody would.
func (w *world) register(ctx context.Context, mailbox string) (member, error) {
	m := member{strings.ToLower(rand.Text()) + "@people.example", "by bicycle " + rand.Text()}
	c := apiclient.Client{Base: w.Base}
	if err := c.Call(ctx, http.MethodPost, "/accounts", "", map[string]string{"email": m.Email, "password": m.Password}, nil); err != nil {
		return m, err
	}
	proof, err := proofIn(ctx, mailbox, m.Email)
	if err != nil {
		return m, err
	}
	return m, c.Call(ctx, http.MethodPost, "/accounts/verifications", "", map[string]string{"token": proof, "password": m.Password}, nil)
}

// proofIn waits for the letter that verifies the address.
func proofIn(ctx context.Context, mailbox, to string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for tick := time.Tick(100 * time.Millisecond); ; {
		select {
		case <-tick:
		case <-ctx.Done():
			return "", fmt.Errorf("no letter: %w", ctx.Err())
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, mailbox+"/messages?to="+url.QueryEscape(to), nil)
		if err != nil {
			return "", err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		var box struct{ Items []struct{ Text string } }
		err = json.NewDecoder(res.Body).Decode(&box)
		res.Body.Close()
		if err != nil {
			return "", err
		}
		for _, letter := range box.Items {
			for _, word := range strings.Fields(letter.Text) {
				if strings.HasPrefix(word, "fsc1.") {
					return word, nil
				}
			}
		}
	}
}
