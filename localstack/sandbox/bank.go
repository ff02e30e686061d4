package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// bank is a real provider that is played here, under a path of its own name. Its keys
// are made on this machine and kept in a file, JSON, for their owner alone.
type bank struct {
	title string
	draw  func() (any, error)                                                                  // keys of both sides
	shop  func(keys []byte) (any, error)                                                       // what the shop's secret holds of them
	wire  func(keys []byte, url string, log *slog.Logger) (w sim.Wire, salt string, err error) // salt is of pages' addresses
}

var banks = map[string]bank{
	"alipay":   {"Alipay", drawAlipay, alipayShop, alipayWire},
	"unionpay": {"UnionPay", drawUnionPay, unionpayShop, unionpayWire},
	"wechat":   {"WeChat Pay", drawWechat, wechatShop, wechatWire},
}

// keysOf reads a bank's keys from the folder, and makes them if there are none.
func keysOf(folder, name string) ([]byte, error) {
	file := filepath.Join(folder, name+".json")
	kept, err := os.ReadFile(file)
	if !errors.Is(err, os.ErrNotExist) {
		return kept, err
	}
	made, err := banks[name].draw()
	if err != nil {
		return nil, err
	}
	if kept, err = json.Marshal(made); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	part := file + ".part"
	if err := os.WriteFile(part, kept, 0o600); err != nil {
		return nil, err
	}
	return kept, os.Rename(part, file)
}

// show prints the text of the shop's secret, or a part of it, as unionpay.ours.
func show(folder, name string) error {
	name, part, _ := strings.Cut(name, ".")
	b, ok := banks[name]
	if !ok {
		return fmt.Errorf("no bank %q: there are %v", name, slices.Sorted(maps.Keys(banks)))
	}
	keys, err := keysOf(folder, name)
	if err != nil {
		return err
	}
	secret, err := b.shop(keys)
	if err != nil {
		return fmt.Errorf("keys of %s: %w", name, err)
	}
	if part != "" {
		parts, _ := secret.(map[string]any)
		if secret = parts[part]; secret == nil {
			return fmt.Errorf("keys of %s have no %s", name, part)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(secret)
}

// house is everything that one process plays.
type house struct {
	sims []*sim.Sim
	mux  *http.ServeMux
}

// open makes the sandbox and, where there is a folder of keys, the banks.
func open(opt sim.Options, keys string) (*house, error) {
	h := &house{mux: http.NewServeMux()}
	own, err := sim.New(opt)
	if err != nil {
		return nil, err
	}
	h.sims = append(h.sims, own)
	h.mux.Handle("/", own.Handler())
	if keys == "" {
		return h, nil
	}
	for _, name := range slices.Sorted(maps.Keys(banks)) {
		if err := h.add(name, opt, keys); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", name, err), h.close())
		}
	}
	return h, nil
}

func (h *house) add(name string, opt sim.Options, folder string) error {
	keys, err := keysOf(folder, name)
	if err != nil {
		return err
	}
	opt.URL += "/" + name
	opt.Title = banks[name].title
	opt.Log = opt.Log.With("bank", name)
	if opt.Wire, opt.Secret, err = banks[name].wire(keys, opt.URL, opt.Log); err != nil {
		return err
	}
	if opt.Data != "" {
		opt.Data = filepath.Join(filepath.Dir(opt.Data), name+".jsonl")
	}
	s, err := sim.New(opt)
	if err != nil {
		return err
	}
	h.sims = append(h.sims, s)
	h.mux.Handle("/"+name+"/", http.StripPrefix("/"+name, s.Handler()))
	return nil
}

func (h *house) close() error {
	var all []error
	for _, s := range h.sims {
		all = append(all, s.Close())
	}
	return errors.Join(all...)
}

// drawKey makes a private RSA key, PKCS#8 in PEM.
func drawKey() (*rsa.PrivateKey, string, error) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	return k, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
}
