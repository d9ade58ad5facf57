package apicall

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// meets reports whether some string matches both patterns, whose * are wildcards.
func meets(a, b string) bool {
	row := make([]bool, len(b)+1)
	row[0] = true
	for j := range b {
		row[j+1] = row[j] && b[j] == '*'
	}
	for i := range a {
		next := make([]bool, len(b)+1)
		next[0] = row[0] && a[i] == '*'
		for j := range b {
			switch {
			case a[i] == '*' || b[j] == '*': // either stands for nothing, or for one more of the other
				next[j+1] = row[j+1] || next[j]
			case a[i] == '?' || b[j] == '?' || a[i] == b[j]:
				next[j+1] = row[j]
			}
		}
		row = next
	}
	return row[len(b)]
}

// wild is an ARN pattern with a * for each part that varies, and for what the reference has an example of.
func wild(pattern string) string {
	out := ""
	for _, part := range cutSlots(pattern) {
		if part.slot != "" {
			part.text = "*"
		}
		out += part.text
	}
	return out
}

// shownOtherwise are the actions whose resource isn't of a type that the reference gives them: AWS's messages or pages
// say otherwise.
var shownOtherwise = words(map[string]string{
	"iam":              "ListUsers ListRoles ListGroups ListInstanceProfiles ListVirtualMFADevices", // R12
	"eks":              "ListClusters CreateCluster DescribeAddonVersions DescribeAddonConfiguration DescribeClusterVersions",
	"inspector2":       "ListFindings",
	"scheduler":        "ListSchedules",
	"mediaconvert":     "DescribeEndpoints",
	"cur":              "DescribeReportDefinitions",
	"cloudfront":       "CreateDistribution",
	"elasticmapreduce": "RunJobFlow",
	"acm":              "RequestCertificate",
	"amplify":          "ListApps",
	"sagemaker":        "ListDomains",
	"sso":              "ListInstances",
	"kafka":            "ListClusters ListClustersV2",
	"dynamodb":         "ListTables",
	"sqs":              "ListQueues",
	"cloudformation":   "ListStacks",
	"states":           "ListStateMachines",
	"events":           "ListRules ListEventBuses",
	"es":               "ListDomainNames",
	"codepipeline":     "ListPipelines",
	"cognito-identity": "ListIdentityPools",
	"logs":             "DescribeLogGroups",
})

// TestEveryAction: whatever a call's parameters, what its action is on fits one of the types that the reference
// gives the action (T82, T83), or is * if there is none (R10).
func TestEveryAction(t *testing.T) {
	actions, concrete, patterns, unknown, none := 0, 0, 0, 0, 0
	for _, prefix := range serviceref.Prefixes() {
		s, ok := serviceref.Lookup(prefix)
		if !ok {
			t.Fatalf("no service %s", prefix)
		}
		for i := range s.Actions {
			a := &s.Actions[i]
			actions++
			all := synthetic(s, a)
			for _, parameters := range all {
				c := callOf(t, prefix, a.Name, "")
				c.Parameters = parameters
				for _, r := range Requests(c) {
					if r.Action != prefix+":"+a.Name || parameters == nil && r.Resource.ARN == "*" && r.Resource.Pattern {
						continue
					}
					checkTypes(t, s, a, r)
				}
			}
			c := callOf(t, prefix, a.Name, "")
			c.Parameters = all[1]
			requests := Requests(c)
			switch {
			case len(requests) == 0 || requests[0].Action != prefix+":"+a.Name:
			case requests[0].Resource.ARN == "*" && !requests[0].Resource.Pattern:
				none++
			case requests[0].Resource.ARN == "*":
				unknown++
			case requests[0].Resource.Pattern:
				patterns++
			default:
				concrete++
			}
		}
	}
	t.Logf("of %d actions, with all parameters that name a resource: %d on *, %d on a whole ARN, %d on a pattern, %d unknown", actions, none, concrete, patterns, unknown)
	if none < 4800 || concrete < 10500 {
		t.Error("fewer actions than before have a resource")
	}
}

// synthetic are parameters for an action: none recorded, all that the types' patterns name, and those of each type.
func synthetic(s *serviceref.Service, a *serviceref.Action) []map[string]any {
	all := []map[string]any{nil, {}, {}}
	for _, r := range a.Resources {
		t, _ := s.ResourceType(r.Type)
		one := map[string]any{}
		for _, pattern := range t.ARNs {
			for _, part := range cutSlots(pattern)[1:] {
				if f := fold(part.slot); f != "" && f != "partition" && f != "region" && f != "account" && len(one) < 20 {
					one[part.slot], all[1][part.slot] = "x-1", "x-1"
					all[2][part.slot+"s"] = []any{"x-1", "x:2", "X/3", "*"}
				}
			}
		}
		one["name"], one["id"] = "n", "i"
		all = append(all, one, map[string]any{"resourceArn": arnOf(t.ARN)}, map[string]any{fold(t.Name) + "Arn": arnOf(t.ARN)})
		if len(all) > 8 {
			break
		}
	}
	return all
}

func arnOf(pattern string) string {
	p, _ := policy.ParseARN(wild(pattern))
	for _, part := range []struct {
		s    *string
		with string
	}{{&p.Partition, "aws"}, {&p.Region, "us-west-2"}, {&p.Account, "333333333333"}, {&p.Resource, "y-2"}} {
		*part.s = strings.ReplaceAll(*part.s, "*", part.with)
	}
	return p.String()
}

func checkTypes(t *testing.T, s *serviceref.Service, a *serviceref.Action, r Request) {
	t.Helper()
	if shownOtherwise[r.Action] || a.ResourceLess() && shownOn[s.Prefix] != "" {
		return
	}
	if r.Resource.ARN == "*" {
		if !r.Resource.Pattern && !a.ResourceLess() && r.Action != "sns:Publish" {
			t.Errorf("%s is on *, and has types", r.Action)
		}
		return
	}
	var types []string
	for _, ar := range a.Resources {
		rt, _ := s.ResourceType(ar.Type)
		for _, pattern := range rt.ARNs {
			types = append(types, pattern)
			if meets(r.Resource.ARN, wild(pattern)) {
				return
			}
		}
	}
	t.Errorf("%s is on %s, which is none of %q", r.Action, r.Resource.ARN, types)
}

// TestMembers derives the resources of AWS's operations with all members that their input has.
func TestMembers(t *testing.T) {
	lines := sharedLines(t, "data/reference/api-index.jsonl")
	var services, concrete, patterns, unknown, none int
	for lines.Scan() {
		var service struct {
			SigV4      string `json:"sigv4"`
			Operations map[string]struct {
				Req []string `json:"req"`
			} `json:"operations"`
		}
		if err := json.Unmarshal(lines.Bytes(), &service); err != nil {
			t.Fatal(err)
		}
		s, ok := serviceref.Lookup(service.SigV4)
		if !ok {
			continue
		}
		services++
		for name, op := range service.Operations {
			a, ok := s.Action(name)
			if !ok {
				continue
			}
			c := callOf(t, s.Prefix, name, "{}")
			for _, member := range op.Req {
				c.Parameters[member] = "v-1"
			}
			first := true
			for _, r := range Requests(c) {
				if r.Action != s.Prefix+":"+a.Name {
					continue
				}
				checkTypes(t, s, a, r)
				if !first {
					continue
				}
				first = false
				switch {
				case r.Resource.ARN == "*" && !r.Resource.Pattern:
					none++
				case r.Resource.ARN == "*":
					unknown++
				case r.Resource.Pattern:
					patterns++
				default:
					concrete++
				}
			}
		}
	}
	t.Logf("operations of %d services with their required members: %d on *, %d on a whole ARN, %d on a pattern, %d unknown", services, none, concrete, patterns, unknown)
	if concrete < 4900 || unknown > 2800 {
		t.Error("fewer operations than before have a resource")
	}
}

// allActions are the names of all actions of the reference.
var allActions = sync.OnceValue(func() []string {
	var all []string
	for _, prefix := range serviceref.Prefixes() {
		if s, ok := serviceref.Lookup(prefix); ok {
			for _, a := range s.Actions {
				all = append(all, prefix+":"+a.Name)
			}
		}
	}
	return all
})

// FuzzReference: whatever the parameters, a resource that isn't marked as a pattern has no wildcard but one that a
// parameter has, and fits a type of the action.
func FuzzReference(f *testing.F) {
	for i, parameters := range []string{
		`{"clusterName":"c","name":"n","id":"i"}`, `{"resourceArn":"arn:aws:eks:eu-west-1:1:cluster/*"}`, `{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"*"}]}}`,
		`{"names":["a*","b?"],"Name":{},"policyId":"p-"}`, `{"arn":["arn:","arn:aws:x:::",null,7]}`, `{"bucketName":"b","key":"a*b/c?"}`, `{"modelId":"us.*"}`, `{"catalogId":"*","databaseName":"d","tableInput":{"name":"*"}}`,
	} {
		f.Add(uint16(i*2000), "eu-west-1", parameters)
	}
	for i := range uint16(200) {
		f.Add(i*110, "", `{"name":"x-1","resourceArn":"arn:aws:a:b:1:c/d","id":"y"}`)
		f.Add(i*111, "eu-west-1", "i-*")
		f.Add(i*112, "eu-west-1", "a/b:c?")
	}
	f.Fuzz(func(t *testing.T, n uint16, region, parameters string) {
		all := allActions()
		action := all[int(n)%len(all)]
		prefix, name, _ := strings.Cut(action, ":")
		c := callOf(t, prefix, name, "")
		c.Region = region
		s, a, _ := referenceAction(action)
		if json.Unmarshal([]byte(parameters), &c.Parameters) != nil { // then it is what every part of the name is
			c.Parameters = map[string]any{"name": parameters, "id": parameters}
			for _, r := range a.Resources {
				t, _ := s.ResourceType(r.Type)
				c.Parameters[t.Name+"Arn"] = parameters
				for _, part := range cutSlots(t.ARN) {
					c.Parameters[part.slot] = parameters
				}
			}
		}
		requests := Requests(c)
		if len(requests) > maxRequests {
			t.Errorf("%d requests", len(requests))
		}
		for _, r := range requests {
			if r.Action == action && resourceTable[action] == nil && prefix != "apigateway" && prefix != "s3" {
				checkTypes(t, s, a, r)
			}
			if r.Resource.Pattern || r.Resource.ARN == "*" || strings.Contains(parameters, "%") || strings.Contains(parameters, `\`) {
				continue
			}
			for _, word := range strings.FieldsFunc(r.Resource.ARN, func(c rune) bool { return c == ':' || c == '/' }) {
				if strings.ContainsAny(word, "*?") && !strings.Contains(parameters, word) {
					t.Errorf("%s on %s: nobody gave %q", r.Action, r.Resource.ARN, word)
				}
			}
		}
	})
}
