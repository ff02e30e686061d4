package cloud

import (
	"fmt"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/secrets"
)

// startSecrets serves the template's secrets to who reads them himself, if it has any.
func (c *Cloud) startSecrets(texts map[string]string) error {
	if len(c.Stack.Secrets) == 0 {
		return nil
	}
	var all []secrets.Secret
	for _, s := range c.Stack.Secrets {
		all = append(all, secrets.Secret{Name: s.Name, ARN: s.ARN, Text: texts[s.ID]})
	}
	l, err := process.Listen(0)
	if err != nil {
		return fmt.Errorf("cloud: secrets: %w", err)
	}
	s := &http.Server{Handler: secrets.New(all, time.Now()), ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(l)
	c.onClose(func() { s.Close() })
	c.secretsURL = "http://" + l.Addr().String()
	return nil
}
