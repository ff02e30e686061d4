package report

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine is where something was seen: without it a figure means nothing.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
	System string `json:"system"`
	Kernel string `json:"kernel"`
	Load   string `json:"load"` // averages at the start: was it calm?
	Go     string `json:"go"`
	Commit string `json:"commit"` // "+" if the tree was changed
}

func here() Machine {
	return Machine{
		CPU: field("/proc/cpuinfo", "model name", ":"), Cores: runtime.NumCPU(), Memory: field("/proc/meminfo", "MemTotal", ":"),
		System: strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`), Kernel: file("/proc/sys/kernel/osrelease"),
		Load: load(), Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, Commit: commit(),
	}
}

func file(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// field is the value of the first line that begins with name.
func field(path, name, separator string) string {
	for line := range strings.Lines(file(path)) {
		if key, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func load() string {
	words := strings.Fields(file("/proc/loadavg"))
	return strings.Join(words[:min(3, len(words))], " ")
}

func commit() string {
	id, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	if err != nil || len(changed) > 0 {
		return strings.TrimSpace(string(id)) + "+"
	}
	return strings.TrimSpace(string(id))
}
