package apicall

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator"
)

// TestNothingLost: what a call needs beside what its parameters name plainly (T81, T83, T85).
func TestNothingLost(t *testing.T) {
	anyKey := "~arn:aws:kms:eu-west-1:*:key/*"
	tests := []struct {
		name, service, operation, parameters string
		want                                 []string
	}{
		{"T85 hidden key among others", "s3", "DeleteObjects", `{"bucketName":"b","delete":{"objects":[{"key":"x"},{"key":"***"}]}}`, []string{
			"s3:DeleteObject arn:aws:s3:::b/x", "s3:DeleteObject ~arn:aws:s3:::b/*"}},
		{"S41, S24 the source's key", "s3", "CopyObject", `{"bucketName":"b","key":"k","x-amz-copy-source":"s/k","x-amz-server-side-encryption-aws-kms-key-id":"1-2"}`, []string{
			"s3:PutObject arn:aws:s3:::b/k", "s3:GetObject arn:aws:s3:::s/k", "kms:GenerateDataKey arn:aws:kms:eu-west-1:222222222222:key/1-2", "kms:Decrypt " + anyKey + " ?"}},
		{"T81 encrypted with a key not named", "s3", "PutObject", `{"bucketName":"b","key":"k","x-amz-server-side-encryption":"aws:kms"}`, []string{
			"s3:PutObject arn:aws:s3:::b/k", "kms:GenerateDataKey " + anyKey}},
		{"S24 multipart", "s3", "UploadPart", `{"bucketName":"b","key":"k"}`, []string{
			"s3:PutObject arn:aws:s3:::b/k", "kms:GenerateDataKey " + anyKey + " ?", "kms:Decrypt " + anyKey + " ?"}},
		{"S43 empty objects are nothing; a template's profile", "ec2", "RunInstances", `{"instancesSet":{"items":[{"imageId":"ami-1"}]},"iamInstanceProfile":{},"launchTemplate":{}}`, []string{
			"ec2:RunInstances ~arn:aws:ec2:eu-west-1:222222222222:instance/*", "ec2:RunInstances arn:aws:ec2:eu-west-1::image/ami-1",
			"ec2:RunInstances ~arn:aws:ec2:eu-west-1:222222222222:network-interface/*", "ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:subnet/*",
			"ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:security-group/*", "ec2:RunInstances ~arn:aws:ec2:eu-west-1:222222222222:volume/*",
			"kms:CreateGrant " + anyKey + " ?", "kms:GenerateDataKeyWithoutPlaintext " + anyKey + " ?"}},
		{"T78 tags in a request object", "ec2", "CreateNatGateway", `{"CreateNatGatewayRequest":{"SubnetId":"subnet-1","TagSpecification":{"ResourceType":"natgateway","tag":1,"Tag":[{"Key":"a","Value":"b","tag":1}]}}}`, []string{
			"ec2:CreateNatGateway ~arn:aws:ec2:eu-west-1:222222222222:natgateway/*", "ec2:CreateNatGateway ~arn:aws:ec2:eu-west-1:*:subnet/subnet-1",
			"ec2:CreateTags ~arn:aws:ec2:eu-west-1:222222222222:natgateway/*"}},
		{"T83 optional, not given", "ec2", "DetachVolume", `{"volumeId":"vol-1"}`, []string{"ec2:DetachVolume arn:aws:ec2:eu-west-1:222222222222:volume/vol-1"}},
		{"T83 optional, given", "rds", "CreateDBInstance", `{"dBInstanceIdentifier":"a","dBSubnetGroupName":"s"}`, []string{
			"rds:CreateDBInstance arn:aws:rds:eu-west-1:222222222222:db:a", "rds:CreateDBInstance arn:aws:rds:eu-west-1:222222222222:subgrp:s",
			"rds:CreateDBInstance ~arn:aws:rds:eu-west-1:222222222222:pg:default* ?", "rds:CreateDBInstance ~arn:aws:rds:eu-west-1:222222222222:og:default* ?",
			"kms:CreateGrant " + anyKey + " ?", "kms:Decrypt " + anyKey + " ?", "kms:DescribeKey " + anyKey + " ?", "kms:GenerateDataKey " + anyKey + " ?", "rds:CreateTenantDatabase ~* ?",
			"secretsmanager:CreateSecret ~arn:aws:secretsmanager:*:*:secret:* ?", "secretsmanager:TagResource ~arn:aws:secretsmanager:*:*:secret:* ?"}},
		{"R10 by the service reference", "ec2", "DescribeNetworkInterfaceAttribute", `{"networkInterfaceId":"eni-1"}`, []string{"ec2:DescribeNetworkInterfaceAttribute *"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(Requests(callOf(t, tt.service, tt.operation, tt.parameters)))); diff != "" {
				t.Errorf("requests (-want +got)\n%s", diff)
			}
		})
	}
}

// TestManyKeys: what is beyond the bound stays as a pattern.
func TestManyKeys(t *testing.T) {
	var keys []string
	for i := range maxKeys + 50 {
		keys = append(keys, fmt.Sprintf(`{"key":"k%d"}`, i))
	}
	got := Requests(callOf(t, "s3", "DeleteObjects", `{"bucketName":"b","delete":{"objects":[`+strings.Join(keys, ",")+`]}}`))
	if len(got) != maxKeys+1 || line(got[maxKeys]) != "s3:DeleteObject ~arn:aws:s3:::b/*" {
		t.Errorf("got %d requests, the last %s", len(got), line(got[len(got)-1]))
	}
}

// TestTags: the shapes in which services record tags (T86).
func TestTags(t *testing.T) {
	tests := []struct {
		service, operation, parameters string
		want                           map[string]string
	}{
		{"kms", "TagResource", `{"tags":[{"tagKey":"a","tagValue":"b"}]}`, map[string]string{"aws:RequestTag/a": "b", "aws:TagKeys": "a"}},
		{"autoscaling", "CreateAutoScalingGroup", `{"tags":[{"key":"a","value":"b","resourceId":"g","resourceType":"t"}]}`, map[string]string{"aws:RequestTag/a": "b", "aws:TagKeys": "a"}},
		{"ec2", "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"vol-1"}]},"tagSet":{"items":[{"key":"a","value":"b"}]}}`, map[string]string{"ec2:Region": "eu-west-1", "ec2:CreateAction": "", "ec2:VolumeID": "vol-1", "aws:RequestTag/a": "b", "aws:TagKeys": "a"}},
		{"lambda", "CreateFunction", `{"tags":{"Dept":"a","dept":"b","x":"y"}}`, map[string]string{"aws:RequestTag/Dept": "?", "aws:RequestTag/x": "y", "aws:TagKeys": "Dept,dept,x", "lambda:CodeSigningConfigArn": ""}}, // rule C3
		{"ec2", "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"vol-1"}]},"tagSet":{"items":[{"key":"a","value":"b"},{"key":"A","value":"b"}]}}`, map[string]string{"ec2:Region": "eu-west-1", "ec2:CreateAction": "", "ec2:VolumeID": "vol-1", "aws:RequestTag/A": "?", "aws:TagKeys": "A,a"}},
		{"kms", "Encrypt", `{"encryptionContext":{"App":"a","app":"b"}}`, map[string]string{"kms:EncryptionContext:App": "?", "kms:EncryptionContextKeys": "App,app", "aws:TagKeys": ""}},
		{"ec2", "CreateNatGateway", `{"CreateNatGatewayRequest":{"TagSpecification":{"ResourceType":"natgateway","Tag":[{"Key":"a","Value":"b","tag":1}]}}}`, map[string]string{"ec2:Region": "eu-west-1", "aws:RequestTag/a": "b", "aws:TagKeys": "a"}},
		{"ec2", "RunInstances", `{"launchTemplate":{"launchTemplateId":"lt-1"}}`, map[string]string{"ec2:Region": "eu-west-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.service+" "+tt.operation, func(t *testing.T) {
			got := map[string]string{}
			for _, v := range Requests(callOf(t, tt.service, tt.operation, tt.parameters))[0].Context {
				got[v.Name] = strings.Join(v.Values, ",")
				if v.State == evaluator.PresentUnknown {
					got[v.Name] = "?"
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("keys (-want +got)\n%s", diff)
			}
		})
	}
}

// TestPassedTo: which service gets a role is there even if nobody knows which it is (S12).
func TestPassedTo(t *testing.T) {
	got := Requests(callOf(t, "rds", "AddRoleToDBCluster", `{"dBClusterIdentifier":"c","roleArn":"arn:aws:iam::222222222222:role/r"}`))
	want := []evaluator.ContextValue{{Name: "iam:PassedToService", State: evaluator.PresentUnknown}}
	if diff := cmp.Diff(want, got[len(got)-1].Context); diff != "" {
		t.Errorf("context (-want +got)\n%s", diff)
	}
}
