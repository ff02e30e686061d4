package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
)

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} payment</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 3rem auto; padding: 0 1rem }
button { font: inherit; padding: .6rem 1.4rem; margin-right: .5rem }
</style>
<main>
<h1>{{.Amount}}</h1>
<p>{{.Description}}</p>
<p>{{if .Order}}Order {{.Order}}. {{end}}{{.Title}} on this machine: no money moves here.</p>
{{if eq .State "pending"}}
<form method="post">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="decline">Decline</button>
</form>
{{else}}
<p role="status">This payment is {{.State}}.</p>
{{end}}
</main>
</html>
`))

// page is the address of a payment's page; nobody guesses it from the number.
func (s *Sim) page(id string) string { return s.opt.URL + "/pay/" + id + "/" + s.token(id) }

func (s *Sim) token(id string) string {
	m := hmac.New(sha256.New, []byte(s.opt.Secret))
	m.Write([]byte("page." + id))
	return hex.EncodeToString(m.Sum(nil))[:32]
}

func (s *Sim) getPage(w http.ResponseWriter, r *http.Request) {
	p, ok := s.onPage(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.showPage(w, p)
}

func (s *Sim) postPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if _, ok := s.onPage(r); !ok {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	_, err := s.decide(r.PathValue("id"), r.PostFormValue("decision"))
	s.mu.Unlock()
	if err != nil && !errors.Is(err, errNotPending) {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, s.page(r.PathValue("id")), http.StatusSeeOther)
}

// onPage answers a copy of the payment whose page was asked for.
func (s *Sim) onPage(r *http.Request) (Payment, bool) {
	id := r.PathValue("id")
	if subtle.ConstantTimeCompare([]byte(s.token(id)), []byte(r.PathValue("token"))) != 1 {
		return Payment{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.payments[id]
	if !ok {
		return Payment{}, false
	}
	if !p.Seen {
		p.Seen = true
		s.save(record{Payment: p})
	}
	return *p, true
}

func (s *Sim) showPage(w http.ResponseWriter, p Payment) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	if err := page.Execute(w, struct {
		Payment
		Title string
	}{p, s.opt.Title}); err != nil {
		s.opt.Log.Warn("page", "payment", p.ID, "err", err)
	}
}
