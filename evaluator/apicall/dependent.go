package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// runInstances needs its action on everything that an instance is made of (S43). What
// a launch template gives isn't in the call.
func (d *derivation) runInstances() []Request {
	_, template := d.params.nodes("launchTemplate")
	all := d.on("ec2:RunInstances", FromName, true, d.fill("ec2:{r}:{a}:instance/*"))
	add := func(required bool, template string) {
		all = append(all, d.on("ec2:RunInstances", FromTable, required, d.fill(template))...)
	}
	if image, state := d.params.one("instancesSet.items.imageId", "imageId"); state == given && !strings.HasPrefix(image, "resolve:") {
		add(true, "ec2:{r}::image/{instancesSet.items.imageId,imageId}")
	} else {
		add(true, "ec2:{r}::image/*")
	}
	add(true, "ec2:{r}:{a}:network-interface/*")
	if d.gives("subnetId", "networkInterfaceSet.items.subnetId", "networkInterfaces.subnetId") {
		add(true, "ec2:{r}:*:subnet/{subnetId,networkInterfaceSet.items.subnetId,networkInterfaces.subnetId}")
	} else {
		add(true, "ec2:{r}:*:subnet/*")
	}
	add(true, "ec2:{r}:*:security-group/{groupSet.items.groupId,securityGroupIds,networkInterfaceSet.items.groupSet.items.groupId,networkInterfaces.groups}")
	add(true, "ec2:{r}:{a}:volume/*")
	if d.gives("instancesSet.items.keyName", "keyName") {
		add(true, "ec2:{r}:{a}:key-pair/{instancesSet.items.keyName,keyName}")
	} else if !d.params.known || template == given {
		add(false, "ec2:{r}:{a}:key-pair/*")
	}
	if template == given {
		add(true, "ec2:{r}:{a}:launch-template/{launchTemplate.launchTemplateId}")
	}
	for _, part := range instanceParts {
		if d.gives(strings.Split(part.params, ",")...) {
			add(true, part.arn+"{"+part.params+"}")
		}
	}
	if !d.params.known || template != notGiven {
		own := make([]evaluator.Resource, 0, len(all))
		for _, r := range all {
			own = append(own, r.Resource)
		}
		all = append(all, d.on("ec2:RunInstances", FromReference, false, d.beside("ec2:RunInstances", own))...)
	}
	return all
}

// instanceParts are what an instance is made of only if the call, or its launch template, names it (S43).
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
var instanceParts = []struct{ params, arn string }{
	{"blockDeviceMapping.items.ebs.snapshotId,blockDeviceMappings.ebs.snapshotId", "ec2:{r}::snapshot/"},
	{"placement.groupName", "ec2:{r}:*:placement-group/"},
	{"capacityReservationSpecification.capacityReservationTarget.capacityReservationId", "ec2:{r}:*:capacity-reservation/"},
	{"licenseSpecifications.licenseConfigurationArn", "license-manager:{r}:*:license-configuration:"},
}

// beside are the types that the service reference says an action may be checked on, and of which none of the resources is that
// the table has of it (T83): a message may show any of them.
func (d *derivation) beside(action string, table []evaluator.Resource) []evaluator.Resource {
	s, a, ok := referenceAction(action)
	if !ok {
		return nil
	}
	has := map[string]bool{}
	for _, r := range table {
		has[kindOfARN(r.ARN)] = true
	}
	var all []evaluator.Resource
	for _, r := range a.Resources {
		t, ok := s.ResourceType(r.Type)
		if !ok || r.Required {
			continue
		}
		in := *d
		in.params = params{} // the parameters are the table's
		resources, _ := in.byNames(s.Prefix, t)
		if len(resources) > 0 && !has[kindOfARN(resources[0].ARN)] {
			all = append(all, resources...)
		}
	}
	return all
}

// kindOfARN is the service and the type that an ARN has, as ec2 and volume.
func kindOfARN(arn string) string {
	a, ok := policy.ParseARN(arn)
	if !ok {
		return arn
	}
	if at := strings.IndexAny(a.Resource, "/:"); at >= 0 {
		a.Resource = a.Resource[:at]
	}
	return a.Service + " " + a.Resource
}

func (d *derivation) gives(paths ...string) bool {
	for _, p := range paths {
		if _, state := d.params.nodes(p); state == given {
			return true
		}
	}
	return false
}

// dependents are the permissions that a call needs beside its own action's. One is
// required if the parameters show what triggers it (T81).
func (d *derivation) dependents(own []Request) []Request {
	name := d.prefix + ":" + d.operation
	var all []Request
	decided := map[string]bool{} // what a table knows, the reference isn't asked about
	if p, ok := passes[name]; ok {
		decided["iam:passrole"] = true
		all = append(all, d.passRole(p)...)
	}
	if k, ok := keyUses[name]; ok {
		decided["kms"] = true
		all = append(all, d.useKey(k)...)
	}
	for _, n := range needs[name] {
		for action := range strings.FieldsSeq(strings.ToLower(n.actions)) {
			decided[action] = true
		}
		all = append(all, d.need(n, own)...)
	}
	switch {
	case name == "ec2:RunInstances":
		decided["ssm:getparameters"] = true
		all = append(all, d.resolvedImage()...)
	case d.prefix == "sts" && strings.HasPrefix(d.operation, "AssumeRole"):
		all = append(all, d.sessionRequests(own[0].Resource)...)
	}
	all = append(all, d.tagging(own)...)
	return once(own, append(all, d.dependentsByReference(own, all, decided)...))
}

// once leaves of several requests for one action on one resource the first, required if any is, and none that is among
// the call's own.
func once(own, all []Request) []Request {
	at := map[string]int{}
	for _, r := range own {
		at[r.Action+" "+r.Resource.ARN] = -1
	}
	kept := all[:0]
	for _, r := range all {
		key := r.Action + " " + r.Resource.ARN
		if i, ok := at[key]; ok {
			if i >= 0 {
				kept[i].Required = kept[i].Required || r.Required
			}
			continue
		}
		at[key] = len(kept)
		kept = append(kept, r)
	}
	return kept
}

// resolvedImage is the reading of the parameter that an instance's image is named by: in the call, or in its
// launch template, which the call doesn't show.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-systems-manager-parameter-to-find-AMI.html
func (d *derivation) resolvedImage() []Request {
	image, state := d.params.one("instancesSet.items.imageId", "imageId")
	name, resolved := strings.CutPrefix(image, "resolve:ssm:")
	switch {
	case state == given && resolved:
		in := *d
		in.params = params{known: true, root: map[string]any{"names": name}}
		return d.on("ssm:GetParameters", FromTable, true, ssmParameter(false, "names")(&in))
	case state == given, state == notGiven && !d.gives("launchTemplate"):
		return nil
	}
	return d.on("ssm:GetParameters", FromTable, false, []evaluator.Resource{d.pattern("ssm:" + d.region + ":*:parameter/*")})
}

// sessionRequests are the permissions on the role for what a session is given (S7, S47): in the call, in the
// identity provider's token or assertion, or by the session that makes the call.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func (d *derivation) sessionRequests(role evaluator.Resource) []Request {
	var all []Request
	for _, s := range []struct {
		action, params string
		handedOn       bool
	}{
		{"sts:TagSession", "tags transitiveTagKeys principalTags", true},
		{"sts:SetSourceIdentity", "sourceIdentity", true},
		{"sts:SetContext", "providedContexts", false},
	} {
		switch {
		case d.params.known && d.gives(strings.Fields(s.params)...):
			all = append(all, d.on(s.action, FromTable, true, []evaluator.Resource{role})...)
		case !d.params.known, s.handedOn && d.handsOn():
			all = append(all, d.on(s.action, FromTable, false, []evaluator.Resource{role})...)
		}
	}
	return all
}

// handsOn reports whether a session may get tags and a source identity that the parameters don't have: from the session
// that asks for it, or from a token.
func (d *derivation) handsOn() bool {
	switch d.call.Principal.Type {
	case evaluator.User, evaluator.Root, evaluator.Service:
		return d.operation != "AssumeRole"
	}
	return true
}
