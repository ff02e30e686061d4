package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/fairseat/fairseat/localstack/mailbox/inbox"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
	"github.com/fairseat/fairseat/pkg/vault"
	"github.com/fairseat/fairseat/pkg/vault/kmskeys"
)

// tables are those of the stack, for what stands in for a function here.
func tables(t *testing.T) store.Tables {
	t.Helper()
	client, err := ddb.Client(variable)
	if err != nil {
		t.Fatal(err)
	}
	names := map[store.Table]string{store.Keys: variable("TABLE_Keys"), store.Mail: variable("TABLE_Mail")}
	return ddb.New(client, names, func(most time.Duration) time.Duration { return most / 2 })
}

// putLetter does what the transaction does that causes a letter.
func putLetter(t *testing.T, l mail.Letter) {
	t.Helper()
	clock := func() time.Time { return time.Now().UTC() }
	keys, err := kmskeys.New(variable, variable("KEY_FieldKey"), clock, func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	if err != nil {
		t.Fatal(err)
	}
	db := tables(t)
	keeper := vault.NewSealer(keys, store.NewShelf(db), clock)
	p, err := mail.Close(t.Context(), keeper, l)
	if err == nil {
		err = db.Transact(t.Context(), []store.Write{store.MailWrite(p)}, "")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// letters that came to an address.
func letters(to string) ([]inbox.Message, error) {
	res, err := http.Get("http://127.0.0.1:" + variable("PORT_mailbox") + "/messages?to=" + url.QueryEscape(to))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var out struct{ Items []inbox.Message }
	return out.Items, json.NewDecoder(res.Body).Decode(&out)
}

// awaitLetter waits for the letter to an address, with a limit.
func awaitLetter(t *testing.T, to string) inbox.Message {
	t.Helper()
	var got []inbox.Message
	eventually(t, 20*time.Second, func() (err error) {
		if got, err = letters(to); err == nil && len(got) == 0 {
			err = fmt.Errorf("no letter has come to %s", to)
		}
		return err
	})
	return got[0]
}

// TestLetters: from the outbox through stream, queue and SMTP to the mailbox, once, and
// the outbox forgets them; what a mailbox refuses for good is dropped.
func TestLetters(t *testing.T) {
	t.Parallel()
	id := func(n int) mail.ID { return mail.ID(fmt.Sprintf("e2e-%d-%d", time.Now().UnixNano(), n)) }
	now := time.Now().UTC()
	all := []mail.Letter{
		{ID: id(1), Kind: mail.Verify, Locale: "zh-CN", To: "letters.zh@example.com", Token: "token-of-a-verification", At: now},
		{ID: id(2), Kind: mail.Changed, Locale: "fr", To: "letters.en@example.com", At: now},
		{ID: id(3), Kind: mail.Taken, Locale: "en", To: "letters@refused.invalid", At: now},
	}
	for _, l := range all {
		putLetter(t, l)
	}
	if m := awaitLetter(t, all[0].To); !strings.Contains(m.Text, "\ntoken-of-a-verification\n") || m.Language != "zh" || m.From != "no-reply@fairseat.example" {
		t.Errorf("%+v", m)
	}
	if m := awaitLetter(t, all[1].To); m.Subject != "Your password was changed" || m.Language != "en" || m.MessageID != string(all[1].ID)+"@fairseat.example" {
		t.Errorf("%+v", m)
	}
	eventually(t, 20*time.Second, func() error {
		out, err := stack.Clients().Tables.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(variable("TABLE_Mail"))})
		if err != nil {
			return err
		}
		left := fmt.Sprintf("%#v", out.Items)
		for _, l := range all {
			if strings.Contains(left, string(l.ID)) {
				return fmt.Errorf("letter %s is still there", l.ID)
			}
		}
		return nil
	})
	for _, l := range all[:2] {
		if got, err := letters(l.To); err != nil || len(got) != 1 {
			t.Errorf("%d letters to %s: %v", len(got), l.To, err)
		}
	}
}
