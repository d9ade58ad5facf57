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
	// Folder is the cache's. In it each caller has a folder, with a snapshot for each set of questions;
	// they are readable by the user alone, and have policies, no secrets.
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
	folder = filepath.Join(l.folder, digest(need.key()))
	if !l.isFresh(folder) {
		if err := l.ask(ctx, folder, need); err != nil {
			return nil, folder, err
		}
	}
	if s, err = snapshot.Load(os.DirFS(folder)); err != nil {
		return nil, folder, fmt.Errorf("reading the live policies in %s: %w; remove it", folder, err)
	}
	return s, folder, nil
}

// isFresh reports whether a folder has answers that may be used again.
func (l *Live) isFresh(folder string) bool {
	m, err := readMetadata(folder)
	if err != nil || m == nil {
		return false
	}
	for _, p := range m.Parts {
		if p.Status == statusError {
			return false
		}
	}
	at, err := time.Parse(time.RFC3339, m.CollectedAt)
	age := l.options.Now.Sub(at)
	return err == nil && age < l.maxAge && age > -time.Second // a stamp has no fractions
}

// ask collects what is needed into a folder of the cache, in place of what was there.
func (l *Live) ask(ctx context.Context, folder string, need *need) error {
	l.prune()
	rows := need.parts()
	if _, err := readMetadata(folder); err != nil { // nobody mends a cache
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	st, err := newStageFor(folder, topLevel(parts()), 0o700, 0o600)
	if err != nil {
		return fmt.Errorf("keeping live policies: %w", err)
	}
	defer st.discard()
	r := &run{Options: l.options, who: l.who, rows: rows, stage: st, parts: make(map[string]partRecord)}
	r.gotSomething() // that AWS denies all is an answer
	if err := r.all(ctx); err != nil {
		return err
	}
	for name, reason := range need.Elsewhere {
		r.record(name, partRecord{Status: statusSkipped, Reason: reason})
	}
	_, err = r.finish()
	return err
}

// keepLive is how long answers stay in the cache that nobody asks for.
const keepLive = 24 * time.Hour

// prune removes old answers of the caller's. What can't be removed stays.
func (l *Live) prune() {
	entries, _ := os.ReadDir(l.folder) // there may be none
	for _, e := range entries {
		folder := filepath.Join(l.folder, e.Name())
		info, err := os.Stat(filepath.Join(folder, metadataFile))
		if err == nil && l.options.Now.Sub(info.ModTime()) > max(keepLive, l.maxAge) {
			_ = os.RemoveAll(folder)
		}
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
