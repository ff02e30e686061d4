package cloud

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/localstack/keys"
	"github.com/fairseat/fairseat/localstack/process"
)

// startKeys serves the template's keys, if it has any.
func (c *Cloud) startKeys(secrets map[string]string) error {
	if len(c.Stack.Keys) == 0 {
		return nil
	}
	material := map[string][]byte{}
	for _, k := range c.Stack.Keys {
		raw, err := hex.DecodeString(secrets[k.ID])
		if err != nil {
			return fmt.Errorf("cloud: key %s is not as it was kept", k.ID)
		}
		material[k.ARN] = raw
	}
	service, err := keys.New(material)
	if err != nil {
		return fmt.Errorf("cloud: %w", err)
	}
	l, err := process.Listen(0)
	if err != nil {
		return fmt.Errorf("cloud: keys: %w", err)
	}
	s := &http.Server{Handler: service, ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(l)
	c.onClose(func() { s.Close() })
	c.keysURL = "http://" + l.Addr().String()
	return nil
}
