package rights

import (
	"errors"
	"slices"

	"github.com/fairseat/fairseat/localstack/template"
)

// The management API of WebSockets has its own port and asks here.

// Secret of a function's access key; known is false for anybody else's.
func (p *Proxy) Secret(key string) (text string, known bool) {
	return secret, p.roles[key] != nil
}

// Admit notes that a function needs a right, and refuses in IAM's words what its
// role does not allow where rights are enforced.
func (p *Proxy) Admit(key, action, resource string) error {
	who := p.roles[key]
	if who == nil {
		return errors.New("the access key is no function's")
	}
	denied := p.admit(who, []Need{{action, resource}})
	if denied == nil || p.mode == Record {
		return nil
	}
	return errors.New(p.words(who, *denied))
}

// connections tells whether a resource is one method on all connections of the
// stack's API: as exact as such a right can be, for an id names nobody in advance.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
func connections(s *template.Stack, resource string) bool {
	return s.Sockets != nil && slices.ContainsFunc([]string{"POST", "GET", "DELETE"}, func(method string) bool {
		return resource == s.Sockets.ARN+"/"+method+"/@connections/*"
	})
}
