package node

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/embed"
)

// TestCheck refuses what cannot work and says which flag to mend.
func TestCheck(t *testing.T) {
	good := Config{Data: "d", Listen: "127.0.0.1:8787", Account: "000000000000", Region: "us-east-1"}
	for name, c := range map[string]struct {
		change func(*Config)
		says   string // "" when it is fine
	}{
		"good":                   {func(*Config) {}, ""},
		"free port":              {func(c *Config) { c.Listen = "localhost:0" }, ""},
		"all interfaces":         {func(c *Config) { c.Listen = ":8787" }, ""},
		"long region":            {func(c *Config) { c.Region = "ap-southeast-2" }, ""},
		"government":             {func(c *Config) { c.Region = "us-gov-west-1" }, ""},
		"no data":                {func(c *Config) { c.Data = "" }, "--data"},
		"no account":             {func(c *Config) { c.Account = "" }, "twelve digits"},
		"short account":          {func(c *Config) { c.Account = "12345678901" }, "twelve digits"},
		"letters in account":     {func(c *Config) { c.Account = "00000000000a" }, "twelve digits"},
		"no region":              {func(c *Config) { c.Region = "" }, "us-east-1"},
		"region without a digit": {func(c *Config) { c.Region = "us-east" }, "us-east-1"},
		"region in capitals":     {func(c *Config) { c.Region = "US-EAST-1" }, "us-east-1"},
		"region with a colon":    {func(c *Config) { c.Region = "us-east-1:x" }, "us-east-1"},
		"no listen":              {func(c *Config) { c.Listen = "" }, "HOST:PORT"},
		"listen without a port":  {func(c *Config) { c.Listen = "127.0.0.1" }, "HOST:PORT"},

		"embeddings":                 {func(c *Config) { c.Embeddings = embed.Config{URL: "https://host/v1", Model: "m"} }, ""},
		"embeddings without a model": {func(c *Config) { c.Embeddings.URL = "https://host/v1" }, "--embeddings-model"},
		"embeddings of nowhere":      {func(c *Config) { c.Embeddings.Model = "m" }, "--embeddings-url"},

		"memory":            {func(c *Config) { c.TrainMemory = 1 << 30 }, ""},
		"memory below none": {func(c *Config) { c.TrainMemory = -1 }, "--train-memory"},

		"auth off on loopback":       {func(c *Config) { c.AuthOff = true }, ""},
		"auth off on localhost":      {func(c *Config) { c.AuthOff, c.Listen = true, "localhost:1" }, ""},
		"auth off on ipv6 loopback":  {func(c *Config) { c.AuthOff, c.Listen = true, "[::1]:1" }, ""},
		"auth off on 127.8":          {func(c *Config) { c.AuthOff, c.Listen = true, "127.8.9.1:1" }, ""},
		"auth off everywhere":        {func(c *Config) { c.AuthOff, c.Listen = true, ":8787" }, "--auth=off"},
		"auth off on 0.0.0.0":        {func(c *Config) { c.AuthOff, c.Listen = true, "0.0.0.0:8787" }, "--auth=off"},
		"auth off on ipv6 any":       {func(c *Config) { c.AuthOff, c.Listen = true, "[::]:8787" }, "--auth=off"},
		"auth off on an address":     {func(c *Config) { c.AuthOff, c.Listen = true, "192.0.2.1:8787" }, "--auth=off"},
		"auth off on a name":         {func(c *Config) { c.AuthOff, c.Listen = true, "localhost.example.com:8787" }, "--auth=off"},
		"auth off on a name like ip": {func(c *Config) { c.AuthOff, c.Listen = true, "127.0.0.1.example.com:8787" }, "--auth=off"},
	} {
		cfg := good
		c.change(&cfg)
		err := cfg.check()
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (err == nil || attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v does not say %q", name, err, c.says)
		}
	}
}
