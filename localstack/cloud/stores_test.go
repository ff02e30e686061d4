//go:build !dynoxide

package cloud

import "github.com/fairseat/fairseat/localstack/emulators"

// stores are those that the tests run on. Dynoxide is built with cargo, so it
// joins only with -tags dynoxide (make test-dynoxide).
var stores = []emulators.Store{emulators.DynamoDBLocal}
