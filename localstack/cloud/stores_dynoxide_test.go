//go:build dynoxide

package cloud

import "github.com/fairseat/fairseat/localstack/emulators"

var stores = []emulators.Store{emulators.DynamoDBLocal, emulators.Dynoxide}
