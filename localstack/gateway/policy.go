package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// decision is what a policy says of a method ARN. The zero value is invalid.
type decision uint8

const (
	_ decision = iota
	allow
	denied   // no statement allows it
	explicit // a statement denies it
)

// policy is what an authorizer answers, decoded.
type policy struct {
	principal  string
	usageKey   string
	context    map[string]any // strings, as integrations receive them
	statements []statement
}

type statement struct {
	deny      bool
	actions   []string
	resources []string
}

type policyDocument struct {
	PrincipalID *string        `json:"principalId"`
	UsageKey    string         `json:"usageIdentifierKey"`
	Context     map[string]any `json:"context"`
	Policy      *struct {
		Version   string
		Statement json.RawMessage
	} `json:"policyDocument"`
}

type statementDocument struct {
	Effect                            string
	Action, Resource                  oneOrMany
	NotAction, NotResource, Condition json.RawMessage
	Principal, NotPrincipal           json.RawMessage
	Sid                               string
}

type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*o = make([]string, 1)
		return json.Unmarshal(b, &(*o)[0])
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// decodePolicy refuses what it could not judge: a statement that is overlooked
// would let in, or keep out, whom AWS would not.
func decodePolicy(b []byte) (*policy, error) {
	var doc policyDocument
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("authorizer's answer: %w", err)
	}
	if doc.PrincipalID == nil || *doc.PrincipalID == "" {
		return nil, errors.New("authorizer's answer: no principalId")
	}
	if doc.Policy == nil {
		return nil, errors.New("authorizer's answer: no policyDocument")
	}
	p := &policy{principal: *doc.PrincipalID, usageKey: doc.UsageKey, context: map[string]any{}}
	for k, v := range doc.Context {
		switch x := v.(type) {
		case string:
			p.context[k] = x
		case bool:
			p.context[k] = fmt.Sprint(x)
		case float64:
			n, _ := json.Marshal(x)
			p.context[k] = string(n)
		case nil:
		default:
			return nil, fmt.Errorf("authorizer's answer: context %q is neither string, number nor boolean", k)
		}
	}
	p.context["principalId"] = p.principal
	list := doc.Policy.Statement
	if len(list) > 0 && list[0] == '{' {
		list = append(append([]byte{'['}, list...), ']')
	}
	var statements []statementDocument
	if err := json.Unmarshal(list, &statements); err != nil {
		return nil, fmt.Errorf("authorizer's answer: statements: %w", err)
	}
	for i, s := range statements {
		if s.Condition != nil || s.NotAction != nil || s.NotResource != nil || s.Principal != nil || s.NotPrincipal != nil {
			return nil, fmt.Errorf("authorizer's answer: statement %d: only Effect, Action and Resource are known", i)
		}
		if s.Effect != "Allow" && s.Effect != "Deny" || len(s.Action) == 0 || len(s.Resource) == 0 {
			return nil, fmt.Errorf("authorizer's answer: statement %d is not a whole one", i)
		}
		p.statements = append(p.statements, statement{s.Effect == "Deny", s.Action, s.Resource})
	}
	return p, nil
}

// judge follows IAM: a denial beats every permission, and nothing said is no.
func (p *policy) judge(arn string) decision {
	d := denied
	for _, s := range p.statements {
		if !anyMatch(s.actions, "execute-api:Invoke", true) || !anyMatch(s.resources, arn, false) {
			continue
		}
		if s.deny {
			return explicit
		}
		d = allow
	}
	return d
}

func anyMatch(patterns []string, s string, fold bool) bool {
	for _, p := range patterns {
		if fold {
			p, s = strings.ToLower(p), strings.ToLower(s)
		}
		if wildcard(p, s) {
			return true
		}
	}
	return false
}

// wildcard matches * (any run, slashes included) and ? (any one character).
func wildcard(p, s string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}
