package snapshot

import (
	"iter"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A resource is an item of resources/<service>.json.
type resource struct {
	arn     string
	service string // of the file
	typ     string
	account string // its owner
	layer   evaluator.Layer
	denied  string // why its policy couldn't be read: AWS's reason; "" if it could
	failed  string // status, if the policy couldn't be read

	// Of extra:
	aliases     []string
	awsManaged  evaluator.Match     // a KMS key that AWS manages
	grants      evaluator.KeyGrants // of a KMS key
	bucket      *evaluator.Bucket   // what guards an S3 bucket besides its policy; nil for any other resource
	accessPoint *accessPoint        // nil for any other resource
}

// An endpoint is an item of endpoints.json.
type endpoint struct {
	id, vpc string
	gateway evaluator.Match
	layer   evaluator.Layer
}

// decodeResources reads resources/<service>.json.
func (l *loader) decodeResources(d *decoder, account string) []*resource {
	service := strings.TrimSuffix(lastSegment(d.file.Name), ".json")
	if d.broken == "" && d.root.Kind() != jsontree.Array && d.root.Kind() != jsontree.Null {
		d.fail(d.root.Offset(), "expected a list of resources, found %s", d.root.Kind())
	}
	var all []*resource
	for n := range d.root.Items() {
		if r := d.resource(n, service, account); r != nil {
			all = append(all, r)
		}
	}
	d.finish()
	if d.broken != "" {
		return nil
	}
	return slices.DeleteFunc(all, func(r *resource) bool { return !l.enter(d, r) })
}

// enter puts a resource into the index. Of two with one ARN nobody knows which is right.
func (l *loader) enter(d *decoder, r *resource) bool {
	if first := l.resources[r.arn]; first != nil {
		msg := r.arn + " is in accounts " + first.account + " and " + r.account + ", or twice in one"
		d.problems = append(d.problems, Problem{File: d.file.Name, Msg: msg})
		first.layer = evaluator.Layer{State: evaluator.NotCollected, Missing: msg}
		if first.account != r.account {
			first.account = ""
		}
		return false
	}
	l.resources[r.arn] = r
	if name := withoutSuffix(r.arn); r.typ == "secret" && name != "" {
		l.secrets[name] = append(l.secrets[name], r)
	}
	if key, ok := policy.ParseARN(r.arn); ok {
		for _, alias := range r.aliases {
			key.Resource = alias
			l.aliases[key.String()] = r
		}
	}
	return true
}

// resource reads one item; nil if it can't be told which resource it is.
func (d *decoder) resource(n jsontree.Node, service, account string) *resource {
	if n.Kind() != jsontree.Object {
		d.note(n, "expected a resource, found %s", n.Kind())
		return nil
	}
	r := &resource{arn: d.str(n, "arn"), service: service, typ: d.str(n, "type"), account: account}
	arn, ok := policy.ParseARN(r.arn)
	if !ok {
		d.note(n, "expected a resource's ARN as arn, found %q", r.arn)
		return nil
	}
	if k, _, ok := kindOf(arn); ok {
		r.typ = k.typ
	}
	if owner := d.str(n, "account"); owner != "" {
		r.account = owner
	}
	r.layer = d.resourceLayer(n, r, arn)
	d.extra(n.Get("extra"), r, arn)
	return r
}

// resourceLayer is the resource's policy: none if AWS said so (rule U19), unknown if it couldn't be read (rule U6).
func (d *decoder) resourceLayer(n jsontree.Node, r *resource, arn policy.ARN) evaluator.Layer {
	var b layerBuilder
	name := shortName(arn)
	status, reason := d.str(n, "status"), d.str(n, "reason")
	v := n.Get("policy")
	switch {
	case status != "" && status != statusOK:
		r.failed, r.denied = status, reason
	case v.Kind() == jsontree.Null:
	case !v.Exists():
		b.lacks("%s policy of %s: %s doesn't have it", r.typ, name, d.file.Name)
	default:
		p := evaluator.Policy{Name: name, Type: r.typ, Target: r.arn}
		for one := range documents(v) {
			b.add(p, d.document(one))
		}
	}
	return b.layer()
}

// documents are the policies of a resource: one, or those in a list where the service has
// several, all of which count.
func documents(n jsontree.Node) iter.Seq[jsontree.Node] {
	if n.Kind() == jsontree.Array {
		return n.Items()
	}
	return func(yield func(jsontree.Node) bool) { yield(n) }
}

// extra reads what a resource has besides its policy.
func (d *decoder) extra(n jsontree.Node, r *resource, arn policy.ARN) {
	switch {
	case arn.Service == "s3" && r.typ == "bucket":
		r.bucket = d.bucket(n, shortName(arn))
	case arn.Service == "s3" && r.typ == "access point":
		r.accessPoint = d.accessPoint(n, arn)
	case arn.Service == "kms":
		r.aliases, _ = d.strings(n, "aliases")
		r.grants = d.keyGrants(n, r.arn)
		switch d.str(n, "keyManager") {
		case "AWS":
			r.awsManaged = evaluator.Matched
		case "":
			r.awsManaged = evaluator.Unknown
		}
	}
}

// decodeEndpoints reads endpoints.json.
func (l *loader) decodeEndpoints(d *decoder) {
	if d.broken == "" && d.root.Kind() != jsontree.Array && d.root.Kind() != jsontree.Null {
		d.fail(d.root.Offset(), "expected a list of VPC endpoints, found %s", d.root.Kind())
	}
	var all []*endpoint
	for n := range d.root.Items() {
		if e := d.endpoint(n); e != nil {
			all = append(all, e)
		}
	}
	d.finish()
	if d.broken != "" {
		return
	}
	for _, e := range all {
		if first := l.endpoints[e.id]; first != nil {
			msg := "VPC endpoint " + e.id + " is in the snapshot twice"
			d.problems = append(d.problems, Problem{File: d.file.Name, Msg: msg})
			first.layer = evaluator.Layer{State: evaluator.NotCollected, Missing: msg}
			continue
		}
		l.endpoints[e.id] = e
	}
}

// endpoint reads one item; nil if it can't be told which endpoint it is.
func (d *decoder) endpoint(n jsontree.Node) *endpoint {
	e := &endpoint{id: d.str(n, "id"), vpc: d.str(n, "vpcId")}
	if e.id == "" {
		d.note(n, "expected a VPC endpoint with its id")
		return nil
	}
	switch kind := d.str(n, "type"); {
	case strings.EqualFold(kind, "Gateway"):
		e.gateway = evaluator.Matched
	case kind == "":
		e.gateway = evaluator.Unknown
	}
	var b layerBuilder
	p := evaluator.Policy{Name: e.id, Type: "endpoint", Target: e.id}
	switch v := n.Get("policy"); v.Kind() {
	case jsontree.Null: // rule E12
		p.Name = "default"
		b.add(p, defaultEndpointPolicy)
	case jsontree.Missing:
		b.lacks("policy of VPC endpoint %s: %s doesn't have it; ec2:DescribeVpcEndpoints would tell", e.id, d.file.Name)
	default:
		b.add(p, d.document(v))
	}
	if status := d.str(n, "status"); status != "" && status != statusOK {
		b = layerBuilder{}
		b.lacks("policy of VPC endpoint %s: ec2:DescribeVpcEndpoints: %s %s", e.id, status, d.str(n, "reason"))
	}
	e.layer = b.layer()
	return e
}

// defaultEndpointPolicy is the policy of an endpoint that has none: full access (rule E12).
var defaultEndpointPolicy = builtIn("VPC endpoint policy", `{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}`)

// shortName is what a person calls a resource: the end of its ARN.
func shortName(arn policy.ARN) string {
	if arn.Service == "s3" && arn.Account == "" {
		return arn.Resource
	}
	name := arn.Resource
	for _, prefix := range namePrefixes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
	return name
}

// namePrefixes are the resource types in front of a name.
var namePrefixes = []string{"key/", "function:", "secret:", "repository/", "table/", "event-bus/", "log-group:", "stream/", "file-system/", "backup-vault:", "vaults/", "domain/", "role/", "user/"}
