//go:build dynoxide

package provision

import "github.com/fairseat/fairseat/localstack/emulators"

var stores = []emulators.Store{emulators.DynamoDBLocal, emulators.Dynoxide}
