package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
)

// mortal are the functions that are killed, those of a purchase more often.
var mortal = []string{
	"ReserveSeats", "ReserveSeats", "ReserveSeats", "PayHold", "PayHold", "PayHold", "ReceiveCallback", "ReceiveCallback",
	"RelayHolds", "RelayPayments", "ProjectSeatmap", "ExpireTimer", "AskProvider", "ReadOrder", "AuthorizeKey",
	"JoinLine", "JoinLine", "AdvanceLine", "AdvanceLine", "AdvanceLine", "RelayLine", "AnswerOffer", "AnswerOffer", "ReadPlace", "ReleaseHold",
}

// task is what a process that runs the cloud is told.
type task struct {
	Stage stage.Config
	Every time.Duration
	Seed  uint64
	Purge int // after so many kills what is in the lane's queue is lost; 0 = never
}

// word is what it says, a line each.
type word struct {
	Env      []string `json:",omitempty"` // it is ready
	URL      string   `json:",omitempty"`
	Function string   `json:",omitempty"` // whose process it has killed
	Busy     bool     `json:",omitempty"` // in mid-request
	Purged   bool     `json:",omitempty"` // the lane's queue
	At       time.Time
	Failed   string `json:",omitempty"`
}

// serveCloud runs the cloud until its input ends, and kills its functions until the
// first line comes.
func serveCloud(ctx context.Context, text string) error {
	var o task
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	o.Stage.Log = os.Stderr
	say := json.NewEncoder(os.Stdout)
	s, err := stage.Start(ctx, o.Stage)
	if err != nil {
		return errors.Join(err, say.Encode(word{Failed: err.Error(), At: time.Now()}))
	}
	defer s.Close()
	if err := say.Encode(word{Env: s.Env, URL: s.URL, At: time.Now()}); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var killing sync.WaitGroup
	killing.Go(func() { reap(ctx, s, o, say) })
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	stop()
	killing.Wait()
	for in.Scan() {
	}
	return nil
}

func reap(ctx context.Context, s *stage.Stage, o task, say *json.Encoder) {
	if o.Every == 0 {
		return
	}
	dice := rand.New(rand.NewPCG(o.Seed, 0))
	tick := time.NewTicker(o.Every)
	defer tick.Stop()
	for kills := 0; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if o.Purge > 0 && kills >= o.Purge {
			o.Purge = 0
			purge(ctx, s, say)
		}
		f := mortal[dice.IntN(len(mortal))]
		at := time.Now()
		if killed, busy, err := s.KillOne(f); err != nil {
			_ = say.Encode(word{Failed: err.Error(), At: at})
		} else if killed {
			kills++
			_ = say.Encode(word{Function: f, Busy: busy, At: at})
		}
	}
}

// purge loses the lane's messages of a moment.
func purge(ctx context.Context, s *stage.Stage, say *json.Encoder) {
	w := word{Purged: true, At: time.Now()}
	if err := s.LoseLane(ctx, 2*time.Second); err != nil {
		w = word{Failed: fmt.Sprintf("the lane's queue: %v", err), At: w.At}
	}
	_ = say.Encode(w)
}

// victim is the process that runs the cloud.
type victim struct {
	cmd   *exec.Cmd
	input io.WriteCloser
	words chan word // closed at its end
	ended sync.WaitGroup
}

// summon starts it. It dies with its input, so it does not outlive this process.
func summon(o task, log io.Writer) (*victim, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	v := &victim{cmd: exec.Command(self), words: make(chan word, 1024)}
	v.cmd.Args = append(v.cmd.Args, "-serve", string(text))
	v.cmd.Env = append(os.Environ(), serving+"=1")
	v.cmd.Stderr = log
	if v.input, err = v.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	v.ended.Go(func() {
		defer close(v.words)
		for d := json.NewDecoder(out); ; {
			var w word
			if d.Decode(&w) != nil {
				_ = v.cmd.Wait()
				return
			}
			v.words <- w
		}
	})
	return v, nil
}

// serving tells a test's program that it is to run the cloud and no tests.
const serving = "FAIRSEAT_PROOF_SERVING"

// ready waits for its first word.
func (v *victim) ready() (word, error) {
	w, ok := <-v.words
	if !ok || w.Failed != "" {
		return w, fmt.Errorf("the cloud does not start: %s", w.Failed)
	}
	return w, nil
}

// calm ends the killing; close ends the process in its own way, kill at once.
func (v *victim) calm() error {
	_, err := io.WriteString(v.input, "\n")
	return err
}

func (v *victim) close() {
	v.input.Close()
	v.drain()
}

func (v *victim) kill() error {
	err := v.cmd.Process.Kill()
	v.input.Close()
	return err
}

// drain hears the last words, and waits for its end.
func (v *victim) drain() {
	for range v.words {
	}
	v.ended.Wait()
}
