package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// update rewrites the goldens of the scripts: go test ./cmd/iamwhy -update.
var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"iamwhy": func() { os.Exit(Main()) }})
}

// TestScripts runs the command as users do. $ACME is the organisation of testdata/acme.
func TestScripts(t *testing.T) {
	acme, err := filepath.Abs("../../testdata/acme")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ACME", acme)
			env.Setenv("IAMWHY_SNAPSHOT", "")
			env.Setenv("NO_COLOR", "")
			return nil
		},
	})
}
