package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is every verb of the command line. Each verb has a file of its own.
type cli struct {
	Serve    serveCmd    `cmd:"" help:"Run a node: the Personalize API, the S3 door and everything behind them."`
	Demo     demoCmd     `cmd:"" help:"Show the whole life on a synthetic shop: import, train, measure, deploy, recommend."`
	API      apiCmd      `cmd:"" name:"api" help:"What of the Personalize API this build answers."`
	Clock    clockCmd    `cmd:"" help:"Show or put forward the clock of a strict node."`
	Fault    faultCmd    `cmd:"" help:"Script throttling, errors and latency of a strict node."`
	Bucket   bucketCmd   `cmd:"" help:"Copy, list and remove objects through a node's S3 door."`
	Schedule scheduleCmd `cmd:"" help:"Tasks that run again and again: list, turn on and off, run now."`
	Job      jobCmd      `cmd:"" help:"How far an import, a training or a deployment is."`
	Deletion deletionCmd `cmd:"" help:"Receipts of data deletion jobs."`
	noticeVerbs
	Model    modelCmd          `cmd:"" help:"What a solution version learned, and how well, beside honest baselines."`
	Solution solutionCmd       `cmd:"" name:"solutions" help:"How good the versions of a solution are, over time."`
	Plan     planCmd           `cmd:"" help:"Show what a configuration would change, and change nothing."`
	Apply    applyCmd          `cmd:"" help:"Make everything as a configuration declares it, and keep it so."`
	Destroy  destroyCmd        `cmd:"" help:"Take away everything that a configuration declares."`
	Runs     runsCmd           `cmd:"" help:"What was done by configurations: list, watch, cancel."`
	Campaign campaignCmd       `cmd:"" help:"Give a campaign back the version that it had before."`
	Drift    driftCmd          `cmd:"" help:"Show what is not, or not only, as a configuration declares it."`
	Export   exportCmd         `cmd:"" help:"Write the configuration of a dataset group that exists."`
	Config   configCmd         `cmd:"" help:"Check the file that says what is to be maintained; needs no node."`
	Applied  configurationsCmd `cmd:"" name:"configurations" help:"The configurations that were applied, with their history."`
	Version  versionCmd        `cmd:"" help:"Print the version of this binary."`
}

// streams are where a verb reads and writes; tests give their own.
type streams struct {
	out, err io.Writer
}

const description = `Attune gives you, on your own machines, what Amazon Personalize gives AWS customers.

Start a node with 'attune serve', then point any AWS client at it:

  export AWS_ENDPOINT_URL=http://127.0.0.1:8787
  aws personalize list-recipes

'attune demo' shows all of it in about a minute.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// exitDiffers is the exit code of 'plan' and 'drift' with --exit-code when
// there is something to change: neither a failure nor a misuse.
const exitDiffers = 3

// errDiffers ends a verb with exitDiffers, without a word.
var errDiffers = errors.New("there are differences")

// misused is an error of what was asked for, as one of the parser is.
type misused struct{ error }

// run is main as a function: it returns the exit code, 0 done, 1 failed, 2
// misused, 3 as exitDiffers says.
func run(ctx context.Context, args []string, s streams) (code int) {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("attune"), kong.Description(description),
		kong.Writers(s.out, s.err), kong.Exit(func(code int) { exited = code; panic(helpShown{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		return say(s, err, 2)
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(helpShown); !ok {
				panic(p)
			}
			code = exited
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return say(s, fmt.Errorf("%w; '%s --help' shows how", err, verbOf(err)), 2)
	}
	err = parsed.Run()
	var wrong misused
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errDiffers):
		return exitDiffers
	case errors.As(err, &wrong):
		return say(s, err, 2)
	}
	return say(s, err, 1)
}

// verbOf names the verb that was misused, as far as it could be read.
func verbOf(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			return "attune " + strings.TrimSuffix(node.Path(), " ")
		}
	}
	return "attune"
}

// helpShown unwinds run when kong has printed help and wants to exit.
type helpShown struct{}

// say prints an error by the rules of speech: one line, "attune:" before it,
// lower case, no full stop, and what to do.
func say(s streams, err error, code int) int {
	fmt.Fprintf(s.err, "attune: %s\n", strings.TrimSuffix(err.Error(), "."))
	return code
}
