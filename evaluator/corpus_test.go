package evaluator_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator/casefile"
)

// TestCorpus runs the case files of testdata/cases: decision, layers and statement.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../testdata/cases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no case files in testdata/cases")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := casefile.Read(filepath.Base(file), text)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, c := range cases {
			t.Run(filepath.Base(file)+"/"+c.Name, func(t *testing.T) {
				if r := casefile.Run(t.Context(), c, nil); !r.Pass {
					t.Errorf("%s: %s (%v)", c.Pos, r.Why, r.Err)
				}
			})
		}
	}
}
