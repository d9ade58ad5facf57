package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// deniedLine is a denied call as a line of JSON.
func deniedLine(n int) string {
	return fmt.Sprintf(`{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::333333333333:user/alice","accountId":"333333333333","userName":"alice"},`+
		`"eventTime":"2026-01-03T10:00:%02dZ","eventSource":"s3.amazonaws.com","eventName":"ListBuckets","awsRegion":"us-east-1","errorCode":"AccessDenied",`+
		`"errorMessage":"Access Denied","requestParameters":null,"eventID":"%08d-1111-1111-1111-111111111111","eventType":"AwsApiCall","recipientAccountId":"333333333333"}`+"\n", n, n)
}

// A fallingSilent reader gives a text, and then nothing more: it calls silent and waits.
type fallingSilent struct {
	text   io.Reader
	silent func()
}

func (r *fallingSilent) Read(p []byte) (int, error) {
	if n, err := r.text.Read(p); err == nil {
		return n, nil
	}
	r.silent()
	select {}
}

// interrupted runs the command on two denied calls and the half of a third, after which the run is cancelled
// while standard input has no end.
func interrupted(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	in := &fallingSilent{strings.NewReader(deniedLine(1) + deniedLine(2) + deniedLine(3)[:100]), func() { cancel(interruption{os.Interrupt}) }}
	var out, err bytes.Buffer
	status = run(ctx, append(args, "-"), streams{in, &out, &err})
	return status, out.String(), err.String()
}

// TestInterrupted is of what a run that is stopped prints: all that it knows, in a form that is whole, and that
// it is a part only.
func TestInterrupted(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		note  string
		check func(t *testing.T, out string)
	}{
		{[]string{"events"}, "what is listed", func(t *testing.T, out string) {
			if strings.Count(out, "AccessDenied") != 2 {
				t.Errorf("want two denied calls, got:\n%s", out)
			}
		}},
		{[]string{"events", "--output", "csv"}, "what is listed", func(t *testing.T, out string) {
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			if err != nil || len(rows) != 3 || !strings.HasSuffix(out, "\n") {
				t.Errorf("want a header and two rows (%v), got:\n%s", err, out)
			}
		}},
		{[]string{"events", "--output", "json"}, "what is listed", func(t *testing.T, out string) {
			lines := strings.SplitAfter(out, "\n")
			if len(lines) != 3 || !json.Valid([]byte(lines[0])) || !json.Valid([]byte(lines[1])) || lines[2] != "" {
				t.Errorf("want two lines of JSON, got:\n%s", out)
			}
		}},
		{[]string{"explain"}, "what follows", func(t *testing.T, out string) {
			if !strings.HasPrefix(out, "1  DENIED") || !strings.Contains(out, "×2") {
				t.Errorf("want a finding of two calls, got:\n%s", out)
			}
		}},
		{[]string{"explain", "--output", "json"}, "what follows", func(t *testing.T, out string) {
			var got struct {
				Findings []finding
				Summary  struct {
					Events  int
					Partial bool
				}
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Findings) != 1 || got.Findings[0].Count != 2 || got.Summary.Events != 2 || !got.Summary.Partial {
				t.Errorf("want a finding of two calls, and a summary that says it is partial (%v), got:\n%s", err, out)
			}
		}},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			status, out, err := interrupted(t, tt.args...)
			if status != 130 {
				t.Errorf("exit status %d, want 130", status)
			}
			tt.check(t, out)
			note := "iamwhy: stopped by Ctrl-C after 2 events: " + tt.note + " is of these only\n"
			if !strings.HasPrefix(err, note) || !strings.Contains(err, "; this is a part only\n") || strings.Count(err, "\n") != 2 {
				t.Errorf("want %q and a summary, got:\n%s", note, err)
			}
		})
	}
}

// TestInterruptedQuiet holds -q to saying that the result is a part.
func TestInterruptedQuiet(t *testing.T) {
	if _, _, err := interrupted(t, "events", "-q"); err != "iamwhy: stopped by Ctrl-C after 2 events: what is listed is of these only\n" {
		t.Errorf("got %q", err)
	}
}

// TestInterruptedOut holds a file to being whole or as it was.
func TestInterruptedOut(t *testing.T) {
	for _, command := range []string{"events", "explain"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "r.json")
		if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
		status, out, err := interrupted(t, command, "--output", "json", "--out", path)
		if status != 130 || out != "" || !strings.HasPrefix(err, "iamwhy: error: stopped by Ctrl-C after ") || !strings.Contains(err, ": nothing was written to "+path+"\n") {
			t.Errorf("%s: exit status %d, stdout %q, stderr:\n%s", command, status, out, err)
		}
		if got := listing(t, dir); got != "r.json" || read(t, path) != "old" {
			t.Errorf("%s: there is %s, with %q", command, got, read(t, path))
		}
	}
}

// TestSignals sends real signals to a real process, once it has shown that it read what it was given.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	// A test that runs in the background of a shell has SIGINT ignored, and with it what it starts; a handler isn't inherited.
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, os.Interrupt)
	defer signal.Stop(handled)
	for _, tt := range []struct {
		signal syscall.Signal
		status int
		said   string
		left   string // in the directory of --out
	}{
		{syscall.SIGINT, 130, "stopped by Ctrl-C after 2 events", "r.json"},
		{syscall.SIGTERM, 143, "stopped by a signal (terminated) after 2 events", "r.json"},
		{syscall.SIGKILL, -1, "", ".r.json.iamwhy-"},
	} {
		for _, out := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v out=%v", tt.signal, out), func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, "r.json")
				if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
					t.Fatal(err)
				}
				args := []string{"explain", "--output", "json", "-"}
				if out {
					args = append(args, "--out", path)
				}
				cmd := exec.Command("iamwhy", args...) // the scripts' own, which testscript puts on the PATH
				var stdout bytes.Buffer
				cmd.Stdout = &stdout
				stdin, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				pipe, err := cmd.StderrPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				// A record that can't be used is named at once: the events before it were read then.
				if _, err := io.WriteString(stdin, deniedLine(1)+deniedLine(2)+"{\"not\": \"a record\"}\n"); err != nil {
					t.Fatal(err)
				}
				stderr := bufio.NewReader(pipe)
				if line, err := stderr.ReadString('\n'); err != nil || !strings.HasPrefix(line, "iamwhy: skipped -:3: ") {
					t.Fatalf("got %q, %v", line, err)
				}
				if err := cmd.Process.Signal(tt.signal); err != nil {
					t.Fatal(err)
				}
				rest, err := io.ReadAll(stderr)
				if err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait()
				if got := cmd.ProcessState.ExitCode(); got != tt.status || !strings.Contains(string(rest), tt.said) {
					t.Errorf("exit status %d, want %d; stderr:\n%s", got, tt.status, rest)
				}
				if got := listing(t, dir); out && !strings.HasPrefix(got, tt.left) || read(t, path) != "old" {
					t.Errorf("there is %s, with %q", got, read(t, path))
				}
				if want := !out && tt.status > 0; json.Valid(stdout.Bytes()) != want {
					t.Errorf("a whole result is printed: %v, want %v; stdout:\n%s", !want, want, &stdout)
				}
			})
		}
	}
}
