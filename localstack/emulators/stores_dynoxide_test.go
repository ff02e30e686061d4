//go:build dynoxide

package emulators

var stores = []Store{DynamoDBLocal, Dynoxide}
