package nearest

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"Action", "Action", 0},
		{"action", "Action", 0},
		{"Actions", "Action", 1},
		{"Acton", "Action", 1},
		{"Actoin", "Action", 1},
		{"", "abc", 3},
		{"Effect", "Action", 6},
		{strings.Repeat("a", 201), "a", Far},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
