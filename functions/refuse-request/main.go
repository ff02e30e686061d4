// Command refuse-request answers what no other function does.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
)

func main() {
	boot.Start(func(*boot.Parts) any { return api.RefuseRequest(front.Open()) })
}
