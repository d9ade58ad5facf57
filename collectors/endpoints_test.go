package collectors

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator"
)

// xmlReply is an answer of EC2's, in its namespace.
func xmlReply(operation, inner string) awsfake.Reply {
	const name = "Response"
	return awsfake.Reply{Body: []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<" + operation + name +
		` xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>19a9ff46-7df6-49b8-9726-3df27527089d</requestId>` + inner + "</" + operation + name + ">")}
}

// ec2Denial is how EC2 says that the caller may not.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/query-api-troubleshooting.html
func ec2Denial(c *awsfake.Call) awsfake.Reply {
	return awsfake.Error("UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::111122223333:user/u is not authorized to perform: ec2:"+c.Operation+" because no identity-based policy allows the ec2:"+c.Operation+" action")
}

// endpointPages answers DescribeVpcEndpoints with these pages, each given by its items.
func endpointPages(pages ...string) awsfake.Handler {
	return func(c *awsfake.Call) awsfake.Reply {
		n := 0
		if token := c.Form.Get("NextToken"); token != "" {
			if _, err := fmt.Sscanf(token, "page-%d/+=", &n); err != nil || n >= len(pages) {
				return awsfake.Error("InvalidNextToken", "The token '"+token+"' is invalid")
			}
		}
		inner := "<vpcEndpointSet>" + pages[n] + "</vpcEndpointSet>"
		if n+1 < len(pages) {
			inner += fmt.Sprintf("<nextToken>page-%d/+=</nextToken>", n+1)
		}
		return xmlReply(c.Operation, inner)
	}
}

// The first is as AWS's sample has it, which was before there were types.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html
const (
	sampleEndpoint = `<item>
		<policyDocument>{"Version":"2008-10-17","Statement":[{"Sid":"A&amp;B","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}</policyDocument>
		<routeTableIdSet><item>rtb-3d560345</item></routeTableIdSet>
		<vpcEndpointId>vpce-32d6425b</vpcEndpointId><vpcId>vpc-1a2b3c4d</vpcId><state>available</state>
		<serviceName>com.amazonaws.us-east-1.s3</serviceName><creationTimestamp>2014-12-11T12:13:14Z</creationTimestamp></item>`
	interfaceEndpoint = `<item><vpcEndpointId>vpce-0b2c</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType><vpcId>vpc-1a2b3c4d</vpcId>
		<serviceName>com.amazonaws.us-east-1.kms</serviceName><ownerId>111122223333</ownerId>
		<policyDocument>{ "Statement": [] , "Version": "2012-10-17" }</policyDocument></item>`
	plainEndpoint  = `<item><vpcEndpointId>vpce-0c3d</vpcEndpointId><vpcEndpointType>GatewayLoadBalancer</vpcEndpointType><ownerId>111122223333</ownerId></item>`
	brokenEndpoint = `<item><vpcEndpointId>vpce-0d4e</vpcEndpointId><vpcEndpointType>Gateway</vpcEndpointType><policyDocument>{"Statement":</policyDocument></item>`
)

// newCollection is one that asks f, and no more of the frame than that.
func newCollection(f *awsfake.Fake) *collection {
	return &collection{
		cfg: f.Config(testRegion), account: testAccount, region: testRegion, partition: "aws", regional: true,
		regions: []string{"eu-central-1", "us-east-1"}, limit: 3, found: new(found),
	}
}

// gather runs one part against f.
func gather(p part, f *awsfake.Fake) *collection {
	c := newCollection(f)
	p.collect(context.Background(), c)
	return c
}

func TestEndpoints(t *testing.T) {
	f := awsfake.New()
	f.Handle("ec2", "DescribeVpcEndpoints", endpointPages(sampleEndpoint+interfaceEndpoint, plainEndpoint, brokenEndpoint))
	c := gather(endpointsPart, f)
	if len(c.gaps) > 0 {
		t.Errorf("gaps: %+v", c.gaps)
	}
	want := []string{
		`{"id":"vpce-32d6425b","serviceName":"com.amazonaws.us-east-1.s3","type":"","vpcId":"vpc-1a2b3c4d","ownerId":"","policy":{"Version":"2008-10-17","Statement":[{"Sid":"A&B","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}}`,
		`{"id":"vpce-0b2c","serviceName":"com.amazonaws.us-east-1.kms","type":"Interface","vpcId":"vpc-1a2b3c4d","ownerId":"111122223333","policy":{"Statement":[],"Version":"2012-10-17"}}`,
		`{"id":"vpce-0c3d","serviceName":"","type":"GatewayLoadBalancer","vpcId":"","ownerId":"111122223333","policy":null}`,
		`{"id":"vpce-0d4e","serviceName":"","type":"Gateway","vpcId":"","ownerId":"","policy":"{\"Statement\":"}`,
	}
	if diff := cmp.Diff(want, texts(c)); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	if call := f.Calls()[0]; call.Region != "eu-west-1" || call.Request.Host != "ec2.eu-west-1.amazonaws.com" || call.Form.Get("Version") != ec2Version {
		t.Errorf("the first call is to %s in %s: %v", call.Request.Host, call.Region, call.Form)
	}
}

// texts are the entries of a part that is one list.
func texts(c *collection) []string {
	var list []string
	for _, e := range c.lists[""] {
		list = append(list, string(e.text))
	}
	return list
}

// TestEndpointsLoad: what is collected, in two regions, is what package snapshot reads.
func TestEndpointsLoad(t *testing.T) {
	f := awsfake.New()
	f.Handle("ec2", "DescribeVpcEndpoints", func(c *awsfake.Call) awsfake.Reply {
		if c.Region == "eu-central-1" {
			return endpointPages(plainEndpoint)(c)
		}
		return endpointPages(sampleEndpoint, interfaceEndpoint)(c)
	})
	got := collectPart(t, f, &endpointsPart, testRegion, "eu-central-1")
	if got.record.Status != statusOK {
		t.Fatalf("record %+v", got.record)
	}
	for id, want := range map[string]evaluator.LayerState{
		"vpce-32d6425b": evaluator.Applies,
		"vpce-0b2c":     evaluator.Applies,
		"vpce-0c3d":     evaluator.Applies, // by its default policy (E12)
		"vpce-other":    evaluator.NotCollected,
	} {
		req := evaluator.Request{Action: "s3:GetObject"}
		req.Context.Set("aws:SourceVpce", id)
		policies, _ := got.snapshot.Policies(t.Context(), req)
		if policies.Endpoint.State != want {
			t.Errorf("policy of %s: state %v, want %v (%s)", id, policies.Endpoint.State, want, policies.Endpoint.Missing)
		}
	}
}

// TestEndpointsDenied: a region that is denied makes the part denied, and the other's endpoints are there.
func TestEndpointsDenied(t *testing.T) {
	f := awsfake.New()
	f.Handle("ec2", "DescribeVpcEndpoints", endpointPages(sampleEndpoint))
	f.Fail(awsfake.Fault{Region: "eu-central-1", Reply: ec2Denial})
	got := collectPart(t, f, &endpointsPart, testRegion, "eu-central-1")
	if r := got.record; r.Status != statusDenied || len(r.Gaps) != 1 || r.Gaps[0].Region != "eu-central-1" || !strings.Contains(r.Reason, "ec2:DescribeVpcEndpoints") {
		t.Errorf("record %+v", r)
	}
	if text := got.own(t, &endpointsPart); !strings.Contains(text, "vpce-32d6425b") {
		t.Errorf("endpoints.json is %q", text)
	}
}

// TestEndpointsFail: what was got before a call failed is kept, and the gap says what failed.
func TestEndpointsFail(t *testing.T) {
	tests := []struct {
		name    string
		fault   awsfake.Fault
		entries int
		status  string // "" for no gap
		reason  string
	}{
		{"denied", awsfake.Fault{Reply: ec2Denial}, 0, statusDenied, "You are not authorized to perform this operation."},
		{"denied on the second page", awsfake.Fault{Nth: 2, Reply: ec2Denial}, 1, statusDenied, "You are not authorized"},
		{"throttled once", awsfake.Fault{Nth: 1, Reply: limitExceeded}, 2, "", ""},
		{"throttled always", awsfake.Fault{Reply: limitExceeded}, 0, statusError, "RequestLimitExceeded: Request limit exceeded."},
		{"a region that is off", awsfake.Fault{Reply: authFailure}, 0, statusError, "AuthFailure: AWS was not able to validate the provided access credentials"},
		{"unavailable once", awsfake.Fault{Nth: 2, Reply: unavailable}, 2, "", ""},
		{"no error of EC2's", awsfake.Fault{Reply: proxyPage}, 0, statusError, "HTTP status 407: and no error of EC2's in it"},
		{"half an answer", awsfake.Fault{Reply: awsfake.Garble}, 0, statusError, "the answer isn't the XML that EC2 gives: XML syntax error on line 1: unexpected EOF"},
		{"one page for ever", awsfake.Fault{Reply: samePage}, 2, statusError, "EC2 gave one page twice; collect again"},
		{"larger than any", awsfake.Fault{Reply: endless}, 0, statusError, "the answer is larger than 64 MB, which none is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := awsfake.New()
			f.Handle("ec2", "DescribeVpcEndpoints", endpointPages(sampleEndpoint, interfaceEndpoint))
			f.Fail(tt.fault)
			c := gather(endpointsPart, f)
			if got := len(c.lists[""]); got != tt.entries {
				t.Errorf("%d endpoints, want %d", got, tt.entries)
			}
			if tt.status == "" {
				if len(c.gaps) > 0 {
					t.Errorf("gaps: %+v", c.gaps)
				}
				return
			}
			if len(c.gaps) != 1 {
				t.Fatalf("gaps: %+v, want one", c.gaps)
			}
			g := c.gaps[0]
			if g.Status != tt.status || !strings.HasPrefix(g.Reason, tt.reason) || g.Action != "ec2:DescribeVpcEndpoints" || g.Region != "eu-west-1" {
				t.Errorf("gap %+v, want %s: %s", g, tt.status, tt.reason)
			}
		})
	}
}

func limitExceeded(*awsfake.Call) awsfake.Reply {
	return awsfake.Error("RequestLimitExceeded", "Request limit exceeded.")
}

func authFailure(*awsfake.Call) awsfake.Reply {
	return awsfake.Error("AuthFailure", "AWS was not able to validate the provided access credentials")
}

func unavailable(*awsfake.Call) awsfake.Reply {
	return awsfake.Reply{Status: http.StatusServiceUnavailable}
}

func proxyPage(*awsfake.Call) awsfake.Reply {
	return awsfake.Reply{Status: http.StatusProxyAuthRequired, Body: []byte("<html><body>Who are you?</body></html>")}
}

func samePage(c *awsfake.Call) awsfake.Reply {
	return xmlReply(c.Operation, "<vpcEndpointSet>"+sampleEndpoint+"</vpcEndpointSet><nextToken>again</nextToken>")
}

func endless(*awsfake.Call) awsfake.Reply { return awsfake.Reply{Body: make([]byte, maxEC2Answer+1)} }

// TestThrottledAttempts: a call is tried as often as the configuration says, and no more.
func TestThrottledAttempts(t *testing.T) {
	f := awsfake.New()
	f.Fail(awsfake.Fault{Reply: limitExceeded})
	gather(endpointsPart, f)
	if got := len(f.Calls()); got != 3 {
		t.Errorf("%d calls, want the 3 of the retryer", got)
	}
}

// TestRetryer: without a retryer of its own, a configuration's mode and number of attempts count.
func TestRetryer(t *testing.T) {
	tests := []struct {
		name string
		cfg  aws.Config
		want int
	}{
		{"nothing said", aws.Config{}, 3},
		{"attempts", aws.Config{RetryMaxAttempts: 7}, 7},
		{"adaptive", aws.Config{RetryMode: aws.RetryModeAdaptive, RetryMaxAttempts: 10}, 10},
	}
	for _, tt := range tests {
		if got := retryerOf(tt.cfg).MaxAttempts(); got != tt.want {
			t.Errorf("%s: %d attempts, want %d", tt.name, got, tt.want)
		}
	}
}

func TestCancelled(t *testing.T) {
	f := awsfake.New()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := enabledRegions(ctx, f.Config("eu-west-1"))
	if !errors.Is(err, context.Canceled) || len(f.Calls()) > 0 {
		t.Errorf("error %v after %d calls, want that of the context, and none", err, len(f.Calls()))
	}
}

func TestEnabledRegions(t *testing.T) {
	f := awsfake.New()
	f.Handle("ec2", "DescribeRegions", func(c *awsfake.Call) awsfake.Reply {
		if c.Form.Get("AllRegions") != "" {
			return awsfake.Error("InvalidParameter", "those that are off aren't wanted")
		}
		return xmlReply(c.Operation, `<regionInfo>
			<item><regionName>us-east-1</regionName><regionEndpoint>ec2.us-east-1.amazonaws.com</regionEndpoint><optInStatus>opt-in-not-required</optInStatus></item>
			<item><regionName>af-south-1</regionName><regionEndpoint>ec2.af-south-1.amazonaws.com</regionEndpoint><optInStatus>opted-in</optInStatus></item></regionInfo>`)
	})
	got, err := enabledRegions(context.Background(), f.Config("eu-west-1"))
	if diff := cmp.Diff([]string{"af-south-1", "us-east-1"}, got); diff != "" || err != nil {
		t.Errorf("error %v, regions (-want +got):\n%s", err, diff)
	}
	f.Fail(awsfake.Fault{Reply: ec2Denial})
	_, err = enabledRegions(context.Background(), f.Config("eu-west-1"))
	var op *smithy.OperationError
	if !isDenied(err) || !errors.As(err, &op) || op.Operation() != "DescribeRegions" {
		t.Errorf("error %v, want a denial of DescribeRegions", err)
	}
}

// TestEC2Endpoint: the environment's endpoint counts, else the region's by its partition.
//
// https://docs.aws.amazon.com/general/latest/gr/ec2-service.html
func TestEC2Endpoint(t *testing.T) {
	env := func(v endpointEnv) []any { return []any{v} }
	tests := []struct {
		name string
		cfg  aws.Config
		want string
	}{
		{"a region", aws.Config{Region: "eu-west-1"}, "https://ec2.eu-west-1.amazonaws.com/"},
		{"us-east-1", aws.Config{Region: "us-east-1"}, "https://ec2.us-east-1.amazonaws.com/"},
		{"China", aws.Config{Region: "cn-north-1"}, "https://ec2.cn-north-1.amazonaws.com.cn/"},
		{"GovCloud", aws.Config{Region: "us-gov-west-1"}, "https://ec2.us-gov-west-1.amazonaws.com/"},
		{"FIPS", aws.Config{Region: "us-east-2", ConfigSources: env(endpointEnv{fips: true})}, "https://ec2-fips.us-east-2.amazonaws.com/"},
		{"dual-stack", aws.Config{Region: "eu-west-1", ConfigSources: env(endpointEnv{dual: true})}, "https://ec2.eu-west-1.api.aws/"},
		{"AWS_ENDPOINT_URL", aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1:5000")}, "http://127.0.0.1:5000"},
		{"AWS_ENDPOINT_URL_EC2", aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1:5000"), ConfigSources: env(endpointEnv{ec2: "http://127.0.0.1:6000"})}, "http://127.0.0.1:6000"},
	}
	for _, tt := range tests {
		if got, err := ec2Endpoint(context.Background(), tt.cfg); got != tt.want || err != nil {
			t.Errorf("%s: endpoint %q, error %v, want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := ec2Endpoint(context.Background(), aws.Config{}); err == nil {
		t.Error("no region: no error")
	}
}

// An endpointEnv is what config.EnvConfig says of endpoints.
type endpointEnv struct {
	ec2        string
	fips, dual bool
}

func (e endpointEnv) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	return e.ec2, sdkID == "EC2" && e.ec2 != "", nil
}

func (e endpointEnv) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	if e.fips {
		return aws.FIPSEndpointStateEnabled, true, nil
	}
	return aws.FIPSEndpointStateUnset, false, nil
}

func (e endpointEnv) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	if e.dual {
		return aws.DualStackEndpointStateEnabled, true, nil
	}
	return aws.DualStackEndpointStateUnset, false, nil
}

// TestEndpointPolicies: whatever the document, it arrives as it was, or as a string.
func TestEndpointPolicies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sid := rapid.StringMatching(`[A-Za-z0-9<>&"' %+é-]{0,20}`).Draw(t, "sid")
		doc, err := json.Marshal(map[string]any{"Statement": []any{map[string]string{"Sid": sid}}})
		if err != nil {
			t.Fatal(err)
		}
		var escaped strings.Builder
		if err := xml.EscapeText(&escaped, doc); err != nil {
			t.Fatal(err)
		}
		f := awsfake.New()
		f.Handle("ec2", "DescribeVpcEndpoints", endpointPages("<item><vpcEndpointId>vpce-1</vpcEndpointId><policyDocument>"+escaped.String()+"</policyDocument></item>"))
		c := gather(endpointsPart, f)
		var got endpointItem
		if len(c.lists[""]) != 1 {
			t.Fatalf("%d endpoints, want 1; gaps %+v", len(c.lists[""]), c.gaps)
		}
		if err := json.Unmarshal(c.lists[""][0].text, &got); err != nil {
			t.Fatal(err)
		}
		var back struct{ Statement []struct{ Sid string } }
		if err := json.Unmarshal(got.Policy, &back); err != nil || len(back.Statement) != 1 || back.Statement[0].Sid != sid {
			t.Errorf("policy %s of Sid %q (%v)", got.Policy, sid, err)
		}
	})
}

// TestEndpointsOnMoto asks a moto server, whose URL IAMWHY_MOTO is.
func TestEndpointsOnMoto(t *testing.T) {
	url := os.Getenv("IAMWHY_MOTO")
	if url == "" {
		t.Skip("IAMWHY_MOTO isn't set: it is the URL of a moto server")
	}
	cfg := awsfake.New().Config("eu-west-1")
	cfg.HTTPClient, cfg.BaseEndpoint = http.DefaultClient, &url
	regions, err := enabledRegions(context.Background(), cfg)
	if err != nil || len(regions) < 10 {
		t.Errorf("regions %v, error %v", regions, err)
	}
	client, err := newEC2(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var vpc struct {
		ID string `xml:"vpc>vpcId"`
	}
	if err := client.ask(context.Background(), "CreateVpc", map[string][]string{"CidrBlock": {"10.0.0.0/16"}}, &vpc); err != nil {
		t.Fatal(err)
	}
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`
	params := map[string][]string{"VpcId": {vpc.ID}, "ServiceName": {"com.amazonaws.eu-west-1.s3"}, "PolicyDocument": {policy}}
	if err := client.ask(context.Background(), "CreateVpcEndpoint", params, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	found := false
	err = describeVpcEndpoints(context.Background(), cfg, func(e vpcEndpoint) { found = found || e.VPC == vpc.ID && e.Policy == policy })
	if err != nil || !found {
		t.Errorf("the endpoint was made, and isn't found (%v)", err)
	}
}

// TestEC2Socket: the same call over a socket, as a command that is run as a whole makes it.
func TestEC2Socket(t *testing.T) {
	f := awsfake.New()
	f.Handle("ec2", "DescribeVpcEndpoints", endpointPages(sampleEndpoint))
	server := httptest.NewServer(f)
	defer server.Close()
	cfg := f.Config("eu-west-1")
	cfg.HTTPClient, cfg.BaseEndpoint = server.Client(), &server.URL
	n := 0
	if err := describeVpcEndpoints(context.Background(), cfg, func(vpcEndpoint) { n++ }); n != 1 || err != nil {
		t.Errorf("%d endpoints, error %v", n, err)
	}
}
