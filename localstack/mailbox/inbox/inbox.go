// Package inbox is everybody's mailbox on this machine: an SMTP server that takes letters
// to anybody and hands none on, and pages on which they are read.
//
//	GET /                 a page for people, the newest first
//	GET /messages?to=a@b  {"items":[{id, message_id, from, to, subject, language, text, raw, at}]},
//	                      the oldest first; without to all
//
// Addresses at refused.invalid do not exist (550), those at later.invalid are not taken
// yet (451). With a folder letters are kept as .eml files. Start with [Open] and [Box].
package inbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"encoding/base64"

	"github.com/emersion/go-smtp"
)

// most letters that are remembered; the oldest go first.
const most = 10_000

// largest letter in bytes.
const largest = 1 << 20

// Message is a letter as it is shown.
type Message struct {
	ID        int       `json:"id"`
	MessageID string    `json:"message_id"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Language  string    `json:"language"`
	Text      string    `json:"text"`
	Raw       string    `json:"raw"`
	At        time.Time `json:"at"`
}

// Box holds letters. It is safe for concurrent use.
type Box struct {
	folder string
	now    func() time.Time

	mu   sync.Mutex
	last int
	all  []Message
}

// Open makes a box, with what its folder holds; "" keeps nothing.
func Open(folder string, now func() time.Time) (*Box, error) {
	b := &Box{folder: folder, now: now}
	if folder == "" {
		return b, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.eml"))
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	slices.Sort(files)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		info, err2 := os.Stat(f)
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("inbox: %w", err)
		}
		to, rest, _ := bytes.Cut(raw, []byte("\n"))
		b.add(string(bytes.TrimPrefix(to, []byte("X-Kept-For: "))), rest, info.ModTime())
	}
	return b, nil
}

func (b *Box) add(to string, raw []byte, at time.Time) int {
	b.last++
	m := Message{ID: b.last, To: to, Raw: string(raw), At: at.UTC()}
	m.read(raw)
	b.all = append(b.all, m)
	b.all = b.all[max(0, len(b.all)-most):]
	return b.last
}

// read takes from a letter what it can; what it cannot is in Raw.
func (m *Message) read(raw []byte) {
	l, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return
	}
	m.MessageID, m.Language = strings.Trim(l.Header.Get("Message-Id"), "<>"), l.Header.Get("Content-Language")
	var words mime.WordDecoder
	m.Subject, _ = words.DecodeHeader(l.Header.Get("Subject"))
	if from, err := mail.ParseAddress(l.Header.Get("From")); err == nil {
		m.From = from.Address
	}
	body := l.Body
	switch strings.ToLower(l.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, _ := io.ReadAll(body)
	m.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
}

// Messages are those to an address, or all for "".
func (b *Box) Messages(to string) []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []Message{}
	for _, m := range b.all {
		if to == "" || strings.EqualFold(m.To, to) {
			out = append(out, m)
		}
	}
	return out
}

// take keeps a letter before the server says that it has it.
func (b *Box) take(to string, raw []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.add(to, raw, b.now())
	if b.folder == "" {
		return nil
	}
	name := filepath.Join(b.folder, fmt.Sprintf("%09d.eml", id))
	return os.WriteFile(name, append([]byte("X-Kept-For: "+to+"\n"), raw...), 0o600)
}

// SMTP is the server.
func (b *Box) SMTP() *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }))
	s.Domain, s.MaxMessageBytes, s.MaxRecipients, s.EnableSMTPUTF8 = "mailbox.localhost", largest, 10, true
	s.ReadTimeout, s.WriteTimeout = 30*time.Second, 30*time.Second
	return s
}

type session struct {
	box *Box
	to  []string
}

func (s *session) Reset()                               { s.to = nil }
func (s *session) Logout() error                        { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch _, domain, _ := strings.Cut(to, "@"); domain {
	case "refused.invalid":
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox: " + to}
	case "later.invalid":
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later: " + to}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range s.to {
		if err := s.box.take(to, raw); err != nil {
			return err
		}
	}
	return nil
}

// Handler serves the pages.
func (b *Box) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /messages", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"items": b.Messages(r.URL.Query().Get("to"))})
	})
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		all := b.Messages("")
		slices.Reverse(all)
		_ = page.Execute(w, all)
	})
	return m
}

var page = template.Must(template.New("").Parse(`<!doctype html><title>Mailbox</title>
<style>body{font:15px sans-serif;max-width:46em;margin:2em auto}pre{white-space:pre-wrap;background:#f4f4f4;padding:1em}</style>
<h1>Letters that left this machine's stack</h1>
{{range .}}<h2>{{.Subject}}</h2><p>to {{.To}}, {{.At.Format "15:04:05"}}</p><pre lang="{{.Language}}">{{.Text}}</pre>
{{else}}<p>None yet.</p>{{end}}`))
