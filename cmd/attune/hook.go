package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/notify"
)

// hookCmd groups the verbs of incoming webhooks.
type hookCmd struct {
	Create hookCreateCmd `cmd:"" help:"Make an incoming webhook, or give the one of its name another secret."`
	List   hookListCmd   `cmd:"" help:"List the incoming webhooks."`
	Delete hookDeleteCmd `cmd:"" help:"Delete an incoming webhook."`
}

// Help is shown by 'attune hook --help'.
func (hookCmd) Help() string {
	return `What is posted to /attune/hooks/NAME becomes an event with the source hook.NAME and
the body, a JSON object, as detail. The caller shows that it knows the secret:

  --kind token      Authorization: Bearer SECRET
  --kind signature  Attune-Signature: t=UNIX,v1=HEX, the HMAC-SHA256 of 't.body', or
                    X-Hub-Signature-256: sha256=HEX, that of the body, as GitHub sends it

Calls with one Idempotency-Key are one event for two minutes.`
}

type hookCreateCmd struct {
	clientFlags
	Name       string `arg:"" help:"Name of the hook, which is in its URL."`
	Kind       string `default:"signature" enum:"signature,token" help:"How callers show the secret: ${enum}."`
	SecretFile string `help:"A file with the secret; else ATTUNE_SECRET." placeholder:"FILE"`
}

// Run makes the hook and prints its URL.
func (c *hookCreateCmd) Run(ctx context.Context, s streams) error {
	secret, err := readSecret(c.SecretFile)
	if err != nil {
		return err
	}
	if secret == "" {
		return errors.New("no secret: say --secret-file, or set ATTUNE_SECRET, for example to what 'openssl rand -hex 32' prints")
	}
	var out verb.HookOutput
	if err := c.call(ctx, "CreateHook", verb.CreateHookInput{Name: c.Name, Kind: notify.HookKind(c.Kind), Secret: secret}, &out); err != nil {
		return err
	}
	fmt.Fprintln(s.out, strings.TrimSuffix(c.Endpoint, "/")+out.Path)
	return nil
}

type hookListCmd struct {
	clientFlags
	outputFlags
}

// Run lists the hooks.
func (c *hookListCmd) Run(ctx context.Context, s streams) error {
	var out verb.ListHooksOutput
	if err := c.call(ctx, "ListHooks", verb.ListHooksInput{}, &out); err != nil {
		return err
	}
	return c.show(s.out, out.Hooks, []string{"NAME", "KIND", "CREATED"}, func(add func(...any)) {
		for _, h := range out.Hooks {
			add(h.Name, h.Kind, h.Created.Format(time.RFC3339))
		}
	})
}

type hookDeleteCmd struct {
	clientFlags
	Name string `arg:"" help:"Name of the hook."`
}

// Run deletes the hook.
func (c *hookDeleteCmd) Run(ctx context.Context, _ streams) error {
	return c.call(ctx, "DeleteHook", verb.HookName{Name: c.Name}, &struct{}{})
}
