// Command pose-challenge gives a buyer a puzzle to solve before he holds seats.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/porch"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.PoseChallenge(porch.Guarded(p), porch.Challenger(p)) })
}
