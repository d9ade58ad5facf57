package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
	"github.com/iamwhy/iamwhy/evaluator/nearest"
)

// The exit statuses (product.md §4). A run that a signal ended has that signal's (see interruption).
const (
	statusDone          = 0
	statusNo            = 1 // check: denied; test: a case failed
	statusInput         = 2 // usage or input
	statusIndeterminate = 3 // check
	statusAWS           = 4 // an AWS call failed
)

// A status is an outcome that isn't an error, but isn't 0, either.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// errReported is an input error that has been written already.
var errReported = errors.New("reported")

// An app is one run of the command: its streams and the flags that all
// subcommands share.
type app struct {
	streams
	line     statusLine // on err
	snapshot string
	output   string
	color    string
	quiet    bool
	verbose  bool
}

// run runs the command and returns its exit status.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	var st status
	var failed *source.AWSError
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &st):
		return int(st)
	case stopped(ctx, err):
		a.report(interruptionOf(ctx))
		return interruptionOf(ctx).status()
	case errors.As(err, &failed):
		a.report(err)
		return statusAWS
	case !errors.Is(err, errReported):
		a.report(err)
	}
	return statusInput
}

// report writes an error in one line.
func (a *app) report(err error) {
	text := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
	a.say("error: " + text)
}

// note writes a line that isn't a result, unless -q.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		a.say(fmt.Sprintf(format, args...))
	}
}

// say writes a line that isn't a result.
func (a *app) say(text string) {
	a.line.aside(a.err, func() { fmt.Fprintf(a.err, "iamwhy: %s\n", render.Clean(text)) })
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "iamwhy",
		Short: "why AWS denied a call, and whether it would allow one",
		Long: `iamwhy joins CloudTrail's denials to the policy layer, the policy and the
statement responsible, says whether a call would be allowed, and runs
regression tests of policies. It needs AWS credentials only for collect, --live, and events that lie in AWS.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		known := []string{}
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				known = append(known, c.Name())
			}
		}
		return fmt.Errorf("unknown command %q%s; iamwhy --help lists the commands", args[0], suggest(args[0], known, ""))
	}
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&a.snapshot, "snapshot", os.Getenv("IAMWHY_SNAPSHOT"), "snapshot `DIR`, a get-account-authorization-details FILE, or - (env IAMWHY_SNAPSHOT)")
	flags.StringVar(&a.output, "output", "text", "output `FORMAT`: text, json, and csv for events")
	flags.StringVar(&a.color, "color", "auto", "colour: auto, always or never; NO_COLOR is honoured")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "write nothing but results and errors")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "name every record and part that can't be used")
	// The default would be the environment's value: help says where it comes from instead.
	flags.Lookup("snapshot").DefValue = ""
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json", "csv"}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(a.eventsCommand(), a.explainCommand(), a.checkCommand(), a.testCommand(), a.collectCommand(), a.doctorCommand(), a.validateCommand(), a.versionCommand())
	return root
}

// flagError says what is wrong with a flag, which one was meant, and where they are listed.
func flagError(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("; %s --help lists the flags", cmd.CommandPath())
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		hint = suggest(unknown.GetSpecifiedName(), known, "--") + hint
	}
	return fmt.Errorf("%w%s", err, hint)
}

// suggest returns " (events?)" if a word looks like a known one.
func suggest(word string, known []string, prefix string) string {
	best, least := "", len(word)/2+1
	for _, k := range known {
		d := nearest.Distance(word, k)
		if strings.HasPrefix(k, word) {
			d = 0
		}
		if word != "" && d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return " (" + prefix + best + "?)"
}

// A printer is a renderer on the standard output, or on a file.
type printer struct {
	render.Renderer
	buffer *bufio.Writer
	file   *outFile // nil for the standard output
}

// printer opens the renderer that the flags ask for, on the standard output.
func (a *app) printer(s render.Subject) (printer, error) { return a.printerOn(s, a.out) }

// printerTo opens the renderer on a file, which is there once finish was called; "" and - are the standard output.
func (a *app) printerTo(ctx context.Context, s render.Subject, path string) (printer, error) {
	if !toFile(path) {
		return a.printer(s)
	}
	if _, err := a.printerOn(s, io.Discard); err != nil { // before the file is made
		return printer{}, err
	}
	file, err := createOut(ctx, path)
	if err != nil {
		return printer{}, err
	}
	p, err := a.printerOn(s, file)
	p.file = file
	return p, err
}

// toFile reports whether --out names a file.
func toFile(path string) bool { return path != "" && path != "-" }

func (a *app) printerOn(s render.Subject, w io.Writer) (printer, error) {
	color, err := a.useColor(w)
	if err != nil {
		return printer{}, err
	}
	buffer := bufio.NewWriter(w)
	r, err := render.New(a.output, s, buffer, render.Options{Color: color, Width: width(w), Verbose: a.verbose})
	return printer{Renderer: r, buffer: buffer}, err
}

// flush writes out what is buffered; an answer that nobody got is an error.
func (p printer) flush() error {
	if err := p.buffer.Flush(); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// finish ends the result with a summary. A file is in its place then.
func (p printer) finish(s correlate.Summary) error {
	if err := p.Close(s); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if err := p.flush(); err != nil || p.file == nil {
		return err
	}
	return p.file.commit()
}

// giveUp leaves the file as it was; after finish it does nothing.
func (p printer) giveUp() {
	if p.file != nil {
		p.file.giveUp(errGivenUp)
	}
}

// colors are the values of --color, and whether each means colour on this output.
var colors = map[string]func(io.Writer) bool{
	"auto":   func(w io.Writer) bool { return colorprofile.Detect(w, os.Environ()) >= colorprofile.ANSI },
	"always": func(io.Writer) bool { return true },
	"never":  func(io.Writer) bool { return false },
}

func (a *app) useColor(w io.Writer) (bool, error) {
	decide, ok := colors[a.color]
	if !ok {
		return false, fmt.Errorf("unknown --color %q: have %s", a.color, strings.Join(slices.Sorted(maps.Keys(colors)), ", "))
	}
	return decide(w), nil
}

// width is how wide a page on w may be; 0 for what isn't a terminal.
func width(w io.Writer) int {
	if n := columns(w); n > 0 {
		return max(n, minWidth)
	}
	return 0
}

// columns is the width of a terminal; 0 for what is none, or doesn't tell.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return n
}

// minWidth is the narrowest page: text is not folded into less.
const minWidth = 40

// isTerminal reports whether a stream is a person's, to look at or to type into.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
