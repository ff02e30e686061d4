// Command authorize-key finds the developer key of a request.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
)

func main() {
	boot.Start(func(*boot.Parts) any { return api.AuthorizeKey() })
}
