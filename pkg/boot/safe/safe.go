// Package safe builds the vault: what seals, opens and finds personal data.
//
// A function that seals needs in the template FIELD_KEY: !Ref FieldKey and KEYS_TABLE:
// !Ref Keys, with kms:Decrypt and kms:GenerateDataKey on FieldKey and dynamodb:GetItem
// and dynamodb:PutItem on Keys; one that only opens, kms:Decrypt and dynamodb:GetItem;
// one that finds by value also BLIND_SECRET.
package safe

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/vault"
	"github.com/fairseat/fairseat/pkg/vault/kmskeys"
)

// Vault seals, opens and finds. No call is made.
func Vault(p *boot.Parts, t store.Tables) *vault.Keeper {
	k, err := vault.New(keys(p), store.NewShelf(t), p.Text("BLIND_SECRET"), boot.Clock)
	if err != nil {
		p.Fail(err)
	}
	return k
}

// Sealer seals and opens.
func Sealer(p *boot.Parts, t store.Tables) *vault.Keeper {
	return vault.NewSealer(keys(p), store.NewShelf(t), boot.Clock)
}

func keys(p *boot.Parts) vault.Keys {
	k, err := kmskeys.New(p.Env, p.Text("FIELD_KEY"), boot.Clock, boot.Pause)
	if err != nil {
		p.Fail(err)
	}
	return k
}
