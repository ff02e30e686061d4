// Package secrets stands in for Secrets Manager, as far as a function reads what its
// template keeps: GetSecretValue of the current version, by the service's own wire.
// Whatever else is asked is refused by its name. Start with [New].
package secrets

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Secret is one of a template.
type Secret struct{ Name, ARN, Text string }

// Server answers the service's requests. It is safe for concurrent use.
type Server struct {
	by   map[string]Secret // by ARN and by name
	made time.Time
}

const longest = 1 << 16 // of a request's body, bytes

// New makes a Server of secrets, made at the time given.
func New(all []Secret, made time.Time) *Server {
	s := &Server{by: map[string]Secret{}, made: made}
	for _, x := range all {
		s.by[x.ARN], s.by[x.Name] = x, x
	}
	return s
}

// ServeHTTP answers one request.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ SecretId, VersionId, VersionStage string }
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
	if err != nil || json.Unmarshal(body, &in) != nil {
		refuse(w, "InvalidRequestException", "The body cannot be read.")
		return
	}
	if op := r.Header.Get("X-Amz-Target"); op != "secretsmanager.GetSecretValue" {
		refuse(w, "UnknownOperationException", "only GetSecretValue is known here")
		return
	}
	x, ok := s.by[in.SecretId]
	if !ok || in.VersionId != "" || in.VersionStage != "" && in.VersionStage != "AWSCURRENT" {
		refuse(w, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
		return
	}
	respond(w, http.StatusOK, map[string]any{
		"ARN": x.ARN, "Name": x.Name, "SecretString": x.Text, "VersionId": "00000000-0000-0000-0000-000000000001",
		"VersionStages": []string{"AWSCURRENT"}, "CreatedDate": float64(s.made.Unix()),
	})
}

func refuse(w http.ResponseWriter, name, text string) {
	respond(w, http.StatusBadRequest, map[string]any{"__type": name, "Message": text})
}

func respond(w http.ResponseWriter, status int, members map[string]any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members)
}
