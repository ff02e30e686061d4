// Command describe-api answers how the API is and what it is.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/pen"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.DescribeAPI(front.Open(), pen.Keys(p)) })
}
