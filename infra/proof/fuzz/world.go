package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
)

// world is what the hooks are told of the stack.
type world struct {
	Base     string   `json:"base"`
	Key      string   `json:"key"`
	Seed     uint64   `json:"seed"`
	City     []string `json:"city"`
	Movie    []string `json:"movie"`
	Show     []string `json:"show"`
	Layout   []string `json:"layout"`
	Provider []string `json:"provider"`
	Seat     []string `json:"seat"`
	Member   []member `json:"member"`

	scarce []string // seats of the last show
}

// meet loads one city of the real catalogue, and beside it a show with room and one
// so small that it is soon sold out and waited for.
func meet(ctx context.Context, s *stage.Stage, root string, seed uint64) (world, error) {
	w := world{Base: s.URL, Key: stage.DeveloperKey, Seed: seed, City: []string{"shanghai-cn"}, Provider: []string{"sandbox"}}
	load := exec.CommandContext(ctx, filepath.Join(root, ".build/bin/seed"), "--cities", "1")
	load.Env = append(os.Environ(), s.Env...)
	for _, v := range s.Env {
		if name, ok := strings.CutPrefix(v, "TABLE_Catalog="); ok {
			load.Env = append(load.Env, "CATALOG_TABLE="+name)
		}
	}
	if out, err := load.CombinedOutput(); err != nil {
		return w, fmt.Errorf("load the catalogue: %w: %s", err, out)
	}
	for _, rows := range [][]string{{"RRRRRRRRRRRR", "RRRRRRRRRRRR", "PPPPPPPPPPPP", "PPPPPPPPPPPP"}, {"RRRP"}} {
		h, err := s.BuildRows(ctx, rows...)
		if err != nil {
			return w, err
		}
		show, err := s.Open(ctx, h)
		if err != nil {
			return w, err
		}
		w.Show = append(w.Show, string(show))
		for r := range rows {
			w.Seat = append(w.Seat, h.Row(r)...)
		}
		w.scarce = h.Row(0)
	}
	for range members {
		m, err := w.register(ctx, s.Mailbox())
		if err != nil {
			return w, err
		}
		w.Member = append(w.Member, m)
	}
	return w, w.browse(ctx)
}

// browse finds some of what the catalogue has, as any client would.
func (w *world) browse(ctx context.Context) error {
	c := apiclient.Client{Base: w.Base, Key: w.Key}
	var films apiclient.List[apiclient.Movie]
	if err := c.Call(ctx, http.MethodGet, "/cities/"+w.City[0]+"/movies", "", nil, &films); err != nil {
		return err
	}
	for _, f := range films.Items {
		w.Movie = append(w.Movie, f.ID)
	}
	for _, id := range w.Show {
		var s apiclient.Show
		if err := c.Call(ctx, http.MethodGet, "/shows/"+id, "", nil, &s); err != nil {
			return err
		}
		w.Layout = append(w.Layout, s.LayoutID)
	}
	return nil
}

// stir takes the whole of the last show and lets it go again, for as long as ctx, so
// that people join its line and are offered seats.
func (w *world) stir(ctx context.Context) {
	for tick := time.Tick(5 * time.Second); ctx.Err() == nil; {
		c := apiclient.Client{Base: w.Base, Key: w.Key}
		var h apiclient.Hold
		err := c.Session(ctx)
		if err == nil {
			err = c.Call(ctx, http.MethodPost, "/shows/"+w.Show[len(w.Show)-1]+"/holds", "", map[string]any{"seats": w.scarce}, &h)
		}
		select {
		case <-tick:
		case <-ctx.Done():
		}
		if err == nil {
			_ = c.Call(ctx, http.MethodDelete, "/holds/"+h.ID, "", nil, nil) // it ends by itself as well
		}
	}
}
