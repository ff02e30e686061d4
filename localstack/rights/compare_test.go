package rights

import (
	"strings"
	"testing"

	"github.com/fairseat/fairseat/localstack/template"
)

const talk, manage = "arn:aws:execute-api:eu-west-1:000000000000:talk/v1", "execute-api:ManageConnections"

// TestCompare: each row is a role and what was used; the findings are the whole table.
func TestCompare(t *testing.T) {
	get, put := Need{"dynamodb:GetItem", seats}, Need{"dynamodb:PutItem", seats}
	logged := Need{"logs:PutLogEvents", words}
	for _, tt := range []struct {
		name       string
		statements []template.Statement
		used       []Need
		denied     []Need
		part       bool
		want       []string
	}{
		{"exact", []template.Statement{statement("Allow", seats, get.Action, put.Action)}, []Need{get, put}, nil, false, nil},
		{"unused", []template.Statement{statement("Allow", seats, get.Action, put.Action)}, []Need{get}, nil, false,
			[]string{"Buy dynamodb:PutItem " + seats + " yes 0"}},
		{"unused in a part of the tests", []template.Statement{statement("Allow", seats, get.Action, put.Action)}, []Need{get}, nil, true, nil},
		{"used of another table", []template.Statement{statement("Allow", other, get.Action)}, []Need{get}, nil, false,
			[]string{"Buy dynamodb:GetItem " + other + " yes 0"}},
		{"not granted", nil, []Need{put, put}, []Need{put, put}, false, []string{"Buy dynamodb:PutItem " + seats + " no 2"}},
		{"not granted in a part of the tests", nil, []Need{put}, []Need{put}, true, []string{"Buy dynamodb:PutItem " + seats + " no 1"}},
		{"any resource", []template.Statement{statement("Allow", "*", get.Action)}, []Need{get}, nil, true,
			[]string{"Buy dynamodb:GetItem * by a wildcard 0"}},
		{"any action", []template.Statement{statement("Allow", seats, "dynamodb:*")}, []Need{get}, nil, true,
			[]string{"Buy dynamodb:* " + seats + " by a wildcard 0"}},
		{"its own log group", []template.Statement{statement("Allow", words, logged.Action)}, []Need{logged}, nil, false, nil},
		{"its own log group, never invoked", []template.Statement{statement("Allow", words, logged.Action)}, nil, nil, false,
			[]string{"Buy logs:PutLogEvents " + words + " yes 0"}},
		{"another log group", []template.Statement{statement("Allow", "arn:aws:logs:eu-west-1:000000000000:log-group:else:*", logged.Action)}, nil, nil, true,
			[]string{"Buy logs:PutLogEvents arn:aws:logs:eu-west-1:000000000000:log-group:else:* by a wildcard 0"}},
		{"traces", []template.Statement{statement("Allow", "*", "xray:PutTraceSegments")}, nil, nil, true,
			[]string{"Buy xray:PutTraceSegments * by a wildcard 0"}},
		{"posts to connections", []template.Statement{statement("Allow", talk+"/POST/@connections/*", manage)}, []Need{{manage, talk + "/POST/@connections/*"}}, nil, false, nil},
		{"posts to nobody", []template.Statement{statement("Allow", talk+"/POST/@connections/*", manage)}, []Need{{manage, talk + "/GET/@connections/*"}}, nil, false,
			[]string{"Buy execute-api:ManageConnections " + talk + "/POST/@connections/* yes 0"}},
		{"any method on connections", []template.Statement{statement("Allow", talk+"/*", manage)}, nil, nil, true,
			[]string{"Buy execute-api:ManageConnections " + talk + "/* by a wildcard 0"}},
		{"another API's connections", []template.Statement{statement("Allow", talk+"x/POST/@connections/*", manage)}, nil, nil, true,
			[]string{"Buy execute-api:ManageConnections " + talk + "x/POST/@connections/* by a wildcard 0"}},
		{"objects of a bucket", []template.Statement{statement("Allow", kept+"/*", "s3:GetObject"), statement("Allow", kept+"/a/*", "s3:PutObject")},
			[]Need{{"s3:GetObject", kept + "/*"}}, nil, false, []string{"Buy s3:PutObject " + kept + "/a/* yes 0"}},
		{"objects of all buckets", []template.Statement{statement("Allow", "arn:aws:s3:::*/*", "s3:GetObject")}, nil, nil, true,
			[]string{"Buy s3:GetObject arn:aws:s3:::*/* by a wildcard 0"}},
		{"a Deny", []template.Statement{statement("Deny", seats, get.Action)}, nil, nil, true,
			[]string{"Buy dynamodb:GetItem " + seats + " by Deny, which no use can prove 0"}},
	} {
		j := newJournal()
		j.note("Buy", tt.used, tt.denied)
		fs := Compare(&template.Stack{Functions: []template.Function{function(tt.statements...)}, Sockets: &template.SocketAPI{ARN: talk}, Buckets: []template.Bucket{{ARN: kept}}}, j.copy(), !tt.part)
		lines := strings.Split(strings.TrimSpace(Table(fs)), "\n")[1:]
		for i, l := range lines {
			lines[i] = strings.Join(strings.Fields(l), " ")
		}
		if strings.Join(lines, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%s: found\n%s\nwant\n%s", tt.name, strings.Join(lines, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

func TestLoggingCountsByInvocation(t *testing.T) {
	b := newBench(t, Enforce, empty, statement("Allow", words, inLog...))
	b.proxy.Invoked("Buy")
	b.proxy.Invoked("Nobody")
	u := b.proxy.Uses()
	if len(u.Used) != 2 || len(u.Denied) != 0 {
		t.Errorf("used %v, not granted %v", u.Used, u.Denied)
	}
	b = newBench(t, Enforce, empty)
	b.proxy.Invoked("Buy")
	if u := b.proxy.Uses(); len(u.Denied) != 2 {
		t.Errorf("without the right, not granted is %v", u.Denied)
	}
}

func TestModes(t *testing.T) {
	for m, name := range modes {
		if got, err := ParseMode(name); err != nil || got != m || m.String() != name {
			t.Errorf("%s is %v: %v", name, got, err)
		}
	}
	if _, err := ParseMode(""); err == nil {
		t.Error("no mode is one")
	}
}

// TestManagingConnections: the gateway that serves them asks, by access key.
func TestManagingConnections(t *testing.T) {
	const posts, deletes = talk + "/POST/@connections/*", talk + "/DELETE/@connections/*"
	for _, mode := range []Mode{Enforce, Record} {
		b := newBench(t, mode, empty, statement("Allow", posts, manage))
		if text, known := b.proxy.Secret("Buy"); !known || text != Credentials("Buy").SecretAccessKey {
			t.Errorf("%s: secret %q, %v", mode, text, known)
		}
		if _, known := b.proxy.Secret("Nobody"); known || b.proxy.Admit("Nobody", manage, posts) == nil {
			t.Errorf("%s: nobody is known", mode)
		}
		if err := b.proxy.Admit("Buy", manage, posts); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		err := b.proxy.Admit("Buy", manage, deletes)
		if (err != nil) != (mode == Enforce) || err != nil && !strings.Contains(err.Error(), "is not authorized to perform: execute-api:ManageConnections on resource: "+deletes) {
			t.Errorf("%s: %v", mode, err)
		}
		u := b.proxy.Uses()
		if len(u.Used) != 2 || len(u.Denied) != 1 || u.Denied[Use{"Buy", Need{manage, deletes}}] != 1 {
			t.Errorf("%s: used %v, not granted %v", mode, u.Used, u.Denied)
		}
	}
}
