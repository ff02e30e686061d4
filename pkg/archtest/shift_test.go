package archtest

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// shiftRole is the role under which new versions take over: no function's.
const shiftRole = "ShiftRole"

// many is one thing or a list of them.
type many []ref

func (m *many) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]ref)(m))
	}
	*m = make(many, 1)
	return n.Decode(&(*m)[0])
}

// readShift reads what may be done to what, under the role, and who watches.
func readShift(text []byte) (may map[string][]string, watch, functions []string, err error) {
	var doc struct {
		Globals struct {
			Function struct {
				Alias string `yaml:"AutoPublishAlias"`
				Shift struct {
					Role   ref   `yaml:"Role"`
					Alarms []ref `yaml:"Alarms"`
				} `yaml:"DeploymentPreference"`
			} `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Policies []struct {
					Document struct {
						Statements []struct {
							Effect   string         `yaml:"Effect"`
							Actions  []string       `yaml:"Action"`
							Resource many           `yaml:"Resource"`
							More     map[string]any `yaml:",inline"`
						} `yaml:"Statement"`
					} `yaml:"PolicyDocument"`
				} `yaml:"Policies"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, nil, nil, err
	}
	may = map[string][]string{}
	for _, p := range doc.Resources[shiftRole].Properties.Policies {
		for _, s := range p.Document.Statements {
			for _, r := range s.Resource {
				if s.Effect != "Allow" || len(s.More) > 0 || r.how == "" {
					may[r.to] = append(may[r.to], "not a plain Allow on a thing of this template")
				}
				may[r.to] = append(may[r.to], s.Actions...)
			}
		}
	}
	for _, a := range doc.Globals.Function.Shift.Alarms {
		watch = append(watch, a.to)
	}
	for id, r := range doc.Resources {
		if r.Type == "AWS::Serverless::Function" {
			functions = append(functions, id)
		}
	}
	return may, watch, functions, nil
}

// shiftFaults are the ways in which the role allows too much or too little.
func shiftFaults(text []byte) ([]string, error) {
	may, watch, functions, err := readShift(text)
	if err != nil {
		return nil, err
	}
	want := map[string][]string{}
	for _, f := range functions {
		all := actions("lambda", "GetAlias", "GetProvisionedConcurrencyConfig", "UpdateAlias")
		want[f+".Arn"], want["${"+f+".Arn}:live"] = all, all
	}
	for _, a := range watch {
		want[a+".Arn"] = actions("cloudwatch", "DescribeAlarms")
	}
	var wrong []string
	for about, all := range want {
		if got := slices.Sorted(slices.Values(may[about])); !slices.Equal(got, all) {
			wrong = append(wrong, shiftRole+": may "+strings.Join(got, ", ")+" on "+about+", needs "+strings.Join(all, ", "))
		}
	}
	for about := range may {
		if want[about] == nil {
			wrong = append(wrong, shiftRole+": rights on "+about+", which is nothing to shift or to watch")
		}
	}
	if len(watch) == 0 {
		wrong = append(wrong, "nothing watches a canary")
	}
	return wrong, nil
}

// TestShift: what moves the aliases may do it to every function, may ask the
// alarms that watch a canary, and may do nothing else.
func TestShift(t *testing.T) {
	wrong, err := shiftFaults([]byte(template(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

func TestShiftCanFail(t *testing.T) {
	whole := template(t)
	for _, tt := range []struct{ old, spoilt, want string }{
		{"                  - !GetAtt PayHold.Arn\n", "", "on PayHold.Arn, needs lambda:GetAlias"},
		{"                  - !Sub \"${PayHold.Arn}:live\"\n", "", "on ${PayHold.Arn}:live, needs"},
		{"                  - !GetAtt PayHold.Arn\n", "                  - \"*\"\n", "rights on *"},
		{"                  - !GetAtt PayHold.Arn\n", "                  - !GetAtt Claims.Arn\n", "rights on Claims.Arn"},
		{"lambda:UpdateAlias]", "lambda:UpdateFunctionCode]", "may lambda:GetAlias, lambda:GetProvisionedConcurrencyConfig, lambda:UpdateFunctionCode"},
		{"[cloudwatch:DescribeAlarms]", "[cloudwatch:DeleteAlarms]", "may cloudwatch:DeleteAlarms"},
		{"!GetAtt ErrorsWork.Arn, ", "", "on ErrorsWork.Arn, needs cloudwatch:DescribeAlarms"},
		{"      Alarms: [!Ref ErrorsBuying, ", "      Alarms: [", "rights on ErrorsBuying.Arn"},
		{"      Alarms: [", "      Alarm: [", "nothing watches"},
	} {
		if !strings.Contains(whole, tt.old) {
			t.Errorf("the template has no %q to spoil", tt.old)
			continue
		}
		wrong, err := shiftFaults([]byte(strings.Replace(whole, tt.old, tt.spoilt, 1)))
		if err != nil {
			t.Errorf("%q: %v", tt.spoilt, err)
			continue
		}
		if all := strings.Join(wrong, "\n"); !strings.Contains(all, tt.want) {
			t.Errorf("%q: want %q, got %q", tt.spoilt, tt.want, all)
		}
	}
}
