package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// rolesFake is collectFake with a role on each of two pages, whose names begin with a word.
func rolesFake(word string) *awsfake.Fake {
	f := collectFake()
	type role struct{ Arn, RoleName, AssumeRolePolicyDocument string }
	type page struct {
		Roles       []role `xml:"RoleDetailList>member"`
		IsTruncated bool
		Marker      string `xml:",omitempty"`
	}
	f.Handle("iam", "GetAccountAuthorizationDetails", func(c *awsfake.Call) awsfake.Reply {
		p := page{IsTruncated: true, Marker: "second"}
		name := word + "-first"
		if c.Form.Get("Marker") != "" {
			p, name = page{}, word+"-second"
		}
		p.Roles = []role{{"arn:aws:iam::" + awsfake.Account + ":role/" + name, name, "%7B%7D"}}
		return awsfake.Result(p)
	})
	return f
}

// killedAt starts a real collect, and kills it once its nth call has reached AWS, which never answers. It
// reports whether there was such a call: else the collection came to its end.
func killedAt(t *testing.T, f *awsfake.Fake, n int, args ...string) bool {
	t.Helper()
	reached := make(chan struct{})
	f.Fail(awsfake.Fault{Nth: n, Reply: func(c *awsfake.Call) awsfake.Reply {
		close(reached)
		<-c.Request.Context().Done()
		return awsfake.Reply{}
	}})
	askFake(t, f)
	cmd := exec.Command("iamwhy", append([]string{"collect"}, args...)...) // the scripts' own, which testscript puts on the PATH
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("collect, before its call %d: %v", n, err)
		}
		return false
	case <-reached:
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Fatalf("collect came to its end, though its call %d has no answer", n)
	}
	return true
}

// TestCollectKilled: at whichever call a process is killed, the old snapshot is whole, and the next collection
// tidies up.
func TestCollectKilled(t *testing.T) {
	n, left := 0, 0
	for killed := true; killed; {
		n++
		t.Run(fmt.Sprintf("call %d", n), func(t *testing.T) {
			killed = false // if this fails
			dir := t.TempDir()
			folder := filepath.Join(dir, "snapshot")
			args := []string{"-o", folder, "--only", "iam,organization"}
			if _, stderr, exit := runCollect(t, rolesFake("old"), args...); exit != statusDone {
				t.Fatalf("exit status %d: %s", exit, stderr)
			}
			before := tree(t, folder)
			killed = killedAt(t, rolesFake("new"), n, args...)
			if !killed {
				return
			}
			if diff := cmp.Diff(before, tree(t, folder)); diff != "" {
				t.Errorf("the old snapshot (-before +after):\n%s", diff)
			}
			if listing(t, dir) != "snapshot" {
				left++
			}
			if _, stderr, exit := runCollect(t, rolesFake("new"), args...); exit != statusDone {
				t.Fatalf("collecting again: exit status %d: %s", exit, stderr)
			}
			if got := listing(t, dir); got != "snapshot" {
				t.Errorf("there is %s, want the snapshot alone", got)
			}
			iam := tree(t, folder)["accounts/"+awsfake.Account+"/iam.json"]
			if strings.Contains(iam, "old-") || !strings.Contains(iam, "new-first") || !strings.Contains(iam, "new-second") {
				t.Errorf("collected again:\n%s", iam)
			}
		})
	}
	if n != 5 || left == 0 {
		t.Errorf("it was killed at %d calls, of which %d left something to tidy up; want at the caller, the organisation and two pages", n-1, left)
	}
}
