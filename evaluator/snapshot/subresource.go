package snapshot

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// This file finds, for an ARN, the resource whose policy governs it: an index's is its table's, a
// rule's its event bus's, an object's its bucket's. Each function takes the resource part of an
// ARN and returns that of the resource with the policy.

// start is for resources that have policies of their own.
func start(prefix string) func(string) (string, bool) {
	return func(r string) (string, bool) { return r, strings.HasPrefix(r, prefix) }
}

// oneOf is the same with several prefixes.
func oneOf(prefixes ...string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		for _, p := range prefixes {
			if strings.HasPrefix(r, p) {
				return r, true
			}
		}
		return "", false
	}
}

// upTo is for resources inside another one, whose name ends at the separator.
func upTo(prefix, separator string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		name, ok := strings.CutPrefix(r, prefix)
		name, _, _ = strings.Cut(name, separator)
		return prefix + name, ok
	}
}

// table is for resources that have nothing inside them.
func table(prefix, separator string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		name, ok := strings.CutPrefix(r, prefix)
		return r, ok && !strings.Contains(name, separator)
	}
}

// containing is for resources inside another one that have policies of their own.
func containing(prefix, infix string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		return r, strings.HasPrefix(r, prefix) && strings.Contains(r, infix)
	}
}

// isBucket: S3's ARNs of buckets and objects are those without region and account. A
// pattern that may stand for one is taken for one.
func isBucket(arn policy.ARN) bool {
	return strings.Trim(arn.Region, "*") == "" && strings.Trim(arn.Account, "*") == ""
}

// bucket finds the bucket of a bucket or an object.
func bucket(r string) (string, bool) {
	name, _, _ := strings.Cut(r, "/")
	return name, !strings.Contains(name, ":")
}

// topic finds the topic of a topic or a subscription, which isn't a mobile application or endpoint.
func topic(r string) (string, bool) {
	name, _, _ := strings.Cut(r, ":")
	return name, !strings.Contains(name, "/")
}

// tableOrIndex finds the table of a table or an index, not of a backup or an export. A
// stream's policy is its own.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html
func tableOrIndex(r string) (string, bool) {
	rest, ok := strings.CutPrefix(r, "table/")
	name, below, found := strings.Cut(rest, "/")
	return "table/" + name, ok && (!found || strings.HasPrefix(below, "index/"))
}

// layerVersion: the versions of a Lambda layer have policies, a layer as such has none.
func layerVersion(r string) (string, bool) {
	rest, ok := strings.CutPrefix(r, "layer:")
	return r, ok && strings.Contains(rest, ":")
}

// busOrRule finds the event bus of a bus or a rule: the bus's policy says who may change its
// rules. A rule's ARN names its bus, unless that is the default one. The buses of partners have slashes in
// their names.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
func busOrRule(r string) (string, bool) {
	rest, ok := strings.CutPrefix(r, "rule/")
	if !ok {
		return r, strings.HasPrefix(r, "event-bus/") || strings.HasPrefix(r, "event-busv2/")
	}
	bus := "default"
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		bus = rest[:i]
	}
	return "event-bus/" + bus, true
}

// restAPI finds the API of an API's method, whose ARN is API/STAGE/METHOD/PATH.
func restAPI(r string) (string, bool) {
	id, _, _ := strings.Cut(r, "/")
	return id, id != ""
}

// registryOrSchema finds the registry of a registry or a schema.
func registryOrSchema(r string) (string, bool) {
	if rest, ok := strings.CutPrefix(r, "schema/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return "registry/" + name, true
	}
	return r, strings.HasPrefix(r, "registry/")
}

// modelPackage finds the group of a model package group, or of a package in one. A
// package without a version is in none.
func modelPackage(r string) (string, bool) {
	if rest, ok := strings.CutPrefix(r, "model-package/"); ok {
		group, _, versioned := strings.Cut(rest, "/")
		return "model-package-group/" + group, versioned
	}
	return r, strings.HasPrefix(r, "model-package-group/")
}

// kafkaCluster finds the cluster of a cluster, or of a topic, a consumer group or a
// transactional id in it: KIND/CLUSTER/UUID/NAME.
//
// https://docs.aws.amazon.com/msk/latest/developerguide/mvpc-cluster-owner-action-policy.html
func kafkaCluster(r string) (string, bool) {
	kind, rest, _ := strings.Cut(r, "/")
	switch kind {
	case "cluster":
		return r, true
	case "topic", "group", "transactional-id":
		if parts := strings.SplitN(rest, "/", 3); len(parts) == 3 {
			return "cluster/" + parts[0] + "/" + parts[1], true
		}
	}
	return "", false
}

// underOtherName finds a resource that the snapshot has by another of its ARNs.
func (s *Snapshot) underOtherName(k resourceKind, arn policy.ARN) *resource {
	switch k.typ {
	case "function": // the policies of versions and aliases are their own (rule S25)
		if name, ok := strings.CutSuffix(arn.Resource, ":$LATEST"); ok {
			arn.Resource = name
			return s.resources[arn.String()]
		}
	case "log group":
		arn.Resource += ":*"
		return s.resources[arn.String()]
	case "API": // as API Gateway names it, without the account
		owner := arn.Account
		arn.Service, arn.Account, arn.Resource = "apigateway", "", "/restapis/"+arn.Resource
		if r := s.resources[arn.String()]; r != nil && r.account == owner {
			return r
		}
	}
	return nil
}

// withRegistry adds the policy of an Amazon ECR registry to that of one of its repositories. In a
// registry of extended scope, which every new one is, that policy may be about any action of ECR;
// in an older one about three. Its statements tell.
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
func (s *Snapshot) withRegistry(l evaluator.ResourceLayer, arn policy.ARN) evaluator.ResourceLayer {
	if arn.Service != "ecr" || l.Type != "repository" {
		return l
	}
	arn.Resource = "registry"
	missing := "registry policy of account " + arn.Account + " in " + arn.Region + ", which is about its repositories, too; ecr:GetRegistryPolicy would tell"
	if r := s.resources[arn.String()]; r != nil {
		registry := r.resourceLayer("registry", "ecr:GetRegistryPolicy")
		l.Policies = append(slices.Clip(l.Policies), registry.Policies...)
		missing = registry.Missing
	}
	if missing != "" {
		l.State = evaluator.NotCollected
		l.Missing = strings.TrimPrefix(l.Missing+"; "+missing, "; ")
	}
	return l
}

// guardedElsewhere is the layer of an action that is checked on a resource of one service,
// and guarded by a resource of another that the request doesn't name.
func guardedElsewhere(action string, arn policy.ARN) (evaluator.ResourceLayer, bool) {
	// What is in a vault is named as its own service names it: a snapshot of EC2, a table's backup.
	if service, _, _ := strings.Cut(action, ":"); strings.EqualFold(service, "backup") && arn.Service != "backup" {
		return notCollected("vault", "vault policy: which backup vault holds "+arn.String()+" isn't known; backup:DescribeRecoveryPoint would tell"), true
	}
	return evaluator.ResourceLayer{}, false
}
