package apicall

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecorded: calls with parameters as CloudTrail has them in the events that AWS's guides show, and all that IAM checks of them
// (T78, T82, T83).
func TestRecorded(t *testing.T) {
	const (
		ec2     = "arn:aws:ec2:eu-west-1:222222222222:"
		role    = "arn:aws:iam::222222222222:role/app"
		anyRole = "iam:PassRole ~arn:aws:iam::222222222222:role/*"
		anyKey  = " ~arn:aws:kms:eu-west-1:*:key/* ?"
		grant   = "kms:CreateGrant" + anyKey
		dataKey = "kms:GenerateDataKeyWithoutPlaintext" + anyKey
	)
	for _, tt := range []struct {
		name, service, operation, parameters string
		recorded                             []string
		want                                 []string
	}{
		{name: "S43 what the call names", service: "ec2", operation: "RunInstances",
			parameters: `{"instancesSet":{"items":[{"imageId":"ami-1"}]},"subnetId":"subnet-1","placement":{"groupName":"pg"},"blockDeviceMapping":{"items":[{"ebs":{"snapshotId":"snap-1"}}]}}`,
			want: []string{"ec2:RunInstances ~" + ec2 + "instance/*", "ec2:RunInstances arn:aws:ec2:eu-west-1::image/ami-1", "ec2:RunInstances ~" + ec2 + "network-interface/*",
				"ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:subnet/subnet-1", "ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:security-group/*", "ec2:RunInstances ~" + ec2 + "volume/*",
				"ec2:RunInstances arn:aws:ec2:eu-west-1::snapshot/snap-1", "ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:placement-group/pg", grant, dataKey}},
		{name: "T83 snapshot of a volume", service: "ec2", operation: "CreateVolume", parameters: `{"size":"8","snapshotId":"snap-1"}`,
			want: []string{"ec2:CreateVolume ~" + ec2 + "volume/*", "ec2:CreateVolume arn:aws:ec2:eu-west-1::snapshot/snap-1", grant, dataKey}},
		{name: "T83 snapshot of an image", service: "ec2", operation: "RegisterImage", parameters: `{"name":"n","blockDeviceMapping":{"items":[{"ebs":{"snapshotId":"snap-1"}}]}}`,
			want: []string{"ec2:RegisterImage ~arn:aws:ec2:eu-west-1::image/*", "ec2:RegisterImage arn:aws:ec2:eu-west-1::snapshot/snap-1"}},
		{name: "T82.8 the key that an alias had", service: "kms", operation: "UpdateAlias", parameters: `{"aliasName":"alias/a","targetKeyId":"1-2"}`,
			want: []string{"kms:UpdateAlias arn:aws:kms:eu-west-1:222222222222:alias/a", "kms:UpdateAlias arn:aws:kms:eu-west-1:222222222222:key/1-2", "kms:UpdateAlias ~arn:aws:kms:eu-west-1:222222222222:key/*"}},
		{name: "T83 new groups", service: "ec2", operation: "ModifyInstanceAttribute", parameters: `{"instanceId":"i-1","groupSet":{"items":[{"groupId":"sg-2"}]}}`,
			want: []string{"ec2:ModifyInstanceAttribute " + ec2 + "instance/i-1", "ec2:ModifyInstanceAttribute ~arn:aws:ec2:eu-west-1:*:security-group/sg-2"}},
		{name: "T83 new groups", service: "ec2", operation: "ModifyNetworkInterfaceAttribute", parameters: `{"networkInterfaceId":"eni-1","groupSet":{"items":[{"groupId":"sg-2"}]}}`,
			want: []string{"ec2:ModifyNetworkInterfaceAttribute " + ec2 + "network-interface/eni-1", "ec2:ModifyNetworkInterfaceAttribute ~arn:aws:ec2:eu-west-1:*:security-group/sg-2"}},
		{name: "T83 no new groups", service: "ec2", operation: "ModifyInstanceAttribute", parameters: `{"instanceId":"i-1","instanceType":{"value":"t3.micro"}}`,
			want: []string{"ec2:ModifyInstanceAttribute " + ec2 + "instance/i-1"}},
		{name: "T83 address by itself", service: "ec2", operation: "AssociateAddress", parameters: `{"publicIp":"203.0.113.7","instanceId":"i-1"}`,
			want: []string{"ec2:AssociateAddress ~" + ec2 + "elastic-ip/* ?", "ec2:AssociateAddress " + ec2 + "instance/i-1"}},
		{name: "T83 address by id", service: "ec2", operation: "AssociateAddress", parameters: `{"allocationId":"eipalloc-1","networkInterfaceId":"eni-1"}`,
			want: []string{"ec2:AssociateAddress " + ec2 + "elastic-ip/eipalloc-1", "ec2:AssociateAddress " + ec2 + "network-interface/eni-1"}},
		{name: "T82.5 no type by half a beginning", service: "ec2", operation: "CreateTags", parameters: `{"resourcesSet":{"items":[{"resourceId":"tgw-attach-1"},{"resourceId":"vpce-svc-1"}]}}`,
			want: []string{"ec2:CreateTags ~arn:aws:ec2:eu-west-1:*:*"}},
		{name: "S12 profile of a launch configuration", service: "autoscaling", operation: "CreateLaunchConfiguration", parameters: `{"launchConfigurationName":"l","iamInstanceProfile":"p"}`,
			want: []string{"autoscaling:CreateLaunchConfiguration ~arn:aws:autoscaling:eu-west-1:222222222222:launchConfiguration:*:launchConfigurationName/l", anyRole}},
		{name: "S12 a profile's name is no role's", service: "elasticmapreduce", operation: "RunJobFlow", parameters: `{"name":"n","serviceRole":"` + role + `","jobFlowRole":"p"}`,
			want: []string{"elasticmapreduce:RunJobFlow ~arn:aws:elasticmapreduce:eu-west-1:222222222222:cluster/*", "iam:PassRole " + role, anyRole}},
		{name: "S12 other destinations", service: "firehose", operation: "CreateDeliveryStream", parameters: `{"deliveryStreamName":"d","redshiftDestinationConfiguration":{"roleARN":"` + role + `"}}`,
			want: []string{"firehose:CreateDeliveryStream arn:aws:firehose:eu-west-1:222222222222:deliverystream/d", "iam:PassRole " + role}},
		{name: "S12 MediaConvert", service: "mediaconvert", operation: "CreateJob", parameters: `{"queue":"q","role":"` + role + `"}`,
			want: []string{"mediaconvert:CreateJob arn:aws:mediaconvert:eu-west-1:222222222222:queues/q", "iam:PassRole " + role}},
		{name: "S12 Spot fleet", service: "ec2", operation: "RequestSpotFleet", parameters: `{"spotFleetRequestConfig":{"iamFleetRole":"` + role + `"}}`,
			want: []string{"ec2:RequestSpotFleet ~" + ec2 + "spot-fleet-request/*", "ec2:RequestSpotFleet ~arn:aws:ec2:eu-west-1::image/* ?", "ec2:RequestSpotFleet ~" + ec2 + "key-pair/* ?",
				"ec2:RequestSpotFleet ~" + ec2 + "launch-template/* ?", "ec2:RequestSpotFleet ~arn:aws:ec2:eu-west-1:*:placement-group/* ?", "ec2:RequestSpotFleet ~arn:aws:ec2:eu-west-1:*:security-group/* ?",
				"ec2:RequestSpotFleet ~arn:aws:ec2:eu-west-1::snapshot/* ?", "ec2:RequestSpotFleet ~arn:aws:ec2:eu-west-1:*:subnet/* ?", "iam:PassRole " + role}},
		{name: "T81 launch template", service: "autoscaling", operation: "UpdateAutoScalingGroup", parameters: `{"autoScalingGroupName":"g","launchTemplate":{"launchTemplateId":"lt-1"}}`,
			want: []string{"autoscaling:UpdateAutoScalingGroup ~arn:aws:autoscaling:eu-west-1:222222222222:autoScalingGroup:*:autoScalingGroupName/g", "ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:*", anyRole + " ?"}},
		{name: "T82.4 another account's root", service: "sts", operation: "AssumeRoot", parameters: `{"targetPrincipal":"333333333333"}`,
			want: []string{"sts:AssumeRoot arn:aws:iam::333333333333:root"}},
		{name: "T82.4 root by ARN", service: "sts", operation: "AssumeRoot", parameters: `{"targetPrincipal":"arn:aws:iam::333333333333:root"}`,
			want: []string{"sts:AssumeRoot arn:aws:iam::333333333333:root"}},
		{name: "T75 an alias is no bucket", service: "s3", operation: "ListObjects", parameters: `{"bucketName":"ap-1a2b-s3alias"}`, recorded: []string{"arn:aws:s3:::b"},
			want: []string{"s3:ListBucket ~arn:aws:s3:*:*:accesspoint/*"}},
		{name: "T75 the access point is recorded", service: "s3", operation: "ListObjects", parameters: `{"bucketName":"ap-1a2b-s3alias"}`,
			recorded: []string{"arn:aws:s3:::b", "arn:aws:s3:eu-west-1:222222222222:accesspoint/ap"},
			want:     []string{"s3:ListBucket arn:aws:s3:eu-west-1:222222222222:accesspoint/ap"}},
		{name: "T82.1 alias on Outposts", service: "s3", operation: "ListObjects", parameters: `{"bucketName":"ap-1a2b--op-s3"}`,
			want: []string{"s3-outposts:ListBucket ~arn:aws:s3-outposts:eu-west-1:*:outpost/*"}},
		{name: "T75 object through an alias", service: "s3", operation: "GetObjectAcl", parameters: `{"bucketName":"ap-1a2b-s3alias","key":"k"}`, recorded: []string{"arn:aws:s3:::b/k"},
			want: []string{"s3:GetObjectAcl ~arn:aws:s3:*:*:accesspoint/*/object/k"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := callOf(t, tt.service, tt.operation, tt.parameters)
			for _, arn := range tt.recorded {
				c.Resources = append(c.Resources, RecordedResource{ARN: arn})
			}
			if diff := cmp.Diff(tt.want, lines(Requests(c))); diff != "" {
				t.Errorf("requests (-want +got)\n%s", diff)
			}
		})
	}
}

// TestFlowLogs: what a flow log is made of is checked, too (T83).
func TestFlowLogs(t *testing.T) {
	for parameters, want := range map[string][]string{
		`{"CreateFlowLogsRequest":{"ResourceId":{"content":"vpc-1","tag":1}}}`: {"~arn:aws:ec2:eu-west-1:*:vpc/vpc-1"},
		`{"resourceIds":["subnet-1","tgw-attach-1"]}`:                          {"~arn:aws:ec2:eu-west-1:*:subnet/subnet-1", "~arn:aws:ec2:eu-west-1:*:* ?"},
	} {
		var got []string
		for _, r := range Requests(callOf(t, "ec2", "CreateFlowLogs", parameters)) {
			if r.Action == "ec2:CreateFlowLogs" {
				got = append(got, line(r)[len("ec2:CreateFlowLogs "):])
			}
		}
		want = append([]string{"~arn:aws:ec2:eu-west-1:222222222222:vpc-flow-log/*"}, want...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", parameters, diff)
		}
	}
}

// TestRestoredSnapshot: the cluster that a call makes isn't the one that the snapshot is of (T82).
func TestRestoredSnapshot(t *testing.T) {
	for parameters, want := range map[string]string{
		`{"clusterIdentifier":"new","snapshotIdentifier":"s"}`:                                   "*/s",
		`{"clusterIdentifier":"new","snapshotIdentifier":"s","snapshotClusterIdentifier":"old"}`: "old/s",
	} {
		got := lines(Requests(callOf(t, "redshift", "RestoreFromClusterSnapshot", parameters)))[:2]
		action := "redshift:RestoreFromClusterSnapshot "
		if diff := cmp.Diff([]string{action + "arn:aws:redshift:eu-west-1:222222222222:cluster:new", action + "~arn:aws:redshift:eu-west-1:*:snapshot:" + want}, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", parameters, diff)
		}
	}
}
