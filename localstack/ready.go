package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/fairseat/fairseat/localstack/cloud"
)

// ready is what --ready-file holds. It carries secrets: the file is private.
type ready struct {
	API     string            `json:"api_url"`
	Sockets string            `json:"socket_url"`
	Tables  string            `json:"tables_url"`
	Queues  string            `json:"queues_url"`
	Outputs map[string]string `json:"outputs"`
	Env     map[string]string `json:"env"`
	PIDs    map[string]int    `json:"pids"`
}

func writeReady(path string, c *cloud.Cloud) error {
	r := ready{API: c.URL, Sockets: c.SocketURL, Outputs: c.Stack.Outputs, Env: variables(c), PIDs: c.PIDs()}
	r.Tables, r.Queues = r.Env["AWS_ENDPOINT_URL_DYNAMODB"], r.Env["AWS_ENDPOINT_URL_SQS"]
	r.PIDs["localstack"] = os.Getpid()
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	// Renamed into place: who waits for the file finds it whole.
	if err := os.WriteFile(path+".part", append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	return nil
}

func variables(c *cloud.Cloud) map[string]string {
	out := map[string]string{}
	for _, kv := range c.Env {
		k, v, _ := strings.Cut(kv, "=")
		out[k] = v
	}
	return out
}
