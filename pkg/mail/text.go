package mail

import (
	"embed"
	"fmt"
	"strings"
)

// texts: one file a kind and language, its subject first. {token} is the token's place,
// on a line of its own: in no address, for addresses are logged.
//
//go:embed texts
var texts embed.FS

// Message is a letter in words.
type Message struct {
	ID       ID
	To       string
	Language string // zh or en
	Subject  string
	Text     string
}

// Compose finds the words.
func Compose(l Letter) (Message, error) {
	lang := language(l.Locale)
	raw, err := texts.ReadFile("texts/" + lang + "/" + string(l.Kind) + ".txt")
	if err != nil || !l.Kind.valid() {
		return Message{}, fmt.Errorf("%w: there are no words for it", ErrLetter)
	}
	subject, text, _ := strings.Cut(string(raw), "\n\n")
	return Message{l.ID, l.To, lang, subject, strings.ReplaceAll(text, "{token}", l.Token)}, nil
}
