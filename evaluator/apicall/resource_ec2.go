package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// EC2, row 5.

// taggedTypes are the types that EC2 tells an id's resource by, as in
// resource-type/id. An image and a snapshot have no account in their ARN.
var taggedTypes = map[string]string{
	"i-": "{a}:instance/", "vol-": "{a}:volume/", "snap-": ":snapshot/", "ami-": ":image/", "sg-": "{a}:security-group/",
	"subnet-": "{a}:subnet/", "vpc-": "{a}:vpc/", "eni-": "{a}:network-interface/", "rtb-": "{a}:route-table/",
	"igw-": "{a}:internet-gateway/", "nat-": "{a}:natgateway/", "acl-": "{a}:network-acl/", "eipalloc-": "{a}:elastic-ip/",
	"lt-": "{a}:launch-template/", "vpce-": "{a}:vpc-endpoint/", "pcx-": "{a}:vpc-peering-connection/", "tgw-": "{a}:transit-gateway/",
}

// typeOfID tells the type by an id, whose beginning has no second part: tgw-attach-1 is no transit gateway, and vpce-svc-1 no
// endpoint.
func typeOfID(id string) (string, bool) {
	prefix, rest, _ := strings.Cut(id, "-")
	t, ok := taggedTypes[prefix+"-"]
	return t, ok && nameLike(rest) && !strings.Contains(rest, "-")
}

// tagged finds the resources whose tags a call changes.
func tagged(d *derivation) []evaluator.Resource {
	ids, state := d.params.values("resourcesSet.items.resourceId")
	if state == notGiven {
		ids, state = d.params.values("resources")
	}
	if state != given {
		return []evaluator.Resource{d.pattern("ec2:" + d.region + ":*:*")}
	}
	var all []evaluator.Resource
	for _, id := range ids {
		if t, ok := typeOfID(id); ok {
			account := strings.ReplaceAll(t, "{a}", d.account)
			all = append(all, evaluator.Resource{ARN: "arn:" + d.partition + ":ec2:" + d.region + ":" + account + id, Pattern: d.owner == "" || d.region == "*"})
		} else {
			all = append(all, d.pattern("ec2:"+d.region+":*:*"))
		}
	}
	return all
}

// logged finds what a flow log is made of, which an id tells by how it begins.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
func logged(d *derivation) []evaluator.Resource {
	ids, state := d.params.values("resourceId")
	if state == notGiven {
		ids, state = d.params.values("resourceIds")
	}
	if state != given {
		return nil // beside has them
	}
	all := make([]evaluator.Resource, 0, len(ids))
	for _, id := range ids {
		t, ok := typeOfID(id)
		if !ok {
			all = append(all, d.perhaps([]evaluator.Resource{d.pattern("ec2:" + d.region + ":*:*")})...)
			continue
		}
		all = append(all, d.pattern("ec2:"+d.region+":"+strings.ReplaceAll(t, "{a}", "*")+id)) // it may be shared
	}
	return all
}

// ownSecurityGroup finds a group by id; one given by name is some group.
var ownSecurityGroup = arn("ec2:{r}:{a}:security-group/{groupId}")

// address finds an Elastic IP address by its id. The reference doesn't say that a call which gives the address itself is
// checked on it.
func address(d *derivation) []evaluator.Resource {
	all := d.fill("ec2:{r}:{a}:elastic-ip/{allocationId}")
	if !d.gives("allocationId") {
		d.perhaps(all)
	}
	return all
}

// newGroups finds the security groups that a call puts on an instance or a network interface: those of an instance may be
// given by a VPC that is shared.
func newGroups(d *derivation) []evaluator.Resource {
	for _, param := range []string{"groupSet.items.groupId", "groups"} {
		if d.gives(param) {
			return d.fill("ec2:{r}:*:security-group/{" + param + "}")
		}
	}
	return nil
}

// rootUser finds the root user of the account that a call names, by its id or ARN.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
func rootUser(d *derivation) []evaluator.Resource {
	target, state := d.params.one("targetPrincipal")
	if r, ok := given1(target, "iam", "root"); ok && state == given {
		return []evaluator.Resource{r}
	}
	if state == given && accountID(target) {
		return []evaluator.Resource{{ARN: "arn:" + d.partition + ":iam::" + target + ":root", Account: target}}
	}
	return []evaluator.Resource{d.pattern("iam::*:root")}
}
