package collectors

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// oldSnapshot is a snapshot with a file of somebody else's and a Git repository, and the options that made it.
func oldSnapshot(t *testing.T) (folder string, o Options) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "s")
	o = testOptions(awsfake.New(), []string{"eu-west-1"})
	mustCollect(t, folder, o, queues(), topics())
	for name, text := range map[string]string{".git/HEAD": "ref: refs/heads/main\n", "README": "nightly\n"} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return folder, o
}

// TestKilled: whenever a collection is killed, there is a whole snapshot once the next one starts,
// and what isn't a snapshot's is still there.
func TestKilled(t *testing.T) {
	own := topLevel([]*part{queues(), topics()})
	// newer is a stage with a complete new snapshot.
	newer := func(t *testing.T, folder string) *stage {
		t.Helper()
		s, err := newStage(folder, own)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.writeJSON(metadataFile, metadata{FormatVersion: formatVersion, CollectedBy: "newer"}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	tests := []struct {
		name  string
		until func(*testing.T, *stage) // what is done before the kill
		newer bool                     // it is the new snapshot that is left
	}{
		{"while it collects", func(*testing.T, *stage) {}, false},
		{"between the two renames", func(t *testing.T, s *stage) {
			if err := s.setAside(); err != nil {
				t.Fatal(err)
			}
			if exists(s.folder) {
				t.Fatal("the old snapshot isn't set aside")
			}
		}, false},
		{"after the second rename", func(t *testing.T, s *stage) {
			if err := s.setAside(); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(s.fresh, s.folder); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"while it moves what isn't its own", func(t *testing.T, s *stage) {
			if err := s.setAside(); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(s.fresh, s.folder); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(s.aside, ".git"), filepath.Join(s.folder, ".git")); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"not at all", func(t *testing.T, s *stage) {
			if err := s.commit(); err != nil {
				t.Fatal(err)
			}
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder, o := oldSnapshot(t)
			want := files(t, folder)
			tt.until(t, newer(t, folder))

			next, err := newStage(folder, own)
			if err != nil {
				t.Fatal(err)
			}
			next.discard()
			got := files(t, folder)
			if tt.newer {
				want = map[string]string{".git/HEAD": want[".git/HEAD"], "README": want["README"], metadataFile: got[metadataFile]}
				if !strings.Contains(got[metadataFile], "newer") {
					t.Errorf("snapshot.json: %s", got[metadataFile])
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			noneBeside(t, folder)
			mustCollect(t, folder, o, queues(), topics())
			noneBeside(t, folder)
		})
	}
}

// TestTwoAtOnce: of two collections into one folder the earlier fails, and the later's snapshot is whole.
func TestTwoAtOnce(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "s")
	own := topLevel(nil)
	earlier, err := newStage(folder, own)
	if err != nil {
		t.Fatal(err)
	}
	if err := earlier.writeJSON(metadataFile, "earlier"); err != nil {
		t.Fatal(err)
	}
	later, err := newStage(folder, own)
	if err != nil {
		t.Fatal(err)
	}
	if err := earlier.writeJSON("organization.json", "earlier"); err == nil {
		t.Error("the earlier one goes on writing")
	}
	if err := later.writeJSON(metadataFile, "later"); err != nil {
		t.Fatal(err)
	}
	if err := earlier.commit(); err == nil || !strings.Contains(err.Error(), "one at a time") {
		t.Errorf("the earlier one's commit: %v", err)
	}
	earlier.discard()
	if err := later.commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{metadataFile: "\"later\"\n"}, files(t, folder)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	noneBeside(t, folder)
}

// TestUnchanged: a file that is as it was keeps its time, so that nothing that watches it wakes up.
func TestUnchanged(t *testing.T) {
	folder, o := oldSnapshot(t)
	path := func(service string) string {
		return filepath.Join(folder, "accounts", testAccount, "resources", service+".json")
	}
	then := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, service := range []string{"sqs", "sns"} {
		if err := os.Chtimes(path(service), then, then); err != nil {
			t.Fatal(err)
		}
	}
	o.Regions = []string{"eu-west-1", "us-east-1"}
	o.Only = []string{"sqs"}
	mustCollect(t, folder, o, queues(), topics())
	for service, kept := range map[string]bool{"sqs": false, "sns": true} {
		info, err := os.Stat(path(service))
		if err != nil {
			t.Fatal(err)
		}
		if info.ModTime().Equal(then) != kept {
			t.Errorf("%s.json is of %v", service, info.ModTime())
		}
	}
	if err := os.Chtimes(path("sqs"), then, then); err != nil {
		t.Fatal(err)
	}
	mustCollect(t, folder, o, queues(), topics())
	if info, err := os.Stat(path("sqs")); err != nil || !info.ModTime().Equal(then) {
		t.Errorf("an unchanged sqs.json is of %v, %v", info.ModTime(), err)
	}
}

func TestFolderRefused(t *testing.T) {
	o := testOptions(awsfake.New(), []string{"eu-west-1"})
	tests := []struct{ name, file, text, want string }{
		{"files of another kind", "thesis.txt", "x", "isn't a snapshot"},
		{"somebody's home", ".bashrc", "x", "isn't a snapshot"},
		{"a later format", metadataFile, `{"formatVersion": 2}`, "format version 2"},
		{"a broken snapshot", metadataFile, `{`, "mend it"},
		{"a file", "", "", "is a file"},
	}
	for _, tt := range tests {
		folder := filepath.Join(t.TempDir(), "s")
		path := filepath.Join(folder, tt.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := collect(t.Context(), folder, o, []*part{queues()}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want …%s…", tt.name, err, tt.want)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != tt.text {
			t.Errorf("%s: the file is %q, %v", tt.name, text, err)
		}
		noneBeside(t, folder)
	}
}

// TestFolderOfOurs: the folder that the command runs in would be gone for whoever started it.
func TestFolderOfOurs(t *testing.T) {
	o := testOptions(awsfake.New(), []string{"eu-west-1"})
	folder := filepath.Join(t.TempDir(), "s")
	mustCollect(t, folder, o, queues())
	t.Chdir(filepath.Join(folder, "accounts"))
	for _, name := range []string{folder, ".."} {
		if _, err := collect(t.Context(), name, o, []*part{queues()}); err == nil || !strings.Contains(err.Error(), "run it from outside") {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustCollect(t, filepath.Join("..", "..", "other"), o, queues())
}

// TestFolderTaken: folders that a snapshot may go to.
func TestFolderTaken(t *testing.T) {
	o := testOptions(awsfake.New(), []string{"eu-west-1"})
	t.Run("in folders that don't exist", func(t *testing.T) {
		mustCollect(t, filepath.Join(t.TempDir(), "a", "b"), o, queues())
	})
	t.Run("an empty folder", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "s")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		mustCollect(t, folder, o, queues())
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("the folder's permissions are %v, %v; want them kept", info.Mode(), err)
		}
	})
	t.Run("an empty repository", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "s")
		if err := os.MkdirAll(filepath.Join(folder, ".git"), 0o777); err != nil {
			t.Fatal(err)
		}
		mustCollect(t, folder, o, queues())
		if !exists(filepath.Join(folder, ".git")) || !exists(filepath.Join(folder, metadataFile)) {
			t.Error("the repository or the snapshot isn't there")
		}
	})
	t.Run("a link", func(t *testing.T) {
		parent := t.TempDir()
		real, link := filepath.Join(parent, "real"), filepath.Join(parent, "link")
		if err := os.Mkdir(real, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, link); err != nil {
			t.Skipf("this system has no symbolic links for us: %v", err)
		}
		mustCollect(t, link, o, queues())
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link is %v, %v", info.Mode(), err)
		}
		if !exists(filepath.Join(real, metadataFile)) {
			t.Error("the snapshot isn't where the link leads")
		}
	})
}

// TestOrderIsNobodys: in whatever order answers come, the files are the same, and so are the records.
func TestOrderIsNobodys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c", "d"})).Draw(t, "names")
		shuffled := rapid.Permutation(names).Draw(t, "shuffled")
		write := func(names []string) (string, partRecord) {
			c := &collection{found: &found{}}
			for _, name := range names {
				c.add(&item{ARN: name, Type: "queue", Policy: document(`{"b": 1, "a": []}`), Extra: struct{}{}})
				c.fail("sqs:GetQueueAttributes", name, errors.New("no"))
			}
			var b strings.Builder
			if err := writeList(&b, "", c.lists[""]); err != nil {
				t.Fatal(err)
			}
			return b.String(), record(c.gaps, nil)
		}
		text, rec := write(names)
		again, recAgain := write(shuffled)
		if text != again {
			t.Errorf("%s\n%s", text, again)
		}
		if diff := cmp.Diff(rec, recAgain, cmp.AllowUnexported(gap{})); diff != "" {
			t.Errorf("records (-one +other):\n%s", diff)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("not JSON: %s", text)
		}
	})
}
