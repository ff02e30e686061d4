package rights

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/localstack/template"
)

const (
	account   = "000000000000"
	seats     = "arn:aws:dynamodb:eu-west-1:000000000000:table/local-Seats"
	other     = "arn:aws:dynamodb:eu-west-1:000000000000:table/local-Other"
	stream    = seats + "/stream/2026-01-01T00:00:00.000"
	work      = "arn:aws:sqs:eu-west-1:000000000000:local-Work"
	words     = "arn:aws:logs:eu-west-1:000000000000:log-group:local-Words:*"
	sealing   = "arn:aws:kms:eu-west-1:000000000000:key/local-Seal"
	bank      = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:local-Bank"
	kept      = "arn:aws:s3:::local-kept"
	workURL   = "http://127.0.0.1:9324/000000000000/local-Work"
	workOther = "http://127.0.0.1:9324/000000000000/local-Else"
)

func statement(effect, resource string, actions ...string) template.Statement {
	return template.Statement{Effect: effect, Actions: actions, Resources: []string{resource}}
}

func function(statements ...template.Statement) template.Function {
	return template.Function{ID: "Buy", Name: "local-Buy", LogGroup: words, Statements: statements}
}

func TestAllows(t *testing.T) {
	for _, tt := range []struct {
		name       string
		statements []template.Statement
		need       Need
		want       bool
	}{
		{"nothing", nil, Need{"dynamodb:GetItem", seats}, false},
		{"the same", []template.Statement{statement("Allow", seats, "dynamodb:GetItem")}, Need{"dynamodb:GetItem", seats}, true},
		{"another action", []template.Statement{statement("Allow", seats, "dynamodb:GetItem")}, Need{"dynamodb:PutItem", seats}, false},
		{"another table", []template.Statement{statement("Allow", seats, "dynamodb:GetItem")}, Need{"dynamodb:GetItem", other}, false},
		{"an index is no table", []template.Statement{statement("Allow", seats, "dynamodb:Query")}, Need{"dynamodb:Query", seats + "/index/By"}, false},
		{"actions without case", []template.Statement{statement("Allow", work, "SQS:sendmessage")}, Need{"sqs:SendMessage", work}, true},
		{"resources with case", []template.Statement{statement("Allow", strings.ToUpper(work), "sqs:SendMessage")}, Need{"sqs:SendMessage", work}, false},
		{"any action", []template.Statement{statement("Allow", seats, "dynamodb:*")}, Need{"dynamodb:Scan", seats}, true},
		{"any resource", []template.Statement{statement("Allow", "*", "dynamodb:Scan")}, Need{"dynamodb:Scan", seats}, true},
		{"a dot is a dot", []template.Statement{statement("Allow", strings.Replace(seats, "local-", "local.", 1), "dynamodb:Scan")}, Need{"dynamodb:Scan", seats}, false},
		{"a part is not the whole", []template.Statement{statement("Allow", seats, "dynamodb:Get")}, Need{"dynamodb:GetItem", seats}, false},
		{"one character", []template.Statement{statement("Allow", seats[:len(seats)-1]+"?", "dynamodb:Scan")}, Need{"dynamodb:Scan", seats}, true},
		{"in pieces", []template.Statement{statement("Allow", seats, "dynamodb:PutItem"), statement("Allow", other, "dynamodb:GetItem")}, Need{"dynamodb:GetItem", seats}, false},
		{"Deny wins", []template.Statement{statement("Allow", seats, "dynamodb:*"), statement("Deny", seats, "dynamodb:DeleteItem")}, Need{"dynamodb:DeleteItem", seats}, false},
		{"Deny of another", []template.Statement{statement("Allow", seats, "dynamodb:*"), statement("Deny", seats, "dynamodb:DeleteItem")}, Need{"dynamodb:GetItem", seats}, true},
		{"Deny alone", []template.Statement{statement("Deny", other, "dynamodb:*")}, Need{"dynamodb:GetItem", seats}, false},
	} {
		r, err := newRole(function(tt.statements...))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second answer is remembered
			if got := r.allows(tt.need); got != tt.want {
				t.Errorf("%s: %v allowed: %v", tt.name, tt.need, got)
			}
		}
	}
}

func TestStatementsThatCannotBeJudged(t *testing.T) {
	leading := statement("Allow", seats, "dynamodb:GetItem")
	leading.Condition = map[string]any{"ForAllValues:StringLike": map[string]any{"dynamodb:LeadingKeys": "A#*"}}
	for want, st := range map[string]template.Statement{
		"Buy: statement 1 has the condition ForAllValues:StringLike": leading,
		`Buy: statement 1 has the effect "Perhaps"`:                  statement("Perhaps", seats, "dynamodb:GetItem"),
	} {
		if _, err := newRole(function(st)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// naive matches one character at a time.
func naive(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return naive(pattern[1:], s) || s != "" && naive(pattern, s[1:])
	}
	return s != "" && (pattern[0] == '?' || pattern[0] == s[0]) && naive(pattern[1:], s[1:])
}

func TestPatternsLikeANaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOf(rapid.RuneFrom([]rune("ab.:/*?+[\\"))).Draw(t, "pattern")
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab.:/+[\\\n"))).Draw(t, "s")
		if got, want := patterns([]string{pattern}, "")[0].MatchString(s), naive(pattern, s); got != want {
			t.Fatalf("%q matches %q: %v, the twin says %v", pattern, s, got, want)
		}
	})
}
