// Command authorize-key judges the developer key of a request.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/keys"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.AuthorizeKey(keys.Door(p)) })
}
