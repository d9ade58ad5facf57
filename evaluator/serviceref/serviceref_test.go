package serviceref

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustLookup(t testing.TB, prefix string) *Service {
	t.Helper()
	s, ok := Lookup(prefix)
	if !ok {
		t.Fatalf("Lookup(%q): not found", prefix)
	}
	return s
}

func mustAction(t testing.TB, name string) (*Service, *Action) {
	t.Helper()
	prefix, name, _ := strings.Cut(name, ":")
	s := mustLookup(t, prefix)
	a, ok := s.Action(name)
	if !ok {
		t.Fatalf("no action %s:%s", prefix, name)
	}
	return s, a
}

// TestKnownActions checks what AWS's pages say of well-known actions.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func TestKnownActions(t *testing.T) {
	tests := []struct {
		name         string
		action       string
		level        string
		resources    []string // the types; * behind a required one
		resourceLess bool     // R10
		keys         []string // some of its keys
	}{
		{"an object", "s3:GetObject", Read, []string{"accesspointobject", "object"}, false, []string{"s3:ExistingObjectTag/<key>", "s3:authType"}},
		{"a bucket", "s3:ListBucket", List, []string{"accesspoint", "bucket"}, false, []string{"s3:prefix", "s3:max-keys"}},
		{"a bucket policy", "s3:PutBucketPolicy", PermissionsManagement, []string{"bucket*"}, false, nil},
		{"no resource: all buckets", "s3:ListAllMyBuckets", List, nil, true, []string{"s3:TlsVersion"}},
		{"no resource: describe", "ec2:DescribeInstances", List, nil, true, []string{"ec2:Region"}},
		{"no resource: registry login", "ecr:GetAuthorizationToken", Read, nil, true, nil},
		{"a role", "iam:PassRole", Write, []string{"role*"}, false, []string{"iam:PassedToService", "iam:AssociatedResourceArn"}},
		{"a new role", "iam:CreateRole", Write, []string{"role*"}, false, []string{"iam:PermissionsBoundary", "aws:RequestTag/${TagKey}"}},
		{"a key", "kms:Decrypt", Write, []string{"key*"}, false, []string{"kms:EncryptionContext:${EncryptionContextKey}", "kms:ViaService"}},
		{"a table and its indexes", "dynamodb:Query", Read, []string{"index", "table*"}, false, []string{"dynamodb:LeadingKeys"}},
		{"a secret", "secretsmanager:GetSecretValue", Read, []string{"Secret*"}, false, []string{"secretsmanager:VersionStage"}},
		{"a queue", "sqs:SendMessage", Write, []string{"queue*"}, false, nil},
		{"tags", "sqs:TagQueue", Tagging, []string{"queue*"}, false, nil},
		{"keys of the type only", "sqs:SendMessage", Write, []string{"queue*"}, false, []string{"aws:ResourceTag/${TagKey}"}},
		{"a role, through federation", "sts:AssumeRoleWithSAML", Write, []string{"role*"}, false, []string{"saml:aud"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, a := mustAction(t, tt.action)
			var types []string
			for _, r := range a.Resources {
				if r.Required {
					r.Type += "*"
				}
				types = append(types, r.Type)
			}
			if diff := cmp.Diff(tt.resources, types); diff != "" {
				t.Errorf("resources (-want +got)\n%s", diff)
			}
			if a.AccessLevel != tt.level {
				t.Errorf("access level %q, want %q", a.AccessLevel, tt.level)
			}
			if a.ResourceLess() != tt.resourceLess {
				t.Errorf("ResourceLess() = %v, want %v", a.ResourceLess(), tt.resourceLess)
			}
			keys := s.ActionKeys(a)
			if !slices.IsSortedFunc(keys, compareFold) {
				t.Errorf("keys are not sorted: %v", keys)
			}
			for _, k := range tt.keys {
				if !slices.Contains(keys, k) {
					t.Errorf("key %s is missing in %v", k, keys)
				}
			}
		})
	}
}

func TestKnownResourceTypes(t *testing.T) {
	tests := []struct {
		prefix, name string
		arns         []string
	}{
		{"s3", "bucket", []string{"arn:${Partition}:s3:::${BucketName}"}},
		{"s3", "object", []string{"arn:${Partition}:s3:::${BucketName}/${ObjectName}"}},
		{"iam", "role", []string{"arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"}},
		{"kms", "KEY", []string{"arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}"}},
		{"lex", "bot", []string{ // several patterns
			"arn:${Partition}:lex:${Region}:${Account}:bot/${BotId}",
			"arn:${Partition}:lex:${Region}:${Account}:bot:${BotName}",
		}},
	}
	for _, tt := range tests {
		r, ok := mustLookup(t, tt.prefix).ResourceType(tt.name)
		if !ok {
			t.Errorf("%s has no resource type %s", tt.prefix, tt.name)
			continue
		}
		if diff := cmp.Diff(tt.arns, r.ARNs); diff != "" {
			t.Errorf("%s %s (-want +got)\n%s", tt.prefix, tt.name, diff)
		}
		if r.ARN != tt.arns[0] {
			t.Errorf("%s %s: ARN = %q, want the first of %q", tt.prefix, tt.name, r.ARN, tt.arns)
		}
	}
	if _, ok := mustLookup(t, "s3").ResourceType("buckets"); ok {
		t.Error("s3 has a resource type buckets")
	}
}

func TestKnownKeys(t *testing.T) {
	tests := []struct {
		prefix, name string
		want, typ    string // want "" for none
	}{
		{"s3", "s3:prefix", "s3:prefix", "String"},
		{"s3", "S3:Prefix", "s3:prefix", "String"},
		{"s3", "s3:max-keys", "s3:max-keys", "Numeric"},
		{"s3", "aws:TagKeys", "aws:TagKeys", "ArrayOfString"},
		{"s3", "s3:object-lock-retain-until-date", "s3:object-lock-retain-until-date", "Date"},
		{"s3", "s3:ExistingObjectTag/team", "s3:ExistingObjectTag/<key>", "String"},
		{"s3", "s3:ExistingObjectTag/", "", ""},
		{"s3", "s3:ExistingObjectTag", "", ""},
		{"s3", "s3:nothing", "", ""},
		{"s3", "prefix", "", ""},
		{"s3", "kms:ViaService", "", ""},
		{"ec2", "aws:requesttag/Cost Center:1/x", "aws:RequestTag/${TagKey}", "String"},
		{"ec2", "ec2:ResourceTag/${TagKey}", "ec2:ResourceTag/${TagKey}", "String"},
		{"ec2", "ec2:Encrypted", "ec2:Encrypted", "Bool"},
		{"ec2", "ec2:Vpc", "ec2:Vpc", "ARN"},
		{"kms", "kms:EncryptionContext:app", "kms:EncryptionContext:${EncryptionContextKey}", "String"},
		{"kms", "kms:EncryptionContextKeys", "kms:EncryptionContextKeys", "ArrayOfString"},
		{"events", "events:Metadata/a", "events:Metadata/${MetadataKey}", "ArrayOfString"},
		{"events", "events:Metadata/a/Matcher", "events:Metadata/${MetadataKey}/Matcher", "String"},
		{"codebuild", "codebuild:environment.environmentVariables/A.value", "codebuild:environment.environmentVariables/${name}.value", "String"},
		{"codebuild", "codebuild:environment.environmentVariables/A", "", ""},
		{"dynamodb", "dynamodb:LeadingKeys", "dynamodb:LeadingKeys", "ArrayOfString"},
		{"iam", "iam:PolicyARN", "iam:PolicyARN", "ARN"},
		// Corrected: the data has an example, or nothing, for the placeholder.
		{"secretsmanager", "secretsmanager:ResourceTag/team", "secretsmanager:ResourceTag/${TagKey}", "String"},
		{"ssm", "ssm:resourceTag/team", "ssm:resourceTag/${TagKey}", "String"},
		{"elasticloadbalancing", "elasticloadbalancing:ResourceTag/team", "elasticloadbalancing:ResourceTag/${TagKey}", "String"},
		{"glacier", "glacier:ResourceTag/team", "glacier:ResourceTag/${TagKey}", "String"},
		{"sagemaker", "sagemaker:ResourceTag/team", "sagemaker:ResourceTag/${TagKey}", "String"},
	}
	for _, tt := range tests {
		check(t, tt.prefix+" "+tt.name, tt.want, tt.typ, func() (*Key, bool) { return mustLookup(t, tt.prefix).Key(tt.name) })
	}
}

func check(t *testing.T, call, want, typ string, find func() (*Key, bool)) {
	t.Helper()
	var name, got string
	k, ok := find()
	if ok != (k != nil) {
		t.Errorf("%s: %v, %v", call, k, ok)
	}
	if ok {
		name, got = k.Name, k.Type
	}
	if name != want || got != typ {
		t.Errorf("%s: %q of type %q, want %q of type %q", call, name, got, want, typ)
	}
}

// TestGlobalKeys holds the table to AWS's page.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func TestGlobalKeys(t *testing.T) {
	tests := []struct{ name, want, typ string }{
		{"aws:PrincipalArn", "aws:PrincipalArn", "ARN"},
		{"AWS:principalarn", "aws:PrincipalArn", "ARN"},
		{"aws:Referer", "aws:referer", "String"},
		{"aws:PrincipalTag/team", "aws:PrincipalTag/${TagKey}", "String"},
		{"aws:PrincipalTag", "", ""},
		{"aws:SourceIp", "aws:SourceIp", "IPAddress"},
		{"aws:EpochTime", "aws:EpochTime", "Date"},
		{"aws:MultiFactorAuthAge", "aws:MultiFactorAuthAge", "Numeric"},
		{"aws:SourceOwner", "aws:SourceOwner", "String"},
		{"aws:Nothing", "", ""},
		{"aws:", "", ""},
		{"", "", ""},
		{"ec2:SourceInstanceARN", "ec2:SourceInstanceArn", "ARN"},
		{"ec2:Vpc", "", ""}, // EC2's own
		{"sts:ExternalId", "", ""},
		{"saml:aud", "saml:aud", "String"},
		{"SAML:aud", "saml:aud", "String"},
		{"saml:nothing", "", ""},
		{"token.actions.githubusercontent.com:repository", "token.actions.githubusercontent.com:repository", "String"},
		{"token.actions.githubusercontent.com:sub", "${Provider}:sub", "String"},
		{"oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE:aud", "${Provider}:aud", "String"},
		{"login.example.com:amr", "${Provider}:amr", "ArrayOfString"},
		{"login.example.com:groups", "", ""},
		{"s3:sub", "", ""},
	}
	for _, tt := range tests {
		check(t, tt.name, tt.want, tt.typ, func() (*Key, bool) { return GlobalKey(tt.name) })
	}
	for _, table := range [][]Key{globalKeys, claims} {
		if !slices.IsSortedFunc(table, func(a, b Key) int { return compareFold(a.Name, b.Name) }) {
			t.Error("a table of keys is not sorted: names in it won't be found")
		}
		for _, k := range table {
			if !slices.Contains(keyTypes, k.Type) || k.Types[0] != k.Type {
				t.Errorf("%s: unknown type %q of %v", k.Name, k.Type, k.Types)
			}
		}
	}

	var multivalued []string
	for _, k := range globalKeys {
		if k.Multivalued() {
			multivalued = append(multivalued, k.Name)
		}
	}
	want := []string{
		"aws:CalledVia", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList", "aws:ResourceOrgPaths",
		"aws:SourceOrgPaths", "aws:TagKeys", "aws:VpceOrgPaths",
	}
	if diff := cmp.Diff(want, multivalued); diff != "" {
		t.Errorf("multivalued keys (-want +got)\n%s", diff)
	}
	if k, _ := GlobalKey("aws:EpochTime"); !slices.Equal(k.Types, []string{"Date", "Numeric"}) {
		t.Errorf("aws:EpochTime is %v, want Date and Numeric", k.Types)
	}
}

// keyTypes are all types of condition keys.
var keyTypes = []string{
	"ARN", "ArrayOfARN", "ArrayOfBool", "ArrayOfString", "Bool", "Date", "IPAddress", "Numeric", "String",
}

func TestLookup(t *testing.T) {
	upper, lower := mustLookup(t, "S3"), mustLookup(t, "s3")
	if upper != lower {
		t.Error("S3 and s3 are different services")
	}
	if lower.Prefix != "s3" || lower.Name != "Amazon S3" {
		t.Errorf("prefix %q, name %q", lower.Prefix, lower.Name)
	}
	for _, no := range []string{"", "*", "s3:", "nosuch", "s3 "} {
		if s, ok := Lookup(no); ok || s != nil {
			t.Errorf("Lookup(%q) found something", no)
		}
	}
	for _, name := range []string{"GetObject", "getobject", "GETOBJECT"} {
		if a, ok := lower.Action(name); !ok || a.Name != "GetObject" {
			t.Errorf("Action(%q) = %v, %v", name, a, ok)
		}
	}
	for _, no := range []string{"", "s3:GetObject", "Get*", "GetObjec", "GetObjects"} {
		if a, ok := lower.Action(no); ok || a != nil {
			t.Errorf("Action(%q) found something", no)
		}
	}
}

// TestDependent: what the older package says is kept for actions that still exist.
func TestDependent(t *testing.T) {
	_, create := mustAction(t, "lambda:CreateFunction")
	var all []string
	for _, r := range create.Resources {
		all = append(all, r.Dependent...)
	}
	if !slices.Contains(append(all, create.Dependent...), "iam:PassRole") {
		t.Errorf("lambda:CreateFunction depends on %v, want iam:PassRole among them", all)
	}
	if _, pass := mustAction(t, "iam:PassRole"); !pass.PermissionOnly {
		t.Error("iam:PassRole isn't permission only")
	}
	if _, get := mustAction(t, "s3:GetObject"); get.PermissionOnly {
		t.Error("s3:GetObject is permission only")
	}
}

// TestReference walks all of the data: every service decodes, everything is found again by
// its own name, and what actions mention exists.
func TestReference(t *testing.T) {
	var actions, types, keys, permissionOnly, dependent int
	prefixes := Prefixes()
	if !slices.IsSorted(prefixes) {
		t.Error("the prefixes are not sorted")
	}
	for _, prefix := range prefixes {
		s := mustLookup(t, prefix)
		if s.Prefix != prefix || s.Name == "" || len(s.Actions) == 0 {
			t.Errorf("%s: prefix %q, name %q, %d actions", prefix, s.Prefix, s.Name, len(s.Actions))
		}
		actions, types, keys = actions+len(s.Actions), types+len(s.ResourceTypes), keys+len(s.Keys)
		for i := range s.Actions {
			a := &s.Actions[i]
			checkAction(t, s, a)
			if a.PermissionOnly {
				permissionOnly++
			}
			if len(a.Dependent) > 0 || slices.ContainsFunc(a.Resources, func(r ActionResource) bool { return len(r.Dependent) > 0 }) {
				dependent++
			}
		}
		for i := range s.ResourceTypes {
			checkType(t, s, &s.ResourceTypes[i])
		}
		for i := range s.Keys {
			k := &s.Keys[i]
			if got, ok := s.Key(strings.ToUpper(k.Name)); !ok || got != k {
				t.Errorf("%s: key %s isn't found by its name", prefix, k.Name)
			}
			if !slices.Contains(keyTypes, k.Type) {
				t.Errorf("%s: key %s has type %q", prefix, k.Name, k.Type)
			}
		}
	}
	type counts struct{ Services, Actions, Types, Keys, PermissionOnly, Dependent int }
	// Three keys fewer than SOURCES.md says: the data has them in two spellings (see corrections).
	want := counts{456, 22091, 2334, 2575, 1286, 1584}
	if diff := cmp.Diff(want, counts{len(prefixes), actions, types, keys, permissionOnly, dependent}); diff != "" {
		t.Errorf("counts (-want +got); after new data change them here\n%s", diff)
	}
}

// checkAction checks an action. There is no exception: every type and key that an action
// of today's data mentions exists in its service.
func checkAction(t *testing.T, s *Service, a *Action) {
	t.Helper()
	name := s.Prefix + ":" + a.Name
	if got, ok := s.Action(strings.ToUpper(a.Name)); !ok || got != a {
		t.Errorf("%s isn't found by its name", name)
	}
	lists := [][]string{a.Keys}
	dependent := slices.Clone(a.Dependent)
	for _, r := range a.Resources {
		if _, ok := s.ResourceType(r.Type); !ok {
			t.Errorf("%s: resource type %s doesn't exist", name, r.Type)
		}
		lists = append(lists, r.Keys)
		dependent = append(dependent, r.Dependent...)
	}
	for _, l := range lists {
		checkKeys(t, s, name, l)
	}
	for _, d := range dependent {
		prefix, action, _ := strings.Cut(d, ":")
		if other, ok := Lookup(prefix); !ok {
			t.Errorf("%s depends on %s, which doesn't exist", name, d)
		} else if _, ok := other.Action(action); !ok {
			t.Errorf("%s depends on %s, which doesn't exist", name, d)
		}
	}
}

func checkType(t *testing.T, s *Service, r *ResourceType) {
	t.Helper()
	if got, ok := s.ResourceType(strings.ToUpper(r.Name)); !ok || got != r {
		t.Errorf("%s: resource type %s isn't found by its name", s.Prefix, r.Name)
	}
	if r.ARN == "" {
		t.Errorf("%s: resource type %s has no ARN", s.Prefix, r.Name)
	}
	for _, arn := range r.ARNs {
		if !strings.HasPrefix(arn, "arn:${Partition}:") || strings.Count(arn, ":") < 5 || strings.ContainsAny(arn, ", ") {
			t.Errorf("%s: resource type %s: %q isn't an ARN's pattern", s.Prefix, r.Name, arn)
		}
	}
	checkKeys(t, s, s.Prefix+" "+r.Name, r.Keys)
}

func checkKeys(t *testing.T, s *Service, of string, keys []string) {
	t.Helper()
	if !slices.IsSortedFunc(keys, compareFold) {
		t.Errorf("%s: keys are not sorted: %v", of, keys)
	}
	for _, k := range keys {
		if got, ok := s.Key(k); !ok || got.Name != k {
			t.Errorf("%s: key %s isn't among the service's", of, k)
		}
	}
}

// TestCorrections: each row still has something to correct, and does.
func TestCorrections(t *testing.T) {
	raw, err := open(reference)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range corrections {
		s, err := raw.members[c.prefix].decode()
		if err != nil {
			t.Fatal(err)
		}
		has := func(key string) bool { return slices.ContainsFunc(s.Keys, func(k Key) bool { return k.Name == key }) }
		if !has(c.key) {
			t.Errorf("the data doesn't have %s any more: remove its correction", c.key)
		}
		if c.evidence == "" {
			t.Errorf("%s has no evidence", c.key)
		}
		correct(s)
		if has(c.key) || !has(c.template) {
			t.Errorf("%s wasn't corrected to %s", c.key, c.template)
		}
		for i := range s.Actions {
			checkAction(t, s, &s.Actions[i])
		}
		for i := range s.ResourceTypes {
			checkType(t, s, &s.ResourceTypes[i])
		}
	}
}

func TestConcurrentLookup(t *testing.T) {
	st, err := open(reference)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	seen := make([]*Service, 16)
	for i := range seen {
		wg.Go(func() {
			for _, prefix := range []string{"kms", "s3", "sqs", "secretsmanager"} {
				s, err := st.lookup(prefix)
				if err != nil || s == nil {
					t.Errorf("lookup(%q): %v", prefix, err)
					return
				}
				s.Key("aws:ResourceTag/a")
				seen[i] = s
			}
		})
	}
	wg.Wait()
	for _, s := range seen {
		if s != seen[0] {
			t.Error("a service was decoded twice")
		}
	}
}

// TestCost: one service costs little memory, whatever else the reference holds.
func TestCost(t *testing.T) {
	if len(reference) > 1<<20 {
		t.Errorf("reference.bin has %d bytes, want at most 1 MB", len(reference))
	}
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	got := allocated(func() {
		st, err := open(reference)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.lookup("ec2"); err != nil { // the largest
			t.Fatal(err)
		}
	})
	if got > 4<<20 {
		t.Errorf("index and EC2 take %d bytes, want at most 4 MB", got)
	}
}

// BenchmarkLoad is what a run pays that needs one service: the index and the service.
func BenchmarkLoad(b *testing.B) {
	for _, prefix := range []string{"ec2", "s3", "sqs"} {
		b.Run(prefix, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				st, err := open(reference)
				if err != nil {
					b.Fatal(err)
				}
				if s, err := st.lookup(prefix); s == nil || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAction(b *testing.B) {
	s := mustLookup(b, "ec2")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Action("runinstances"); !ok {
			b.Fatal("not found")
		}
	}
}
