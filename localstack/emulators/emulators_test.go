package emulators

import (
	"os"
	"testing"

	"github.com/fairseat/fairseat/localstack/process"
)

func TestBothStoresStart(t *testing.T) {
	for _, store := range []Store{DynamoDBLocal, Dynoxide} {
		t.Run(store.String(), func(t *testing.T) {
			var g process.Group
			defer g.Close()
			s, err := Start(t.Context(), &g, Options{
				Store: store, Tools: "../../.tools", Region: "eu-west-1", Account: "000000000000", Progress: os.Stderr,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			t.Log(s.Tables.URL, s.Queues.URL)
		})
	}
}
