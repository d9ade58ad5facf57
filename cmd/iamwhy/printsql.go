package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/correlate/source"
)

// queries are the queries that --print-query knows.
var queries = []struct {
	name string
	all  bool // it is of every call, denied or not
	text func(context.Context, string, source.Options) (string, error)
}{
	{"events", false, source.AthenaQuery},
	{"replay", true, source.AthenaCallsQuery},
}

// queryFlag adds the flag that prints the SQL of a source.
func queryFlag(cmd *cobra.Command, query *string) {
	flags := cmd.Flags()
	flags.StringVar(query, "print-query", "", "print the SQL of an athena: SOURCE, and run nothing; `QUERY` is events, or replay for the aggregation of calls")
	flags.Lookup("print-query").NoOptDefVal = queries[0].name
	_ = cmd.RegisterFlagCompletionFunc("print-query", cobra.FixedCompletions([]string{"events", "replay"}, cobra.ShellCompDirectiveNoFileComp))
}

// printQuery prints the SQL that the sources would run.
func (a *app) printQuery(ctx context.Context, name string, in *input, q source.Query, out string) error {
	for _, query := range queries {
		if query.name != name {
			continue
		}
		if query.all {
			q.Want = source.Everything
		}
		opts := a.options(in, q)
		return a.printEach(ctx, in.sources, out, func(src string) (string, error) {
			if !strings.HasPrefix(src, "athena:") {
				return "", fmt.Errorf("--print-query: %s: only an athena: SOURCE is a query", src)
			}
			return query.text(ctx, src, opts)
		})
	}
	return fmt.Errorf("unknown --print-query=%s: have events, replay", name)
}

// printDDL prints a table definition for the logs in the sources, which are buckets.
func (a *app) printDDL(ctx context.Context, in *input, q source.Query, out string) error {
	opts := a.options(in, q)
	return a.printEach(ctx, in.sources, out, func(src string) (string, error) {
		if !strings.HasPrefix(src, "s3://") {
			return "", fmt.Errorf("--print-ddl: %s: a table is defined for a trail's bucket: give s3://BUCKET/PREFIX", src)
		}
		return source.AthenaDDL(src, opts)
	})
}

// printEach writes a text of each source.
func (a *app) printEach(ctx context.Context, sources []string, out string, text func(string) (string, error)) error {
	w, commit := a.out, func() error { return nil }
	if toFile(out) {
		file, err := createOut(ctx, out)
		if err != nil {
			return err
		}
		defer file.giveUp(errGivenUp)
		w, commit = file, file.commit
	}
	for _, src := range sources {
		sql, err := text(src)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, sql); err != nil {
			return fmt.Errorf("writing the SQL: %w", err)
		}
	}
	return commit()
}
