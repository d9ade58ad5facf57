package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// An ec2Key is a key of EC2 that a parameter of one operation gives for resources of one type. Those that launch
// templates, images, subnets and the account's defaults decide, too, are claimed only where the call has the last word.
type ec2Key struct {
	operation, resource string
	key, params         string
}

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
var ec2Keys = []ec2Key{
	{"RunInstances", "instance", "ec2:InstanceType", "instanceType"},
	{"RunInstances", "instance", "ec2:AvailabilityZone", "placement.availabilityZone"},
	{"RunInstances", "instance", "ec2:Tenancy", "placement.tenancy"},
	{"RunInstances", "instance", "ec2:EbsOptimized", "ebsOptimized"},
	{"RunInstances", "instance", "ec2:InstanceMarketType", "instanceMarketOptions.marketType"},
	{"RunInstances", "instance", "ec2:InstanceProfile", "iamInstanceProfile.arn"},
	{"RunInstances", "instance", "ec2:MetadataHttpTokens", "metadataOptions.httpTokens"},
	{"RunInstances", "instance", "ec2:MetadataHttpEndpoint", "metadataOptions.httpEndpoint"},
	{"RunInstances", "instance", "ec2:MetadataHttpPutResponseHopLimit", "metadataOptions.httpPutResponseHopLimit"},
	{"CreateVolume", "volume", "ec2:VolumeSize", "size"},
	{"CreateVolume", "volume", "ec2:VolumeType", "volumeType"},
	{"CreateVolume", "volume", "ec2:VolumeIops", "iops"},
	{"CreateVolume", "volume", "ec2:VolumeThroughput", "throughput"},
	{"CreateVolume", "volume", "ec2:AvailabilityZone", "availabilityZone zone"},
	{"CreateSubnet", "subnet", "ec2:AvailabilityZone", "availabilityZone"},
	{"CreateVpcEndpoint", "vpc-endpoint", "ec2:VpceServiceName", "serviceName createVpcEndpointRequest.serviceName"},
	{"CreateVpc", "vpc", "ec2:Tenancy", "instanceTenancy"},
}

// ec2IDs are the keys that tell a resource's id, or a key pair's name, by the resource's type.
var ec2IDs = map[string]string{
	"image": "ec2:ImageID", "instance": "ec2:InstanceID", "volume": "ec2:VolumeID", "snapshot": "ec2:SnapshotID", "subnet": "ec2:SubnetID", "vpc": "ec2:VpcID",
	"security-group": "ec2:SecurityGroupID", "network-interface": "ec2:NetworkInterfaceID", "route-table": "ec2:RouteTableID",
	"internet-gateway": "ec2:InternetGatewayID", "network-acl": "ec2:NetworkAclID", "elastic-ip": "ec2:AllocationId", "key-pair": "ec2:KeyPairName",
}

// ec2Keys: the region of every call to EC2, what the parameters say of what it makes, and the id of what it is on.
func (d *derivation) ec2Keys(r *Request, action string) []evaluator.ContextValue {
	if d.prefix != "ec2" {
		return nil
	}
	var all []evaluator.ContextValue
	if d.region != "*" {
		all = append(all, present("ec2:Region", d.region))
	}
	a, ok := policy.ParseARN(r.Resource.ARN)
	kind, id, isID := strings.Cut(a.Resource, "/")
	if !ok || a.Service != "ec2" || !isID {
		return all
	}
	for _, k := range ec2Keys {
		if k.operation != d.operation || k.operation != action || k.resource != kind {
			continue
		}
		if v, state := d.params.one(strings.Fields(k.params)...); state == given {
			all = append(all, present(k.key, v))
		}
	}
	if action == "CreateVolume" && kind == "volume" {
		all = append(all, d.volumeKeys()...)
	}
	// Key pairs of old have policies on their names, and calls on an id: only the name is the key's.
	if key := ec2IDs[kind]; key != "" && !r.Resource.Pattern && lists(r.Action, key) && !strings.HasPrefix(id, "key-") {
		all = append(all, present(key, id))
	}
	return all
}

// volumeKeys are those of a new volume. One that isn't said to be encrypted may be, by its snapshot or the account's default.
func (d *derivation) volumeKeys() []evaluator.ContextValue {
	var all []evaluator.ContextValue
	if v, state := d.params.one("encrypted"); state == given && v == "true" {
		all = append(all, present("ec2:Encrypted", "true"))
	}
	if id, state := d.params.one("snapshotId"); state == given && strings.HasPrefix(id, "snap-") && nameLike(id) && d.region != "*" {
		all = append(all, present("ec2:ParentSnapshot", "arn:"+d.partition+":ec2:"+d.region+"::snapshot/"+id))
	}
	return all
}
