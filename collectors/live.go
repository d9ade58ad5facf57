package collectors

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// LiveOptions say as whom to ask, and where to keep the answers.
type LiveOptions struct {
	Config aws.Config // as that of Options
	Now    time.Time
	// Folder is the cache's. In it each caller has a folder, with one for each set of questions, with a snapshot for each
	// time that these were asked. They are readable by the user alone, and have policies, no secrets.
	Folder   string
	MaxAge   time.Duration // of an answer; 0 asks anew
	Progress *Progress     // may be nil
}

// A Live asks AWS for just what requests need, in place of a snapshot that was collected before. It
// asks as one caller, of the caller's account: what is another account's it takes to be unknown.
type Live struct {
	options Options
	who     caller
	folder  string // of the caller
	maxAge  time.Duration
}

// Questions are what somebody wants to know.
type Questions struct {
	Requests []evaluator.Request
	// Names are users and roles of the caller's account that nobody knows the ARN of.
	Names []string
}

// NewLive asks AWS who the caller is, and nothing else. The error is a *CallError.
func NewLive(ctx context.Context, o LiveOptions) (*Live, error) {
	l := &Live{options: Options{Config: o.Config, Now: o.Now, Progress: o.Progress}, maxAge: o.MaxAge}
	l.options.setDefaults()
	who, err := whoAsks(ctx, l.options.Config)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	l.who = who
	l.folder = filepath.Join(o.Folder, who.account+"-"+digest(identity(who.arn)))
	return l, nil
}

// Caller is the ARN of who asks.
func (l *Live) Caller() string { return l.who.arn }

// identity is a caller without the name of its session: that is another one each time that a role is assumed.
func identity(arn string) string {
	a, ok := policy.ParseARN(arn)
	if role, is := strings.CutPrefix(a.Resource, "assumed-role/"); ok && is {
		name, _, _ := strings.Cut(role, "/")
		a.Resource = "assumed-role/" + name
	}
	return a.String()
}

// Gather returns the policies that the questions hang on, as a snapshot of these and nothing else. If it was asked the same
// within MaxAge, they are those of then, and no call is made; CollectedAt is when that was. What AWS doesn't
// give is recorded in the snapshot; an answer in which a call failed for another reason than a denial isn't used
// again. folder is where the snapshot's files are. The error is one of the disk or of the context.
func (l *Live) Gather(ctx context.Context, q Questions) (s *snapshot.Snapshot, folder string, err error) {
	need := l.needOf(q)
	answers := filepath.Join(l.folder, digest(need.key()))
	if folder = l.fresh(answers); folder == "" {
		if folder, err = l.ask(ctx, answers, need); err != nil {
			return nil, "", err
		}
	}
	if s, err = snapshot.Load(os.DirFS(folder)); err != nil {
		return nil, "", fmt.Errorf("reading the live policies in %s: %w; remove it", folder, err)
	}
	return s, folder, nil
}

// answerStamp begins the name of the folder of an answer: when it was given. Each has a folder of its own, so that those
// who ask at the same time don't get in each other's way.
const answerStamp = "20060102T150405Z"

// answersIn are the names of the answers in a folder, newest first.
func answersIn(folder string) []string {
	entries, _ := os.ReadDir(folder) // there may be none
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names
}

// fresh is the folder of the newest answer, if it may be used again; else "".
func (l *Live) fresh(answers string) string {
	for _, name := range answersIn(answers) {
		folder := filepath.Join(answers, name)
		if m, err := readMetadata(folder); err == nil && m != nil && !strings.HasPrefix(name, ".") { // else one in the making
			if l.mayUse(m) {
				return folder
			}
			return ""
		}
	}
	return ""
}

// mayUse reports whether an answer may be used again.
func (l *Live) mayUse(m *metadata) bool {
	for _, p := range m.Parts {
		if p.Status == statusError {
			return false
		}
	}
	at, err := time.Parse(time.RFC3339, m.CollectedAt)
	age := l.options.Now.Sub(at)
	return err == nil && age < l.maxAge && age > -time.Second // a stamp has no fractions
}

// ask collects what is needed into a new folder in answers.
func (l *Live) ask(ctx context.Context, answers string, need *need) (folder string, err error) {
	l.prune()
	keeping := func(err error) error { return fmt.Errorf("keeping live policies: %w", err) }
	if err := os.MkdirAll(answers, 0o700); err != nil {
		return "", keeping(err)
	}
	folder, err = os.MkdirTemp(answers, l.options.Now.UTC().Format(answerStamp)+"-")
	if err != nil {
		return "", keeping(err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(folder) // it is empty, and pruned one day
		}
	}()
	st, err := newStageFor(folder, topLevel(parts()), 0o700, 0o600)
	if err != nil {
		return "", keeping(err)
	}
	defer st.discard()
	r := &run{Options: l.options, who: l.who, rows: need.parts(), stage: st, parts: make(map[string]partRecord)}
	r.gotSomething() // that AWS denies all is an answer
	if err := r.all(ctx); err != nil {
		return "", err
	}
	for name, reason := range need.Elsewhere {
		r.record(name, partRecord{Status: statusSkipped, Reason: reason})
	}
	_, err = r.finish()
	return folder, err
}

const (
	keepLive   = 24 * time.Hour   // how long answers stay in the cache
	keepBeside = 10 * time.Minute // and those that there is a newer one of: somebody may be reading them
)

// prune removes the caller's old answers, and what those who were killed left. What can't be removed stays.
func (l *Live) prune() {
	for _, key := range answersIn(l.folder) {
		keep := max(keepLive, l.maxAge)
		for _, name := range answersIn(filepath.Join(l.folder, key)) {
			stamp, _, _ := strings.Cut(strings.TrimPrefix(name, "."), "-")
			at, err := time.Parse(answerStamp, stamp)
			if err != nil {
				continue
			}
			if l.options.Now.Sub(at) > keep {
				_ = os.RemoveAll(filepath.Join(l.folder, key, name))
			}
			keep = keepBeside
		}
		_ = os.Remove(filepath.Join(l.folder, key)) // if it is empty
	}
}

// digest is a short name for a text, the same each time.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// key tells needs apart.
func (n *need) key() string {
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Sprintf("%+v", *n) // it has nothing but texts
	}
	return fmt.Sprintf("%d %s", formatVersion, text)
}
