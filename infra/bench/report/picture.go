package report

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgsvg" // the format of the pictures
)

// Series is one line of a chart; X and Y are equally long.
type Series struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
	// Low and High, if not nil, are the spread about each Y.
	Low  []float64 `json:"low,omitempty"`
	High []float64 `json:"high,omitempty"`
}

// Chart is a picture of lines: a figure over time, or over the number of clients.
type Chart struct {
	Name  string `json:"name"` // its file is <report>-<name>.svg
	Title string `json:"title"`
	X     string `json:"x"` // what the axes are, with units
	Y     string `json:"y"`
	LogX  bool   `json:"log_x,omitempty"` // then values must be above zero
	LogY  bool   `json:"log_y,omitempty"`
	// Goal is a level drawn across, unless zero.
	Goal   float64  `json:"goal,omitempty"`
	Series []Series `json:"series"`
}

var goalColor = color.RGBA{R: 200, A: 255}

func (r *Report) draw(dir string) (int, error) {
	n := 0
	if len(r.Ratios) > 0 {
		if err := r.drawRatios(filepath.Join(dir, r.Name+"-ratios.svg")); err != nil {
			return n, err
		}
		n++
	}
	for _, c := range r.Charts {
		if err := c.draw(filepath.Join(dir, r.Name+"-"+c.Name+".svg")); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// drawRatios shows each ratio as a box of its pairs, with its own goal across it
// and what would be equal as a line.
func (r *Report) drawRatios(path string) error {
	p := plot.New()
	p.Title.Text = r.Title
	p.X.Label.Text = "ours / theirs: box = quartiles, line = median, red = goal"
	var names []string
	for i, x := range r.Ratios {
		at := float64(len(r.Ratios) - 1 - i)
		if err := addBox(p, x, at); err != nil {
			return fmt.Errorf("report: picture of %s: %w", x.Name, err)
		}
		names = append([]string{x.Name}, names...)
	}
	p.NominalY(names...)
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.6}, {X: 1, Y: float64(len(names)) - 0.4}})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	one.Dashes = plotutil.Dashes(1)
	p.Add(one)
	p.X.Min = min(0, p.X.Min)
	return save(p, vg.Length(len(names)+3)*vg.Centimeter, path)
}

func addBox(p *plot.Plot, x Ratio, at float64) error {
	var pairs plotter.Values
	for i := range min(len(x.Ours), len(x.Theirs)) {
		if v := x.Ours[i] / x.Theirs[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			pairs = append(pairs, v)
		}
	}
	if len(pairs) > 0 {
		box, err := plotter.NewBoxPlot(vg.Points(14), at, pairs)
		if err != nil {
			return err
		}
		box.Horizontal = true
		p.Add(box)
	}
	if x.Goal == 0 {
		return nil
	}
	goal, err := plotter.NewLine(plotter.XYs{{X: x.Goal, Y: at - 0.4}, {X: x.Goal, Y: at + 0.4}})
	if err != nil {
		return err
	}
	goal.Color, goal.Width = goalColor, vg.Points(2)
	p.Add(goal)
	return nil
}

func (c Chart) draw(path string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, s := range c.Series {
		if err := addSeries(p, s, i); err != nil {
			return fmt.Errorf("report: picture %s, %s: %w", c.Name, s.Name, err)
		}
	}
	if c.Goal != 0 && len(c.Series) > 0 {
		goal, err := plotter.NewLine(plotter.XYs{{X: p.X.Min, Y: c.Goal}, {X: p.X.Max, Y: c.Goal}})
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		goal.Color = goalColor
		p.Add(goal)
		p.Legend.Add("goal", goal)
	}
	if c.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{}
	}
	if c.LogY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{}
	} else {
		p.Y.Min = min(0, p.Y.Min)
	}
	return save(p, 11*vg.Centimeter, path)
}

// spreadOf is a series as gonum's error bars want it.
type spreadOf struct{ s Series }

func (e spreadOf) Len() int { return len(e.s.X) }

func (e spreadOf) XY(i int) (float64, float64) { return e.s.X[i], e.s.Y[i] }

func (e spreadOf) YError(i int) (float64, float64) {
	return e.s.Y[i] - e.s.Low[i], e.s.High[i] - e.s.Y[i]
}

func addSeries(p *plot.Plot, s Series, i int) error {
	if len(s.X) != len(s.Y) {
		return fmt.Errorf("%d x and %d y", len(s.X), len(s.Y))
	}
	line, points, err := plotter.NewLinePoints(spreadOf{s})
	if err != nil {
		return err
	}
	line.Color, points.Color = plotutil.Color(i), plotutil.Color(i)
	points.Shape = draw.CircleGlyph{}
	p.Add(line)
	if len(s.X) <= 100 { // more are a line by themselves
		p.Add(points)
	}
	if len(s.Low) == len(s.Y) && len(s.High) == len(s.Y) {
		bars, err := plotter.NewYErrorBars(spreadOf{s})
		if err != nil {
			return err
		}
		bars.Color = plotutil.Color(i)
		p.Add(bars)
	}
	p.Legend.Add(s.Name, line)
	return nil
}

func save(p *plot.Plot, height vg.Length, path string) error {
	if err := p.Save(22*vg.Centimeter, height, path); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
