package main

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/correlate/source"
)

// An input is the events that a command is about: where they lie (product.md §3), and how they are read.
type input struct {
	sources                    []string
	maxRecord, maxDecompressed size
	aws                        source.AWS
}

func (in *input) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&in.sources, "events", nil, "a further `SOURCE`")
	awsFlags(flags, &in.aws)
	flags.BoolVar(&in.aws.RequesterPays, "requester-pays", false, "pay for reading a bucket whose owner doesn't")
	flags.Var(&in.maxRecord, "max-record-size", "skip single records larger than this `SIZE` (default 32MB)")
	flags.Var(&in.maxDecompressed, "max-decompressed-size", "stop a file that decompresses to more than this `SIZE`")
	cmd.ValidArgsFunction = completeSource
	_ = cmd.RegisterFlagCompletionFunc("events", completeSource)
}

// take adds the arguments to the SOURCEs, and says what is wrong with the flags.
func (in *input) take(args []string) error {
	in.sources = append(in.sources, args...)
	if len(slices.DeleteFunc(slices.Clone(in.sources), func(s string) bool { return s != "-" })) > 1 {
		return errors.New("standard input, -, is given twice as a SOURCE: it can be read once only")
	}
	return checkAWS(&in.aws)
}

// usesStdin reports whether standard input is a SOURCE.
func (in *input) usesStdin() bool { return slices.Contains(in.sources, "-") }

// sourceHelp lists the kinds of SOURCE for a command's help.
func sourceHelp() string {
	b := strings.Builder{}
	for _, k := range source.Kinds() {
		fmt.Fprintf(&b, "  %-32s %s\n", k.Form, k.About)
	}
	return b.String()
}

// completeSource completes the beginning of a SOURCE that isn't a file; the shell completes files itself.
func completeSource(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var fit []string
	for _, k := range source.Kinds() {
		if typed != "" && k.Prefix != "" && strings.HasPrefix(k.Prefix, typed) {
			fit = append(fit, k.Prefix+"\t"+k.About)
		}
	}
	if len(fit) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return fit, cobra.ShellCompDirectiveNoSpace
}

// A size is a number of bytes, given as 64MB, 2GB or plain.
type size int64

func (s *size) String() string { return "" }
func (s *size) Type() string   { return "SIZE" }

func (s *size) Set(text string) error {
	number, unit := strings.ToUpper(strings.TrimSpace(text)), int64(1)
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"B", 1}} {
		if n, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = n, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%q is not a size: want a number of bytes, or 64MB, 2GB", text)
	}
	*s = size(n * unit)
	return nil
}

// options are how the SOURCEs are read for a query.
func (a *app) options(in *input, q source.Query) source.Options {
	aws := in.aws.Shared()
	if isTerminal(a.in) && isTerminal(a.err) && !in.usesStdin() {
		aws.MFAToken = a.askMFA
	}
	return source.Options{
		Query: q, AWS: aws, Stdin: a.in,
		MaxRecord: int64(in.maxRecord), MaxDecompress: int64(in.maxDecompressed),
	}
}

// askMFA asks the user for the code of an MFA device.
func (a *app) askMFA() (string, error) {
	a.line.aside(a.err, func() { fmt.Fprint(a.err, "MFA code: ") })
	code, err := bufio.NewReader(a.in).ReadString('\n')
	return strings.TrimSpace(code), err
}
