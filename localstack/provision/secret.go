package provision

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/fairseat/fairseat/localstack/template"
)

// Secrets makes the value of each secret, of each key of KMS and of each API key that
// has none, and puts it into the stack. With a data folder what was made before is used again.
// The map holds all values by logical id.
func Secrets(s *template.Stack, folder string) (map[string]string, error) {
	kept, err := readSecrets(folder)
	if err != nil {
		return nil, err
	}
	made := false
	take := func(id, fixed string, draw func() (string, error)) (string, error) {
		if fixed != "" {
			return fixed, nil
		}
		if v := kept[id]; v != "" {
			return v, nil
		}
		v, err := draw()
		if err != nil {
			return "", fmt.Errorf("provision: secret %s: %w", id, err)
		}
		kept[id], made = v, true
		return v, nil
	}
	out := map[string]string{}
	for i := range s.Secrets {
		x := &s.Secrets[i]
		if x.Value, err = take(x.ID, x.Value, func() (string, error) { return generate(*x) }); err != nil {
			return nil, err
		}
		out[x.ID] = x.Value
	}
	for _, k := range s.Keys {
		// In hexadecimal, 32 bytes. It is no output: what holds it is the stand-in of KMS.
		if out[k.ID], err = take(k.ID, "", func() (string, error) { return draw("0123456789abcdef", 64) }); err != nil {
			return nil, err
		}
	}
	if s.API != nil {
		for i := range s.API.Keys {
			k := &s.API.Keys[i]
			key := template.Secret{Length: 40, Exclude: template.Punctuation}
			if k.Value, err = take(k.ID, k.Value, func() (string, error) { return generate(key) }); err != nil {
				return nil, err
			}
			out[k.ID] = k.Value
		}
	}
	if made {
		err = writeSecrets(folder, kept)
	}
	return out, err
}

const secretsFile = "secrets.json"

func readSecrets(folder string) (map[string]string, error) {
	kept := map[string]string{}
	if folder == "" {
		return kept, nil // nothing to read, nothing to keep
	}
	data, err := os.ReadFile(filepath.Join(folder, secretsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		return nil, fmt.Errorf("provision: secrets of the data folder: %w", err)
	}
	if kept == nil { // the file says null
		kept = map[string]string{}
	}
	return kept, nil
}

// writeSecrets replaces the file as a whole: a torn one would lose every secret.
func writeSecrets(folder string, kept map[string]string) error {
	if folder == "" {
		return nil
	}
	data, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return fmt.Errorf("provision: secrets: %w", err)
	}
	part := filepath.Join(folder, secretsFile+".part")
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("provision: secrets: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, filepath.Join(folder, secretsFile))
	}
	if err != nil {
		return fmt.Errorf("provision: secrets: %w", err)
	}
	return nil
}

// generate draws a text by the rules of GenerateSecretString.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
func generate(s template.Secret) (string, error) {
	var classes []string
	for _, c := range []string{template.Lower, template.Upper, template.Digits, template.Punctuation} {
		if c = without(c, s.Exclude); c != "" {
			classes = append(classes, c)
		}
	}
	alphabet := strings.Join(classes, "")
	if s.Space && !strings.Contains(s.Exclude, " ") {
		alphabet += " "
		classes = append(classes, " ")
	}
	switch {
	case alphabet == "":
		return "", errors.New("every character is excluded")
	case s.Mixed && s.Length < len(classes):
		return "", errors.New("too short to hold each kind of character")
	}
	text, err := draw(alphabet, s.Length)
	for err == nil && s.Mixed && !hasAll(text, classes) {
		text, err = draw(alphabet, s.Length)
	}
	if err != nil || s.Template == "" {
		return text, err
	}
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(s.Template), &fields); err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	fields[s.Key] = text
	data, err := json.Marshal(fields)
	return string(data), err
}

func draw(alphabet string, n int) (string, error) {
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		b[i] = alphabet[k.Int64()]
	}
	return string(b), nil
}

func without(s, cut string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(cut, r) {
			return -1
		}
		return r
	}, s)
}

func hasAll(s string, classes []string) bool {
	for _, c := range classes {
		if !strings.ContainsAny(s, c) {
			return false
		}
	}
	return true
}
