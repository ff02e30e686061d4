// Package keys stands in for KMS, as far as envelope encryption needs it: GenerateDataKey
// and Decrypt, by KMS's own wire, under the keys of a template. Whatever else is asked
// is refused by its name.
//
// What holds: what is wrapped opens under the same key and the same encryption context,
// and in no other way (AES-256-GCM, the context as associated data); the keys come from
// the stack's data folder, whose secrets.json has them in clear for the owner alone, and
// so outlive kill -9. No emulator of KMS that could be had keeps keys so.
//
// Start with [New].
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Server answers KMS's requests. It is safe for concurrent use.
type Server struct {
	byName map[string]*key // by ARN and by id
	byTag  map[tag]*key
}

type key struct {
	arn    string
	tag    tag
	sealer cipher.AEAD
}

// tag in a wrapped text tells which key opens it: Decrypt need not name one.
type tag [16]byte

const (
	version = 1
	longest = 1 << 16 // of a request's body, bytes
)

// New makes a Server of keys by their ARNs, 32 bytes each.
func New(material map[string][]byte) (*Server, error) {
	s := &Server{byName: map[string]*key{}, byTag: map[tag]*key{}}
	for _, arn := range slices.Sorted(maps.Keys(material)) {
		block, err := aes.NewCipher(material[arn])
		if err != nil {
			return nil, fmt.Errorf("keys: %s: %w", arn, err)
		}
		k := &key{arn: arn}
		sum := sha256.Sum256([]byte(arn))
		copy(k.tag[:], sum[:])
		if k.sealer, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("keys: %s: %w", arn, err)
		}
		s.byName[arn], s.byTag[k.tag] = k, k
		s.byName[arn[strings.LastIndexByte(arn, '/')+1:]] = k
	}
	return s, nil
}

// request holds the members of the two calls.
type request struct {
	KeyId             string
	KeySpec           string
	NumberOfBytes     int
	CiphertextBlob    []byte
	EncryptionContext map[string]string
}

type answer struct {
	CiphertextBlob      []byte `json:",omitempty"`
	Plaintext           []byte
	KeyId               string
	EncryptionAlgorithm string `json:",omitempty"`
}

// refusal is an error as KMS names it.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
type refusal struct{ name, text string }

func (r refusal) Error() string { return r.name + ": " + r.text }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in request
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
	if err != nil || json.Unmarshal(body, &in) != nil {
		respond(w, nil, refusal{"SerializationException", "The body cannot be read."})
		return
	}
	var out *answer
	switch op, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService."); op {
	case "GenerateDataKey":
		out, err = s.generate(in)
	case "Decrypt":
		out, err = s.decrypt(in)
	default:
		err = refusal{"UnsupportedOperationException", "only GenerateDataKey and Decrypt are known here"}
	}
	respond(w, out, err)
}

func respond(w http.ResponseWriter, out *answer, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	var no refusal
	if errors.As(err, &no) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": no.name, "message": no.text})
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) generate(in request) (*answer, error) {
	k := s.byName[in.KeyId]
	size := in.NumberOfBytes
	switch {
	case k == nil:
		return nil, refusal{"NotFoundException", "Key does not exist"}
	case in.KeySpec == "AES_256" && size == 0:
		size = 32
	case in.KeySpec == "AES_128" && size == 0:
		size = 16
	case in.KeySpec != "" || size < 1 || size > 1024:
		return nil, refusal{"ValidationException", "Please specify either number of bytes or key spec."}
	}
	plain := make([]byte, size)
	rand.Read(plain)
	blob := append([]byte{version}, k.tag[:]...)
	blob = k.sealer.Seal(blob, nil, plain, bound(in.EncryptionContext))
	return &answer{CiphertextBlob: blob, Plaintext: plain, KeyId: k.arn}, nil
}

func (s *Server) decrypt(in request) (*answer, error) {
	invalid := refusal{"InvalidCiphertextException", ""}
	head := 1 + len(tag{})
	if len(in.CiphertextBlob) < head || in.CiphertextBlob[0] != version {
		return nil, invalid
	}
	k := s.byTag[tag(in.CiphertextBlob[1:head])]
	switch {
	case k == nil:
		return nil, invalid
	case in.KeyId != "" && s.byName[in.KeyId] == nil:
		return nil, refusal{"NotFoundException", "Key does not exist"}
	case in.KeyId != "" && s.byName[in.KeyId] != k:
		return nil, refusal{"IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation."}
	}
	plain, err := k.sealer.Open(nil, nil, in.CiphertextBlob[head:], bound(in.EncryptionContext))
	if err != nil {
		return nil, invalid
	}
	return &answer{Plaintext: plain, KeyId: k.arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT"}, nil
}

// bound is the context in one writing: encoding/json sorts its keys.
func bound(context map[string]string) []byte {
	if len(context) == 0 {
		return nil
	}
	b, _ := json.Marshal(context)
	return b
}
