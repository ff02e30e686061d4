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

// verdict judges a history; nil is linearizable. What is not leaves a picture in
// the folder.
func verdict(h history, folder string) error {
	if len(h.objects) > 0 {
		return fmt.Errorf("row %s, seed %d: %s", h.name, h.seed, strings.Join(h.objects, "; "))
	}
	m := judge{h}.model()
	var ops []porcupine.Operation
	for _, o := range h.ops {
		ops = append(ops, porcupine.Operation{ClientId: o.client, Input: o, Call: o.call, Return: o.ret})
	}
	if folder == "" {
		return outcome(h, porcupine.CheckOperationsTimeout(m, ops, patience), "")
	}
	if porcupine.CheckOperationsTimeout(m, ops, patience) == porcupine.Ok {
		return nil
	}
	res, info := porcupine.CheckOperationsVerbose(m, ops, patience)
	file := filepath.Join(folder, "history-"+strings.Join(strings.Fields(h.name), "-")+".html")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := porcupine.VisualizePath(m, info, file); err != nil {
		return err
	}
	return outcome(h, res, stuck(info, ops)+"; see "+file)
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

func outcome(h history, r porcupine.CheckResult, what string) error {
	switch r {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("row %s, seed %d: not judged within %s", h.name, h.seed, patience)
	}
	return fmt.Errorf("row %s, seed %d: not linearizable: %s", h.name, h.seed, what)
}
