package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// watched is what the alarms of a template watch: metric and dimension by alarm.
type watched struct {
	names   []string            // of alarms, without the stack's
	by      map[string][]string // metric of AWS/Service → things, by logical id
	things  map[string][]string // type → logical ids
	streams []string            // functions that read one
	dead    []string            // queues where something is given up
	wrong   []string
}

func readWatched(text []byte) (*watched, error) {
	var doc struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	w := &watched{by: map[string][]string{}, things: map[string][]string{}}
	for id, r := range doc.Resources {
		w.things[r.Type] = append(w.things[r.Type], id)
		var err error
		switch r.Type {
		case "AWS::CloudWatch::Alarm":
			err = w.alarm(id, r.Properties)
		case "AWS::Serverless::Function":
			err = w.function(id, r.Properties)
		case "AWS::SQS::Queue":
			err = w.queue(r.Properties)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return w, nil
}

func (w *watched) alarm(id string, n yaml.Node) error {
	var a struct {
		Name    ref    `yaml:"AlarmName"`
		About   string `yaml:"AlarmDescription"`
		Actions ref    `yaml:"AlarmActions"`
		Missing string `yaml:"TreatMissingData"`
		Metrics []struct {
			Stat struct {
				Metric struct {
					Namespace  string `yaml:"Namespace"`
					Name       string `yaml:"MetricName"`
					Dimensions []struct {
						Value ref `yaml:"Value"`
					} `yaml:"Dimensions"`
				} `yaml:"Metric"`
			} `yaml:"MetricStat"`
		} `yaml:"Metrics"`
	}
	if err := n.Decode(&a); err != nil {
		return err
	}
	name, ok := strings.CutPrefix(a.Name.to, "${AWS::StackName}-")
	if !ok || !strings.HasSuffix(a.About, " infra/runbooks/"+name+".md") || a.Actions.how != "!If" || a.Missing != "notBreaching" {
		w.wrong = append(w.wrong, id+": has no name of the stack, no runbook, nobody to tell, or sounds at night when nothing happens")
	}
	if len(a.Metrics) > 11 {
		w.wrong = append(w.wrong, id+": a formula takes ten metrics")
	}
	w.names = append(w.names, name)
	for _, m := range a.Metrics {
		metric := m.Stat.Metric
		for _, d := range metric.Dimensions {
			thing, _, _ := strings.Cut(d.Value.to, ".")
			key := metric.Namespace + " " + metric.Name
			w.by[key] = append(w.by[key], thing)
		}
	}
	return nil
}

func (w *watched) function(id string, n yaml.Node) error {
	var f function
	if err := n.Decode(&f); err != nil {
		return err
	}
	for _, e := range f.Events {
		if e.Properties.Stream != (ref{}) && !slices.Contains(w.streams, id) {
			w.streams = append(w.streams, id)
		}
		if to := e.Properties.Dead.OnFailure.To.to; to != "" {
			w.dead = append(w.dead, strings.TrimSuffix(to, ".Arn"))
		}
	}
	return nil
}

func (w *watched) queue(n yaml.Node) error {
	var q struct {
		Redrive struct {
			To ref `yaml:"deadLetterTargetArn"`
		} `yaml:"RedrivePolicy"`
	}
	err := n.Decode(&q)
	if to := q.Redrive.To.to; to != "" {
		w.dead = append(w.dead, strings.TrimSuffix(to, ".Arn"))
	}
	return err
}

// check compares what is watched with what there is to watch, and alarms with pages.
func (w *watched) check(pages []string) []string {
	tables := w.things["AWS::DynamoDB::Table"]
	alive := slices.DeleteFunc(slices.Clone(w.things["AWS::SQS::Queue"]), func(q string) bool { return slices.Contains(w.dead, q) })
	for metric, want := range map[string][]string{
		"AWS/Lambda Errors":                          w.things["AWS::Serverless::Function"],
		"AWS/Lambda IteratorAge":                     w.streams,
		"AWS/SQS ApproximateNumberOfMessagesVisible": w.dead,
		"AWS/SQS ApproximateAgeOfOldestMessage":      alive,
		"AWS/DynamoDB WriteThrottleEvents":           tables,
		"AWS/DynamoDB ReadThrottleEvents":            tables,
	} {
		got := slices.Sorted(slices.Values(w.by[metric]))
		want = slices.Compact(slices.Sorted(slices.Values(want)))
		if !slices.Equal(got, want) {
			w.wrong = append(w.wrong, fmt.Sprintf("%s: alarms watch %v, there are %v", metric, got, want))
		}
	}
	for _, name := range w.names {
		if !slices.Contains(pages, name) {
			w.wrong = append(w.wrong, "alarm "+name+" has no runbook")
		}
	}
	for _, page := range pages {
		if !slices.Contains(w.names, page) {
			w.wrong = append(w.wrong, "runbook "+page+" has no alarm")
		}
	}
	return w.wrong
}

func runbooks(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "infra/runbooks/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		page := strings.TrimSuffix(filepath.Base(f), ".md")
		if page == "README" {
			continue
		}
		pages = append(pages, page)
		for _, part := range []string{"# " + page + "\n", "**It means**", "**Look at**", "**Do**"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s lacks %q", f, part)
			}
		}
	}
	return pages
}

// TestAlarms: every function, stream, queue and table is watched, and each alarm
// has a page of its name that says what to do.
func TestAlarms(t *testing.T) {
	w, err := readWatched([]byte(template(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range w.check(runbooks(t)) {
		t.Error(wrong)
	}
}

func TestAlarmsCanFail(t *testing.T) {
	whole, pages := template(t), runbooks(t)
	for _, tt := range []struct{ old, spoilt, want string }{
		{"Value: !Ref PayHold}", "Value: !Ref ReadHold}", "AWS/Lambda Errors: alarms watch"},
		{"MetricName: IteratorAge", "MetricName: Iterator", "AWS/Lambda IteratorAge: alarms watch"},
		{"Value: !GetAtt DeadLane.QueueName", "Value: !GetAtt LaneQueue.QueueName", "ApproximateNumberOfMessagesVisible: alarms watch"},
		{"MetricName: WriteThrottleEvents", "MetricName: ReadThrottleEvents", "WriteThrottleEvents: alarms watch"},
		{`-lane-age"`, `-lane"`, "alarm lane has no runbook"},
		{`-lane-age"`, `-lane"`, "runbook lane-age has no alarm"},
		{"infra/runbooks/api-slow.md", "see the wiki", "ApiSlow: has no name"},
		{"TreatMissingData: notBreaching", "TreatMissingData: breaching", "sounds at night"},
		{"  DeadRecords:", "  OtherTable: {Type: AWS::DynamoDB::Table}\n  DeadRecords:", " Orders OtherTable"},
	} {
		if !strings.Contains(whole, tt.old) {
			t.Errorf("the template has no %q to spoil", tt.old)
			continue
		}
		w, err := readWatched([]byte(strings.Replace(whole, tt.old, tt.spoilt, 1)))
		if err != nil {
			t.Errorf("%q: %v", tt.spoilt, err)
			continue
		}
		if all := strings.Join(w.check(pages), "\n"); !strings.Contains(all, tt.want) {
			t.Errorf("%q: want %q, got %q", tt.spoilt, tt.want, all)
		}
	}
}
