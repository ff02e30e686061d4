package main

import (
	"fmt"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// picture draws each metric over the invocations, a line for each function.
func picture(runs []series, path string) error {
	panels := []struct {
		metric   metric
		services string
	}{
		{memory, "answer"}, {memory, "fail"}, {descriptors, "answer"}, {descriptors, "fail"},
		{connections, "answer"}, {connections, "fail"}, {threads, "answer"}, {threads, "fail"},
		{goroutines, "answer"}, {goroutines, "fail"}, {objects, "answer"}, {objects, "fail"},
	}
	const across = 2
	rows := make([][]*plot.Plot, len(panels)/across)
	for i, panel := range panels {
		p := plot.New()
		p.Title.Text = fmt.Sprintf("%s, services that %s", panel.metric, panel.services)
		p.X.Label.Text = "invocations"
		p.Y.Min = 0
		p.Legend.Top = true
		p.Legend.TextStyle.Font.Size = vg.Points(7)
		n := 0
		for _, r := range runs {
			if r.services != panel.services || len(r.values[panel.metric]) == 0 {
				continue
			}
			var line plotter.XYs
			for j, y := range r.values[panel.metric] {
				line = append(line, plotter.XY{X: r.at[j], Y: y})
			}
			l, err := plotter.NewLine(line)
			if err != nil {
				return err
			}
			l.Color, l.Dashes = plotutil.Color(n), plotutil.Dashes(n/len(kinds))
			p.Add(l)
			p.Legend.Add(r.name, l)
			n++
		}
		p.Y.Min = 0
		rows[i/across] = append(rows[i/across], p)
	}
	c := vgsvg.New(vg.Points(1000), vg.Points(300*float64(len(rows))))
	tiles := draw.Tiles{Rows: len(rows), Cols: across, PadX: vg.Points(15), PadY: vg.Points(15)}
	for i, row := range plot.Align(rows, tiles, draw.New(c)) {
		for j, canvas := range row {
			rows[i][j].Draw(canvas)
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := c.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
