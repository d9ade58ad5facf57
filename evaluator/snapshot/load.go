package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
)

// formatVersion is the version of the format that this package reads.
const formatVersion = "1"

// maxFile is how large a file of a snapshot may be.
const maxFile = 256 << 20

// A loader makes a Snapshot out of files.
type loader struct {
	*Snapshot
	fsys fs.FS
	// untold is why a file that no part is recorded for can't be taken to be whole; "" if it can.
	untold string
	loaded map[string]bool // parts whose file was there
}

func newLoader(fsys fs.FS) *loader {
	return &loader{
		Snapshot: &Snapshot{
			parts:     map[string]*part{},
			accounts:  map[string]*account{},
			resources: map[string]*resource{},
			aliases:   map[string]*resource{},
			secrets:   map[string][]*resource{},
			endpoints: map[string]*endpoint{},
		},
		fsys:   fsys,
		loaded: map[string]bool{},
	}
}

// Load reads a snapshot directory. A missing or broken part is not an error: it is
// recorded as a Problem, and what depends on it is unknown. The error is
// for something that isn't a snapshot at all, or one of a later format.
func Load(fsys fs.FS) (*Snapshot, error) {
	l := newLoader(fsys)
	if err := l.isSnapshot(); err != nil {
		return nil, err
	}
	if err := l.loadMetadata(); err != nil {
		return nil, err
	}
	l.loadOrganization()
	l.loadIdentityCenter()
	for _, id := range l.accountIDs() {
		l.loadAccount(id)
	}
	l.findUnloaded()
	l.sortProblems()
	return l.Snapshot, nil
}

// isSnapshot looks for what every snapshot has some of.
func (l *loader) isSnapshot() error {
	for _, name := range []string{"snapshot.json", "organization.json", "accounts"} {
		_, err := fs.Stat(l.fsys, name)
		if err == nil {
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("reading snapshot: %w", err)
		}
	}
	return errors.New("not a snapshot: expected snapshot.json, organization.json or accounts/ in the folder, or the file that `aws iam get-account-authorization-details` prints")
}

// loadMetadata reads snapshot.json.
func (l *loader) loadMetadata() error {
	const name = "snapshot.json"
	if !l.exists(name) {
		l.problem(name, "the file is missing: files that are there are taken to be whole; collect again to know")
		return nil
	}
	d := l.openFile(name)
	defer func() { l.problems = append(l.problems, d.problems...) }()
	if d.broken == "" && d.root.Kind() != jsontree.Object {
		d.fail(d.root.Offset(), "expected an object, found %s", d.root.Kind())
	}
	d.finish()
	if d.broken != "" {
		l.untold = name + " can't be used, and so nobody knows whether this part is whole"
		return nil
	}
	switch v := d.root.Get("formatVersion"); {
	case !v.Exists():
		d.note(d.root, "formatVersion is missing: taken to be %s", formatVersion)
	case string(v.Text()) != formatVersion:
		return fmt.Errorf("%s: format version %.40s of the snapshot isn't known: this iamwhy reads version %s; use the iamwhy that collected it, or collect again", d.file.Pos(v.Offset()), v.Text(), formatVersion)
	}
	l.collectedBy = d.str(d.root, "collectedBy")
	l.collectedAt = d.collectedAt(d.root)
	l.loadParts(d)
	return nil
}

// collectedAt reads when a snapshot or a part of it was taken; zero if it doesn't say.
func (d *decoder) collectedAt(n jsontree.Node) time.Time {
	at := d.str(n, "collectedAt")
	if at == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		d.note(n.Get("collectedAt"), "expected a time such as 2025-06-01T10:00:00Z, found %q", at)
	}
	return t
}

// loadParts reads how each part was collected.
func (l *loader) loadParts(d *decoder) {
	parts := d.root.Get("parts")
	if parts.Exists() && parts.Kind() != jsontree.Object {
		d.note(parts, "expected an object as parts, found %s", parts.Kind())
		l.untold = "parts of snapshot.json can't be read, and so nobody knows whether this part is whole"
	}
	for m := range parts.Members() {
		p := &part{status: d.str(m.Value, "status"), reason: d.str(m.Value, "reason"), listed: true, collectedAt: d.collectedAt(m.Value)}
		p.regions, _ = d.strings(m.Value, "regions")
		p.only, _ = d.strings(m.Value, "only")
		p.gaps = d.gaps(m.Value)
		switch p.status {
		case statusOK, statusDenied, statusError, statusSkipped:
		default:
			d.note(m.Value, "part %s has status %q: expected ok, denied, error or skipped", m.Name, p.status)
			p.status, p.reason = statusError, cmp.Or(p.reason, fmt.Sprintf("its status is %q", p.status))
		}
		l.parts[m.Name] = p
	}
}

// gaps reads the calls that failed of a part. One that can't be read stays, without a
// region: it may be of any.
func (d *decoder) gaps(n jsontree.Node) []Gap {
	items, ok := d.list(n, "gaps")
	var gaps []Gap
	for item := range items {
		if item.Kind() != jsontree.Object {
			d.note(item, "expected an object in gaps, found %s", item.Kind())
			ok = false
			continue
		}
		gaps = append(gaps, Gap{
			Action: d.str(item, "action"), Resource: d.str(item, "resource"), Region: d.str(item, "region"),
			Status: d.str(item, "status"), Reason: d.str(item, "reason"),
		})
	}
	if !ok {
		gaps = append(gaps, Gap{Status: statusError, Reason: "it can't be read in snapshot.json"})
	}
	return gaps
}

// accountIDs returns the accounts that there is a folder or a part of.
func (l *loader) accountIDs() []string {
	ids := map[string]bool{}
	for _, entry := range l.readDir("accounts") {
		switch {
		case !isAccountID(entry.Name()):
			l.problem("accounts/"+entry.Name(), "not an account: expected a folder named by twelve digits")
		case entry.IsDir():
			ids[entry.Name()] = true
		}
	}
	for name := range l.parts {
		if rest, ok := strings.CutPrefix(name, "accounts/"); ok {
			id, _, _ := strings.Cut(rest, "/")
			if isAccountID(id) {
				ids[id] = true
			} else {
				l.problem("snapshot.json", fmt.Sprintf("part %s isn't of an account: expected twelve digits", name))
			}
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// loadAccount reads the files of one account.
func (l *loader) loadAccount(id string) {
	a := &account{id: id, resources: map[string][]*resource{}}
	l.accounts[id] = a
	folder := "accounts/" + id
	if d := l.open(folder+"/iam.json", iamPart(id)); d != nil {
		a.iam = decodeIAM(d, id)[id]
		l.done(d, iamPart(id))
	}
	for _, entry := range l.readDir(folder + "/resources") {
		service, isJSON := strings.CutSuffix(entry.Name(), ".json")
		if !isJSON || entry.IsDir() {
			continue
		}
		if d := l.open(path.Join(folder, "resources", entry.Name()), resourcesPart(id, service)); d != nil {
			a.resources[service] = l.decodeResources(d, id)
			l.done(d, resourcesPart(id, service))
		}
	}
	if d := l.open(folder+"/endpoints.json", endpointsPart(id)); d != nil {
		l.decodeEndpoints(d)
		l.done(d, endpointsPart(id))
	}
}

// findUnloaded looks for parts that were collected, they say, and whose file isn't there.
func (l *loader) findUnloaded() {
	for name, p := range l.parts {
		if p.status != statusOK || l.loaded[name] || !hasFile(name) {
			continue
		}
		p.status = statusMissing
		l.problem(name+".json", "recorded as collected in snapshot.json, and missing; collect again")
	}
}

// hasFile reports whether a part is one file, rather than a folder.
func hasFile(partName string) bool {
	return partName == organizationPart || partName == identityCenterPart || strings.HasPrefix(partName, "accounts/")
}

func (l *loader) problem(file, msg string) {
	l.problems = append(l.problems, Problem{File: file, Msg: msg})
}

// sortProblems puts the problems in the order of the files; those of one file
// are in the order of its text already.
func (l *loader) sortProblems() {
	file := func(p Problem) string { name, _, _ := strings.Cut(p.File, ".json"); return name }
	slices.SortStableFunc(l.problems, func(a, b Problem) int { return cmp.Compare(file(a), file(b)) })
}

func (l *loader) exists(name string) bool {
	_, err := fs.Stat(l.fsys, name)
	return !errors.Is(err, fs.ErrNotExist)
}

// readDir lists a folder; one that isn't there is empty.
func (l *loader) readDir(name string) []fs.DirEntry {
	entries, err := fs.ReadDir(l.fsys, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.problem(name, fmt.Sprintf("reading the folder: %s", err))
	}
	return entries
}

// open returns the decoder of a part's file; nil if it isn't there.
func (l *loader) open(name, partName string) *decoder {
	if !l.exists(name) {
		return nil
	}
	l.loaded[partName] = true
	return l.openFile(name)
}

// done notes how the decoding of a part went.
func (l *loader) done(d *decoder, partName string) {
	l.problems = append(l.problems, d.problems...)
	p := l.parts[partName]
	switch {
	case d.broken != "":
		l.parts[partName] = &part{status: statusBroken, reason: d.broken, listed: p != nil && p.listed}
	case p == nil && l.untold != "":
		l.parts[partName] = &part{status: statusError, reason: l.untold}
	case p == nil:
		l.parts[partName] = &part{status: statusOK}
	}
}

// openFile reads a file of at most maxFile bytes.
func (l *loader) openFile(name string) *decoder {
	data, err := l.readFile(name)
	if err != nil {
		d := newDecoder(name, []byte("null"))
		d.problems = append(d.problems, Problem{File: name, Msg: err.Error()})
		d.broken = err.Error()
		return d
	}
	return newDecoder(name, data)
}

func (l *loader) readFile(name string) ([]byte, error) {
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening it: %w", err)
	}
	defer f.Close()
	tooLarge := fmt.Errorf("larger than %d MB, which no part of a snapshot is", maxFile>>20)
	if info, err := f.Stat(); err == nil && info.Size() > maxFile {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if len(data) > maxFile {
		return nil, tooLarge
	}
	return data, nil
}

// LoadAuthorizationDetails reads the output of `aws iam
// get-account-authorization-details` as a snapshot of one account, or of several if
// their pages stand in one array, whose other parts were skipped. name is the file's, for positions.
func LoadAuthorizationDetails(name string, data []byte) (*Snapshot, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d MB, which no such output is", name, maxFile>>20)
	}
	d := newDecoder(name, data)
	all := decodeIAM(d, "")
	if all == nil {
		return nil, errors.New(d.broken)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no user, group or role in it, and so no account; expected the output of `aws iam get-account-authorization-details`", name)
	}
	l := newLoader(nil)
	for _, part := range []string{organizationPart, "organization/scp", "organization/rcp"} {
		l.skip(part)
	}
	for id, details := range all {
		l.accounts[id] = &account{id: id, iam: details}
		l.parts[iamPart(id)] = &part{status: statusOK}
		l.skip(endpointsPart(id))
		for _, k := range resourceKinds {
			l.skip(resourcesPart(id, k.service))
		}
	}
	l.problems = d.problems
	return l.Snapshot, nil
}

// skip notes that a part isn't in the output of get-account-authorization-details.
func (l *loader) skip(partName string) {
	l.parts[partName] = &part{status: statusSkipped, reason: "only the output of get-account-authorization-details was given"}
}
