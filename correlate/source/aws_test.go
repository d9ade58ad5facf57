package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
)

// noAWS takes the machine's own AWS configuration away, and gives the one in config.
func noAWS(t *testing.T, config string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // which takes it back afterwards
			os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	file := filepath.Join(home, "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// TestCredentialErrors: what is missing is said in one line, with what to do.
func TestCredentialErrors(t *testing.T) {
	const config = `
[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Audit
region = eu-west-1
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile old]
sso_session = ended
sso_account_id = 111122223333
sso_role_name = Audit
region = eu-west-1
[sso-session ended]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile keys]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = secret
[profile mfa]
role_arn = arn:aws:iam::111122223333:role/Audit
source_profile = keys
mfa_serial = arn:aws:iam::111122223333:mfa/alice
region = eu-west-1
`
	for _, test := range []struct {
		name string
		aws  AWS
		want string
		call bool // AWS failed, rather than the user's input
	}{
		{"no credentials", AWS{Region: "eu-west-1"}, "no AWS credentials: set AWS_PROFILE or --profile", true},
		{"no such profile", AWS{Profile: "missing"}, "aws configure list-profiles", true},
		{"no SSO session", AWS{Profile: "sso"}, "; run: aws sso login --profile sso", true},
		{"SSO session that ended", AWS{Profile: "old"}, "; run: aws sso login --profile old", true},
		{"MFA without a terminal", AWS{Profile: "mfa"}, "MFA code", true},
		{"MFA, and no code", AWS{Profile: "mfa", MFAToken: func() (string, error) { return "", errors.New("nothing typed") }}, "nothing typed", true},
		{"no region", AWS{Profile: "keys"}, "no AWS region: give --region", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			noAWS(t, config)
			cachedToken(t, "ended", `{"accessToken":"x","expiresAt":"2020-01-01T00:00:00Z"}`)
			_, err := test.aws.config(t.Context(), "")
			var call *AWSError
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || errors.As(err, &call) != test.call {
				t.Errorf("%#v %v, want one line with %q", err, err, test.want)
			}
		})
	}
}

// cachedToken writes what aws sso login leaves behind for a session.
func cachedToken(t *testing.T, session, token string) {
	t.Helper()
	file, err := ssocreds.StandardCachedTokenFilepath(session)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSSOProfileOfTheEnvironment: the command to renew a session names its profile, however that was chosen.
func TestSSOProfileOfTheEnvironment(t *testing.T) {
	noAWS(t, "")
	if got := (AWS{}).ssoLogin(); got != "aws sso login" {
		t.Error(got)
	}
	t.Setenv("AWS_PROFILE", "corp")
	if got := (AWS{}).ssoLogin(); got != "aws sso login --profile corp" {
		t.Error(got)
	}
}

// TestMetadataService: where there is no instance's metadata, few attempts are made to find it.
func TestMetadataService(t *testing.T) {
	noAWS(t, "")
	os.Unsetenv("AWS_EC2_METADATA_DISABLED")
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Error(w, "no", http.StatusInternalServerError)
	}))
	defer server.Close()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	_, err := AWS{}.config(t.Context(), "eu-west-1")
	if err == nil || !strings.Contains(err.Error(), "no AWS credentials") {
		t.Errorf("%v", err)
	}
	if n := asked.Load(); n == 0 || n > 6 {
		t.Errorf("asked %d times, want 2 attempts at most, each after 2 at a token", n)
	}
}

// A counter is a credentials provider that counts how often it is asked.
type counter struct{ asked atomic.Int32 }

func (c *counter) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c.asked.Add(1)
	return credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "").Retrieve(ctx)
}

// TestShared: copies of one AWS log in once, for all regions; the region is the nearest that is named.
func TestShared(t *testing.T) {
	loads := 0
	creds := new(counter)
	a := AWS{Region: "eu-west-2", Load: func(context.Context) (aws.Config, error) {
		loads++
		return aws.Config{Region: "eu-west-3", Credentials: aws.NewCredentialsCache(creds)}, nil
	}}.Shared()
	for region, want := range map[string]string{"": "eu-west-2", "eu-west-1": "eu-west-1"} {
		cfg, err := a.Shared().config(t.Context(), region)
		if err != nil || cfg.Region != want {
			t.Errorf("config(%q): %q, %v, want %q", region, cfg.Region, err, want)
		}
		if _, err := cfg.Credentials.Retrieve(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n := creds.asked.Load(); loads != 1 || n != 1 {
		t.Errorf("loaded %d times, credentials asked for %d times, want once each", loads, n)
	}
	a.Region = ""
	if cfg, err := a.config(t.Context(), ""); err != nil || cfg.Region != "eu-west-3" {
		t.Errorf("%q, %v: want the profile's region", cfg.Region, err)
	}
}

// TestRole: --role-arn is assumed with the external id, once, with the credentials at hand.
func TestRole(t *testing.T) {
	var forms []string
	a := AWS{
		RoleARN: "arn:aws:iam::111122223333:role/Audit", ExternalID: "x-1",
		Load: func(context.Context) (aws.Config, error) {
			return aws.Config{Credentials: new(counter), HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
				form, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				forms = append(forms, string(form))
				const answer = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>`
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
			})}, nil
		},
	}.Shared()
	for _, region := range []string{"eu-west-1", "us-west-2"} {
		cfg, err := a.config(t.Context(), region)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := cfg.Credentials.Retrieve(t.Context()); err != nil || c.AccessKeyID != "ASIAIOSFODNN7EXAMPLE" {
			t.Errorf("credentials %v, %v", c.AccessKeyID, err)
		}
	}
	if len(forms) != 1 {
		t.Fatalf("assumed %d times, want once", len(forms))
	}
	for _, want := range []string{"Action=AssumeRole", "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FAudit", "ExternalId=x-1", "RoleSessionName=iamwhy"} {
		if !strings.Contains(forms[0], want) {
			t.Errorf("%s has no %s", forms[0], want)
		}
	}
}

// A doer is an HTTP client that is a function.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// TestCancelledLogin: a context that is done is no failure of AWS.
func TestCancelledLogin(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := AWS{Load: func(ctx context.Context) (aws.Config, error) { return aws.Config{}, ctx.Err() }}.config(ctx, "eu-west-1")
	var call *AWSError
	if !errors.Is(err, context.Canceled) || errors.As(err, &call) {
		t.Errorf("%v", err)
	}
}
