package runtime

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

const (
	headerErrorType  = "Lambda-Runtime-Function-Error-Type"
	trailerErrorBody = "Lambda-Runtime-Function-Error-Body"
)

func (w *worker) api() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", w.next)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", w.response)
	mux.HandleFunc("POST "+base+"invocation/{id}/error", w.failed)
	mux.HandleFunc("POST "+base+"init/error", w.initFailed)
	return mux
}

// next parks the process until there is work. Lines written before this call
// belong to the last request, so they are read before the request is let go.
func (w *worker) next(rw http.ResponseWriter, r *http.Request) {
	w.logs.drain()
	if !w.ready() {
		refuse(rw, http.StatusForbidden, "InvalidStateTransition", "an invocation has not been answered")
		return
	}
	select {
	case inv := <-w.jobs:
		w.mu.Lock()
		w.current, w.answered = inv, false
		w.mu.Unlock()
		h := rw.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(inv.payload))) // else it is sent in chunks
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", w.fn.ARN)
		h.Set("Lambda-Runtime-Trace-Id", inv.trace)
		_, _ = rw.Write(inv.payload)
	case <-r.Context().Done():
	case <-w.exited:
	}
}

// ready tells the owner once that the process waits; a repeated call of next tells nothing new.
func (w *worker) ready() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.current != nil && !w.answered:
		return false
	case w.current != nil, !w.started:
		w.current, w.started = nil, true
		w.free <- struct{}{}
	}
	return true
}

func (w *worker) response(rw http.ResponseWriter, r *http.Request) {
	inv := w.claim(rw, r)
	if inv == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, MaxResponse))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		inv.fail(&FunctionError{Kind: Unhandled, Type: "Function.ResponseSizeTooLarge",
			Message: "Response payload size exceeded maximum allowed payload size (6291556 bytes)."})
		w.answer(inv)
		refuse(rw, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "response is larger than 6291556 bytes")
		return
	case err != nil: // the process died while sending: its end tells the rest
		return
	}
	if kind := r.Trailer.Get(headerErrorType); kind != "" { // a streamed body broke off
		doc, _ := base64.StdEncoding.DecodeString(r.Trailer.Get(trailerErrorBody))
		inv.finish(doc, decodeError(doc, kind))
	} else {
		inv.finish(body, nil)
	}
	w.answer(inv)
	accept(rw)
}

func (w *worker) failed(rw http.ResponseWriter, r *http.Request) {
	inv := w.claim(rw, r)
	if inv == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, MaxResponse))
	if err != nil {
		refuse(rw, http.StatusBadRequest, "InvalidErrorShape", "error body cannot be read")
		return
	}
	inv.finish(body, decodeError(body, r.Header.Get(headerErrorType)))
	w.answer(inv)
	accept(rw)
}

func (w *worker) initFailed(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
	fe := decodeError(body, r.Header.Get(headerErrorType))
	fe.Kind = Unhandled
	w.mu.Lock()
	w.initErr = fe
	w.mu.Unlock()
	accept(rw)
}

// claim finds the invocation that a call names; there is only ever one.
func (w *worker) claim(rw http.ResponseWriter, r *http.Request) *invocation {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == nil || w.answered || w.current.id != r.PathValue("id") {
		refuse(rw, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	}
	return w.current
}

func (w *worker) answer(inv *invocation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == inv {
		w.answered = true
	}
}

func accept(rw http.ResponseWriter) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(rw, `{"status":"OK"}`)
}

func refuse(rw http.ResponseWriter, status int, kind, msg string) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	b, _ := json.Marshal(errorDocument{Message: msg, Type: kind})
	_, _ = rw.Write(b)
}
