package api

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// FuzzParse holds the strict decoder against encoding/json: what it takes, that
// takes too and means the same; what it refuses though that is fine has a reason.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		two, `{"best":{"count":2,"type":"regular"},"movie_id":"m"}`, `{"a":{"b":1,"b":2}}`, `[1,2.5e3,"\ud800",null,true]`, `{"":0}`, `{} x`, "\xff", `{"a":1}}`,
		` { "a" : { "b" : 2 , "c":"regular"} } `, `{"a":"\u00e9\"\\","\ud83d\ude00":"\ud800"}`, `[[],{},[ ],{ },null,true,false,-1.5e3,0]`, "\t\"x\"\r\n", `[1 , 2 ]`,
		strings.Repeat("[", 50) + strings.Repeat("]", 50),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := parse(string(body))
		if err != nil {
			if code := codeOf(err); code != "bad_request" {
				t.Fatalf("%q: %s", body, code)
			}
			if r, ok := err.(*refusal); ok && json.Valid(body) && strings.Contains(r.detail, "not JSON") {
				t.Fatalf("%q is JSON, and was refused as none", body)
			}
			return
		}
		var naive any
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		if err := d.Decode(&naive); err != nil {
			t.Fatalf("%q was taken: %v", body, err)
		}
		if got := plain(v); !reflect.DeepEqual(got, naive) {
			t.Fatalf("%q: %v, want %v", body, got, naive)
		}
		_, _ = decodeHold(string(body))
		_, _ = decodePay(string(body), nil)
	})
}

func plain(v value) any {
	switch x := v.is.(type) {
	case map[string]value:
		m := map[string]any{}
		for k, inner := range x {
			m[k] = plain(inner)
		}
		return m
	case []value:
		list := []any{}
		for _, inner := range x {
			list = append(list, plain(inner))
		}
		return list
	case text:
		return v.as
	}
	return v.is
}

// FuzzDecodeHold: what was decoded and written anew decodes to the same.
func FuzzDecodeHold(f *testing.F) {
	f.Add([]byte(two))
	f.Add([]byte(`{"best":{"count":2,"type":"regular"},"movie_id":"m"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := decodeHold(string(body))
		if err != nil {
			return
		}
		again, err := decodeHold(string(canonical(b)))
		if err != nil || string(canonical(again)) != string(canonical(b)) {
			t.Fatalf("%q: %s, then %s, %v", body, canonical(b), canonical(again), err)
		}
	})
}

func FuzzBearer(f *testing.F) {
	f.Add("Bearer abc")
	f.Add("bearer  a b")
	f.Fuzz(func(t *testing.T, s string) {
		token, ok := bearer(s)
		if ok && (token == "" || strings.ContainsAny(token, " ,\t\r\n") || !strings.HasSuffix(s, token)) {
			t.Fatalf("%q gives %q", s, token)
		}
	})
}

// FuzzIfNoneMatch: a list that names the tag among well-formed ones is known; one
// without the tag's text never is.
func FuzzIfNoneMatch(f *testing.F) {
	f.Add(`W/"a", "b"`, "tag")
	f.Add(`"a,b"`, "t")
	f.Add(`*`, "t")
	f.Fuzz(func(t *testing.T, list, tag string) {
		if strings.ContainsAny(tag, `"`) || tag == "" {
			return
		}
		if known([]string{list}, tag) && strings.TrimSpace(list) != "*" && !strings.Contains(list, `"`+tag+`"`) {
			t.Fatalf("%q is in %q", tag, list)
		}
		for _, with := range []string{`"` + tag + `"`, `W/"` + tag + `" , ` + list, `"other",W/"` + tag + `"`} {
			if !known([]string{with}, tag) {
				t.Fatalf("%q is not in %q", tag, with)
			}
		}
	})
}

func FuzzCursor(f *testing.F) {
	w := newWorld(f)
	f.Add(w.expect(get("/cities?limit=1"), 200, "").str("next_cursor"), "1")
	f.Add("", "100")
	f.Fuzz(func(t *testing.T, cursor, limit string) {
		ev, fn := get("/cities").event()
		ev.MultiValueQueryStringParameters = map[string][]string{"cursor": {cursor}, "limit": {limit}}
		resp, err := w.handlers[fn](context.Background(), ev)
		if err != nil || resp.StatusCode != 200 && resp.StatusCode != 400 {
			t.Fatalf("%q, %q: %d, %v", cursor, limit, resp.StatusCode, err)
		}
	})
}

// FuzzEvent sends events with anything in them to every handler, as they are and
// with what lets them come as far as the use cases.
func FuzzEvent(f *testing.F) {
	w := newWorld(f)
	token := w.guest()
	f.Add(uint8(7), "", "open", "expand", "seats", "If-None-Match", "*", two, false)
	f.Add(uint8(7), "", "open", "", "", "", "", `{"best":{"count":2}}`, false)
	f.Add(uint8(6), "", "open", "expand", "seats", "", "", "", false)
	f.Add(uint8(3), "", "metropolis", "city", "bern", "", "", "", false)
	f.Add(uint8(3), "", "metropolis", "date", "9998-12-31", "", "", "", false)
	f.Add(uint8(1), "", "", "cursor", "AAAA", "", "", "", false)
	f.Add(uint8(10), "", "h_wqhbh4o5shlqpb7xvzwn6nvw34", "", "", "", "", `{"provider":"sandbox"}`, false)
	f.Add(uint8(12), "", "sandbox", "", "", bankMark, "genuine", `{"Payment":"a"}`, true)
	f.Add(uint8(200), "PUT", "%41", "", "", "Content-Type", "a/b;c=", "=", true)
	f.Fuzz(func(t *testing.T, n uint8, method, id, param, value, name, head, body string, encoded bool) {
		r := routes[int(n)%len(routes)]
		ev := events.APIGatewayProxyRequest{
			Resource: r.Path, HTTPMethod: r.Method, Path: strings.ReplaceAll(r.Path, "{", id), Body: body, IsBase64Encoded: encoded,
			Headers: map[string]string{name: head}, QueryStringParameters: map[string]string{param: value},
			PathParameters: map[string]string{"show": id, "city": id, "movie": id, "hold": id, "order": id, "layout": id, "provider": id},
		}
		if method != "" {
			ev.HTTPMethod = method
		}
		good := ev
		good.MultiValueHeaders = map[string][]string{
			"Authorization": {"Bearer " + token}, "Idempotency-Key": {"k" + id}, "Content-Type": {"application/json"}, name: {head},
		}
		if good.QueryStringParameters = nil; param != "" {
			good.MultiValueQueryStringParameters = map[string][]string{"city": {"bern"}, param: {value}}
		}
		for _, ev := range []events.APIGatewayProxyRequest{ev, good} {
			for _, fn := range []string{r.Function, ""} {
				resp, err := w.handlers[fn](context.Background(), ev)
				if err != nil || resp.StatusCode < 200 || resp.StatusCode >= 500 {
					t.Fatalf("%s: %+v: %d %s, %v; log %s", fn, ev, resp.StatusCode, resp.Body, err, w.log.String())
				}
			}
		}
	})
}

func FuzzAuthorizeKey(f *testing.F) {
	w := newWorld(f)
	good := w.developerKey(1)
	f.Add("arn:aws:execute-api:eu-west-1:0:abc/v1/GET/cities", "X-Api-Key", gatewayKey, "q")
	f.Add("", "x-api-key", good, "")
	f.Add("", "", "", good)
	f.Fuzz(func(t *testing.T, arn, name, value, query string) {
		a := authorize(t, w, events.APIGatewayCustomAuthorizerRequestTypeRequest{
			MethodArn: arn, MultiValueHeaders: map[string][]string{name: {value}},
			MultiValueQueryStringParameters: map[string][]string{devKey: {query}},
		})
		ours := func(k string) bool { return k == good || k == gatewayKey }
		if a.UsageIdentifierKey != "" && !ours(value) && !ours(query) {
			t.Fatalf("%q and %q are let in", value, query)
		}
		if !strings.HasSuffix(a.PolicyDocument.Statement[0].Resource[0], "/*") {
			t.Fatalf("resource %q", a.PolicyDocument.Statement[0].Resource)
		}
	})
}
