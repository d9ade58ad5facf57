package snapshot_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

func TestLoad(t *testing.T) {
	s := load(t, nil)
	if got, want := s.CollectedAt(), time.Date(2025, 6, 1, 10, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("CollectedAt: %v, want %v", got, want)
	}
	if diff := cmp.Diff([]string{mgmt, prod}, s.Accounts()); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	want := []snapshot.Problem{{"accounts/222222222222/iam.json:22:48", ""}}
	if diff := cmp.Diff(places(want), places(s.Problems())); diff != "" {
		t.Errorf("problems (-want +got):\n%s\n%v", diff, s.Problems())
	}
}

// places leaves of problems where they are.
func places(problems []snapshot.Problem) []string {
	var places []string
	for _, p := range problems {
		places = append(places, p.File)
	}
	return places
}

func TestLoadBroken(t *testing.T) {
	tests := []struct {
		name    string
		changes map[string]string
		file    string // of the problem
		msg     string // in the problem
		part    string // whose status is then status
		status  string
	}{
		{"not JSON", map[string]string{"organization.json": "{\n  \"id\": }"}, "organization.json:2:9", "", "organization", "broken"},
		{"not an object", map[string]string{"organization.json": "[]"}, "organization.json:1:1", "expected an object", "organization", "broken"},
		{"no id", map[string]string{"organization.json": `{"roots": []}`}, "organization.json:1:1", "id", "organization", "broken"},
		{"no tree", map[string]string{"organization.json": `{"id": "o-1"}`}, "organization.json:1:1", "roots", "organization", "broken"},
		{"a name twice", map[string]string{"organization.json": `{"id": "o-1", "id": "o-2", "roots": [{"id": "r-1", "policies": {"scp": [], "rcp": []}}]}`}, "organization.json:1:15", "", "organization", "broken"},
		{"recorded and missing", map[string]string{"accounts/222222222222/endpoints.json": ""}, "accounts/222222222222/endpoints.json", "recorded as collected", "accounts/222222222222/endpoints", "missing"},
		{"not a list of resources", map[string]string{"accounts/222222222222/resources/s3.json": "{}"}, "accounts/222222222222/resources/s3.json:1:1", "list of resources", "accounts/222222222222/resources/s3", "broken"},
		{"a resource without ARN", map[string]string{"accounts/222222222222/resources/s3.json": `[{"arn": "b"}]`}, "accounts/222222222222/resources/s3.json:1:2", "ARN", "accounts/222222222222/resources/s3", "ok"},
		{"not authorization details", map[string]string{"accounts/222222222222/iam.json": `{"Users": []}`}, "accounts/222222222222/iam.json:1:1", "get-account-authorization-details", "accounts/222222222222/iam", "broken"},
		{"pages cut off", map[string]string{"accounts/222222222222/iam.json": `{"UserDetailList": [], "IsTruncated": true}`}, "accounts/222222222222/iam.json:1:39", "more pages", "accounts/222222222222/iam", "ok"},
		{"a user of another account", map[string]string{"accounts/222222222222/iam.json": `{"UserDetailList": [{"Arn": "arn:aws:iam::333333333333:user/u"}]}`}, "accounts/222222222222/iam.json:1:21", "isn't of account 222222222222", "accounts/222222222222/iam", "ok"},
		{"an SCP in the wrong file", map[string]string{"organization/scp/p-region.json": `{"id": "p-other", "document": {"Statement": []}}`}, "organization/scp/p-region.json:1:1", "p-other", "organization/scp", "ok"},
		{"unknown status", map[string]string{"snapshot.json": `{"formatVersion": 1, "parts": {"organization": {"status": "fine"}}}`}, "snapshot.json:1:48", "expected ok, denied, error or skipped", "organization", "error"},
		{"no metadata", map[string]string{"snapshot.json": ""}, "snapshot.json", "missing", "organization", "ok"},
		{"broken metadata: nobody knows what is whole", map[string]string{"snapshot.json": "{"}, "snapshot.json:1:2", "", "organization", "error"},
		{"not an account", map[string]string{"accounts/prod/iam.json": "{}"}, "accounts/prod", "twelve digits", "accounts/222222222222/iam", "ok"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := load(t, test.changes)
			found := false
			for _, p := range s.Problems() {
				found = found || p.File == test.file && strings.Contains(p.Msg, test.msg)
			}
			if !found {
				t.Errorf("no problem %s: …%s…; have %v", test.file, test.msg, s.Problems())
			}
			for _, p := range s.Parts() {
				if p.Name == test.part && p.Status != test.status {
					t.Errorf("part %s is %s (%s), want %s", p.Name, p.Status, p.Reason, test.status)
				}
			}
		})
	}
}

func TestLoadNotASnapshot(t *testing.T) {
	tests := []struct {
		name string
		fsys fstest.MapFS
		want string
	}{
		{"empty", fstest.MapFS{}, "expected snapshot.json, organization.json or accounts/"},
		{"something else", fstest.MapFS{"main.tf": {}}, "expected snapshot.json"},
		{"a later format", fstest.MapFS{"snapshot.json": {Data: []byte(`{"formatVersion": 2}`)}}, "snapshot.json:1:19: format version 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := snapshot.Load(test.fsys); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want …%s…", err, test.want)
			}
		})
	}
	if _, err := snapshot.Load(fstest.MapFS{"accounts/222222222222/iam.json": {Data: []byte(`{"UserDetailList": []}`)}}); err != nil {
		t.Errorf("accounts alone: %v", err)
	}
}

// A file that is too large isn't read, and is a problem like any other.
func TestLoadTooLarge(t *testing.T) {
	s, err := snapshot.Load(hugeFS{files(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Problems()[0]; got.File != "accounts/222222222222/iam.json" || !strings.Contains(got.Msg, "larger than 256 MB") {
		t.Errorf("problem %v", got)
	}
	l := policies(t, s, evaluator.Request{Principal: ann}).Identity
	if l.State != evaluator.NotCollected || !strings.Contains(l.Missing, "larger than 256 MB") {
		t.Errorf("identity %v, missing %q", l.State, l.Missing)
	}
}

// hugeFS says that iam.json is huge.
type hugeFS struct{ fs.FS }

func (h hugeFS) Open(name string) (fs.File, error) {
	f, err := h.FS.Open(name)
	if err == nil && strings.HasSuffix(name, "/iam.json") {
		return hugeFile{f}, nil
	}
	return f, err
}

type hugeFile struct{ fs.File }

func (f hugeFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return hugeInfo{info}, err
}

type hugeInfo struct{ fs.FileInfo }

func (hugeInfo) Size() int64 { return 1 << 40 }

// Positions are those in the file that holds the document.
func TestPositions(t *testing.T) {
	s := load(t, nil)
	p := policies(t, s, evaluator.Request{Principal: ann, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/x"}})
	tests := []struct {
		policy evaluator.Policy
		want   string
	}{
		{p.SCP.Levels[2].Policies[1], "organization/scp/p-region.json:9:7"},
		{p.Identity.Policies[0], "accounts/222222222222/iam.json:4:105"},
		{p.Resource.Policies[0], "accounts/222222222222/resources/s3.json:2:105"},
	}
	for _, test := range tests {
		if got := test.policy.Body.Document().Statements[0].Pos.String(); got != test.want {
			t.Errorf("%s: statement at %s, want %s", test.policy.Name, got, test.want)
		}
	}
}

func TestLoadAuthorizationDetails(t *testing.T) {
	const name = "details.json"
	s, err := snapshot.LoadAuthorizationDetails(name, []byte("["+fixture["accounts/222222222222/iam.json"]+"]"))
	if err != nil {
		t.Fatal(err)
	}
	p := policies(t, s, evaluator.Request{Principal: ann, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::b/x", Account: prod}})
	got := map[string]evaluator.LayerState{"identity": p.Identity.State, "boundary": p.Boundary.State, "scp": p.SCP.State, "rcp": p.RCP.State, "resource": p.Resource.State}
	want := map[string]evaluator.LayerState{"identity": evaluator.Applies, "boundary": evaluator.Applies, "scp": evaluator.NotCollected, "rcp": evaluator.NotCollected, "resource": evaluator.NotCollected}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	for missing, permission := range map[string]string{p.SCP.Missing: "organizations:DescribeOrganization", p.Resource.Missing: "s3:GetBucketPolicy"} {
		if !strings.Contains(missing, permission) || !strings.Contains(missing, "get-account-authorization-details") {
			t.Errorf("missing %q doesn't say how to get it", missing)
		}
	}
	if pos := p.Identity.Policies[0].Body.Document().Pos.File; pos != name {
		t.Errorf("position in %s", pos)
	}
	for _, bad := range []string{"", "[]", "{}", "x", `{"UserDetailList": []}`, `[5]`} {
		if _, err := snapshot.LoadAuthorizationDetails(name, []byte(bad)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: error %v, want one that names the file", bad, err)
		}
	}
}

// Of two things with one name nobody knows which is right, so neither counts.
func TestTwice(t *testing.T) {
	const user = `{"UserName": "u", "UserId": "AIDA1", "Arn": "arn:aws:iam::222222222222:user/u", "AttachedManagedPolicies": []}`
	const bucket = `{"arn": "arn:aws:s3:::b", "type": "bucket", "policy": null, "extra": {"objectOwnership": "BucketOwnerEnforced"}}`
	const endpoint = `{"id": "vpce-1", "type": "Gateway", "policy": null}`
	s := load(t, map[string]string{
		"accounts/222222222222/iam.json":          `{"UserDetailList": [` + user + "," + user + `]}`,
		"accounts/222222222222/resources/s3.json": "[" + bucket + "]",
		"accounts/333333333333/resources/s3.json": "[" + bucket + "]",
		"accounts/222222222222/endpoints.json":    "[" + endpoint + "," + endpoint + "]",
	})
	req := evaluator.Request{Principal: evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/u"}, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::b/k"}}
	req.Context.Set("aws:SourceVpce", "vpce-1")
	p := policies(t, s, req)
	for what, l := range map[string]evaluator.Layer{"identity": p.Identity, "bucket": p.Resource.Layer, "endpoint": p.Endpoint.Layer} {
		if l.State != evaluator.NotCollected || !strings.Contains(l.Missing, "twice") {
			t.Errorf("%s: %v, missing %q", what, l.State, l.Missing)
		}
	}
	if p.RCP.State != evaluator.NotCollected {
		t.Errorf("rcp: %v, though the bucket has two owners", p.RCP.State)
	}
	if len(s.Problems()) != 3 {
		t.Errorf("problems: %v", s.Problems())
	}
}

// What doctor and diff ask.
func TestQueries(t *testing.T) {
	s := load(t, map[string]string{"accounts/222222222222/resources/s3.json": fixture["accounts/222222222222/resources/s3.json"]})
	var arns []string
	for _, r := range s.Resources() {
		if strings.HasPrefix(r.ARN, "arn:aws:s3:::") {
			arns = append(arns, r.ARN+" "+r.Account)
		}
	}
	want := []string{
		"arn:aws:s3:::acme-acl " + prod, "arn:aws:s3:::acme-bare " + prod, "arn:aws:s3:::acme-logs " + prod,
		"arn:aws:s3:::acme-public " + prod, "arn:aws:s3:::acme-secret " + prod, "arn:aws:s3:::partner " + foreign,
	}
	if diff := cmp.Diff(want, arns); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	for account, want := range map[string]evaluator.Match{mgmt: evaluator.Matched, prod: evaluator.Matched, foreign: evaluator.NoMatch, "": evaluator.Unknown} {
		if got := s.InOrganization(account); got != want {
			t.Errorf("InOrganization(%q) = %v, want %v", account, got, want)
		}
	}
	if got := load(t, map[string]string{"organization.json": "[]"}).InOrganization(prod); got != evaluator.Unknown {
		t.Errorf("InOrganization without an organisation: %v", got)
	}
}

// A policy of many principals is compiled once.
func TestSharedDocument(t *testing.T) {
	p := policies(t, load(t, nil), evaluator.Request{Principal: ann})
	if p.Identity.Policies[1].Body != p.Identity.Policies[3].Body || p.Identity.Policies[1].Body != p.Boundary.Policies[0].Body {
		t.Error("the managed policy has several bodies")
	}
	if got := p.Boundary.Policies[0].Body.Document().Statements[0].Sid.Value; got != "New" {
		t.Errorf("the version in force is %s, want New", got)
	}
}

// Real output: 44 users, 5 groups, 78 roles and 84 policies.
func TestRealDetails(t *testing.T) {
	shared := os.Getenv("IAMWHY_SHARED")
	if shared == "" {
		t.Skip("IAMWHY_SHARED isn't set: no recorded account to read")
	}
	data, err := os.ReadFile(filepath.Join(shared, "data/policies/cloudsplaining/account-authorization-details.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.LoadAuthorizationDetails("details.json", data)
	if err != nil {
		t.Fatal(err)
	}
	count := map[evaluator.PrincipalType]int{}
	for _, p := range s.Principals() {
		count[p.Type]++
		got, err := s.ResolvePrincipal(p.ARN)
		if diff := cmp.Diff(p, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", p.ARN, err, diff)
		}
		layers := policies(t, s, evaluator.Request{Principal: p})
		if layers.Identity.State != evaluator.Applies {
			t.Errorf("%s: identity policies: %s", p.ARN, layers.Identity.Missing)
		}
	}
	want := map[evaluator.PrincipalType]int{evaluator.User: 44, evaluator.AssumedRole: 78}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("principals (-want +got):\n%s", diff)
	}
	for _, p := range s.Problems() {
		t.Errorf("problem: %v", p)
	}
}

// Whatever the bytes, nothing panics; what is found resolves to itself, and a
// role or user that isn't found is never said to have no policies.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(fixture["accounts/222222222222/iam.json"]))
	f.Add([]byte(`[{"RoleDetailList":[{"Arn":"arn:aws:iam::222222222222:role/r","RoleName":"r"}]},{"Policies":[{"Arn":"a"}]}]`))
	f.Add([]byte(`{"UserDetailList":[{"Arn":"arn:aws:iam::222222222222:user/u","GroupList":[1],"AttachedManagedPolicies":{}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := snapshot.Load(fstest.MapFS{"accounts/222222222222/iam.json": {Data: data}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.Principals() {
			layers := policies(t, s, evaluator.Request{Principal: p, Action: "sts:AssumeRole", Resource: evaluator.Resource{ARN: p.ARN}})
			for _, l := range []evaluator.Layer{layers.Identity, layers.Boundary, layers.Resource.Layer} {
				checkLayer(t, p.ARN, l)
			}
			if layers.Identity.State == evaluator.DoesNotApply {
				t.Errorf("%s has no identity layer", p.ARN)
			}
		}
		stranger := evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/no/such/user", Account: prod}
		if l := policies(t, s, evaluator.Request{Principal: stranger}).Identity; l.State != evaluator.NotCollected {
			for _, p := range s.Principals() {
				if p.ARN == stranger.ARN {
					return
				}
			}
			t.Errorf("a stranger's identity layer is %v", l)
		}
	})
}

// Whatever any other file holds, nothing panics, no layer contradicts itself, and what
// the file makes unknown is a problem that somebody can read.
func FuzzFiles(f *testing.F) {
	names := []string{
		"snapshot.json", "organization.json", "organization/scp/p-region.json", "organization/rcp/p-perimeter.json",
		"accounts/222222222222/resources/s3.json", "accounts/222222222222/resources/kms.json", "accounts/222222222222/endpoints.json",
	}
	for i, name := range names {
		f.Add(uint8(i), []byte(fixture[name]))
		f.Add(uint8(i), []byte("{}"))
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		if len(data) == 0 {
			return // load takes it for no file
		}
		name := names[int(which)%len(names)]
		s, err := snapshot.Load(files(map[string]string{name: string(data)}))
		if err != nil {
			return // a later format
		}
		for _, principal := range []evaluator.Principal{ann, deploy, payer, nobody} {
			req := evaluator.Request{Principal: principal, Action: "kms:Decrypt", Resource: evaluator.Resource{ARN: "arn:aws:kms:eu-west-1:222222222222:key/k1"}}
			s.Complete(&req)
			req.Context.Set("aws:SourceVpce", "vpce-gate")
			object := req
			object.Resource.ARN = "arn:aws:s3:::acme-public/x"
			for _, req := range []evaluator.Request{req, object} {
				p := policies(t, s, req)
				checkLayer(t, "resource", p.Resource.Layer)
				checkLayer(t, "endpoint", p.Endpoint.Layer)
				for _, h := range []evaluator.Hierarchy{p.SCP, p.RCP} {
					checkLayer(t, "hierarchy", evaluator.Layer{State: h.State, Missing: h.Missing})
					for _, l := range h.Levels {
						checkLayer(t, l.Target, l.Layer)
					}
				}
			}
		}
		for _, part := range s.Parts() {
			if (part.Status == "broken" || part.Status == "missing") && len(s.Problems()) == 0 {
				t.Errorf("part %s is %s without a problem", part.Name, part.Status)
			}
		}
	})
}

// checkLayer checks what holds of every layer.
func checkLayer(t *testing.T, what string, l evaluator.Layer) {
	t.Helper()
	if (l.State == evaluator.NotCollected || l.State == evaluator.MayApply) != (l.Missing != "") {
		t.Errorf("%s: state %v with missing %q", what, l.State, l.Missing)
	}
	for _, p := range l.Policies {
		if p.Body == nil || p.Body.Document() == nil {
			t.Errorf("%s: policy %s without a document", what, p.Name)
		}
	}
}
