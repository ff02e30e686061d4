package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// patience is how long one history may be judged. One that takes longer is an
// error, not a pass.
const patience = 2 * time.Minute

// subject is what is judged.
type subject struct {
	kind    string
	name    string
	seed    uint64
	objects []string // contradictions found without a model
}

func (s subject) error(format string, args ...any) error {
	return fmt.Errorf("%s %s, seed %d: %s", s.kind, s.name, s.seed, fmt.Sprintf(format, args...))
}

// verdict judges a history; nil is linearizable.
func verdict(h history, folder string) error {
	var ops []porcupine.Operation
	for _, o := range h.ops {
		ops = append(ops, porcupine.Operation{ClientId: o.client, Input: o, Call: o.call, Return: o.ret})
	}
	return decide(subject{"row", h.name, h.seed, h.objects}, judge{h}.model(), ops, folder)
}

// decide asks porcupine. What is not linearizable leaves a picture in the folder.
func decide(s subject, m porcupine.Model, ops []porcupine.Operation, folder string) error {
	if len(s.objects) > 0 {
		return s.error("%s", strings.Join(s.objects, "; "))
	}
	if folder == "" {
		return s.outcome(porcupine.CheckOperationsTimeout(m, ops, patience), "")
	}
	if porcupine.CheckOperationsTimeout(m, ops, patience) == porcupine.Ok {
		return nil
	}
	res, info := porcupine.CheckOperationsVerbose(m, ops, patience)
	file := filepath.Join(folder, "history-"+strings.Join(strings.Fields(s.name), "-")+".html")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := porcupine.VisualizePath(m, info, file); err != nil {
		return err
	}
	return s.outcome(res, stuck(info, ops)+"; see "+file)
}

// stuck names the operations that no order of the others explains: those after the
// longest prefix that one explains, in the order of their answers.
func stuck(info porcupine.LinearizationInfo, ops []porcupine.Operation) string {
	longest, left := 0, slices.Clone(ops)
	for _, part := range info.PartialLinearizationsOperations() {
		for _, p := range part {
			if len(p) < longest {
				continue
			}
			longest = len(p)
			left = slices.DeleteFunc(slices.Clone(ops), func(o porcupine.Operation) bool {
				return slices.ContainsFunc(p, func(q porcupine.Operation) bool { return q.Input == o.Input })
			})
		}
	}
	slices.SortFunc(left, func(a, b porcupine.Operation) int { return int(a.Return - b.Return) })
	var words []string
	for _, o := range left[:min(3, len(left))] {
		words = append(words, fmt.Sprint(o.Input))
	}
	return fmt.Sprintf("%d of %d operations are explained, not: %s", longest, len(ops), strings.Join(words, ", "))
}

func (s subject) outcome(r porcupine.CheckResult, what string) error {
	switch r {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return s.error("not judged within %s", patience)
	}
	return s.error("not linearizable: %s", what)
}
