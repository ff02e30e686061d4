package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

const maxBody = 64 << 10

// Handler serves the wire's calls, the buyer's page and the controls.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	s.opt.Wire.Routes(mux, s)
	mux.HandleFunc("GET /pay/{id}/{token}", s.getPage)
	mux.HandleFunc("POST /pay/{id}/{token}", s.postPage)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, mustJSON(map[string]string{"status": "ok", "service": "sandbox"}))
	})
	s.controls(mux)
	return mux
}

// call answers a value to send, or an error; the simulator is locked around it.
type call func(r *http.Request, body []byte) (any, error)

func render(v any, err error) (int, []byte) {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p.Status, mustJSON(errorView{p})
	case err != nil:
		return http.StatusInternalServerError, mustJSON(errorView{&Problem{Code: "internal", Text: "the journal cannot be written"}})
	}
	return http.StatusOK, mustJSON(v)
}

type errorView struct {
	Error *Problem `json:"error"`
}

func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badRequest("body: " + err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return badRequest("body: something follows")
	}
	return nil
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own structs come here
	}
	return b
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
