package api

import (
	"context"
	_ "embed"
	"encoding/json"

	"github.com/fairseat/fairseat/pkg/ticket"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI is the OpenAPI 3.1 document of the API; the caller must not alter it.
func OpenAPI() []byte { return openAPI }

// DescribeAPI answers what needs no key: /health, /openapi.json and /ticket-keys,
// the public keys that tickets verify with (RFC 7517).
func DescribeAPI(e Edge, keys func() ticket.Keys) Handler {
	return e.handle(map[string]operation{
		opReadHealth: func(context.Context, *call) (reply, error) {
			return ok(map[string]string{"status": "ok"}), nil
		},
		opReadOpenAPI: func(context.Context, *call) (reply, error) {
			return reply{status: 200, raw: openAPI, keep: keepMinute}, nil
		},
		opReadTicketKeys: func(context.Context, *call) (reply, error) {
			set, err := json.Marshal(keys())
			return reply{status: 200, raw: set, typ: "application/jwk-set+json", keep: keepMinute}, err
		},
	})
}
