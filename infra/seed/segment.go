package main

import (
	"fmt"
	"os"

	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/search/shelf"
)

// writeSegment writes what the catalogue's stream would tell a search of the plan.
// Measurements take it, which need the shows and no table of them.
func (p plan) writeSegment(name string) error {
	rows, err := p.searched()
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, shelf.Pack(rows), 0o644); err != nil {
		return fmt.Errorf("--segment: %w", err)
	}
	return nil
}

func (p plan) searched() (search.Rows, error) {
	rows := search.Rows{}
	for _, phase := range p.phases() {
		for r := range phase {
			k, row, ok, err := r.Searched()
			if err != nil {
				return nil, err
			}
			if ok {
				rows[k] = row
			}
		}
	}
	return rows, nil
}
