package collectors

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// This file enters accounts: whose credentials they are, the role in each, and how
// many calls at once.

// A caller is who asks, as AWS knows them.
type caller struct {
	arn, account, partition string
}

// A CallError is a call without which nothing can be collected.
type CallError struct {
	Action string // sts:GetCallerIdentity
	Err    error  // the SDK's
}

// Error says what AWS said, in one line.
func (e *CallError) Error() string { return e.Action + ": " + reasonOf(e.Err) }

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// whoAsks asks AWS who the caller is, which needs no permission.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func whoAsks(ctx context.Context, cfg aws.Config) (caller, error) {
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return caller{}, &CallError{"sts:GetCallerIdentity", err}
	}
	c := caller{arn: aws.ToString(out.Arn), account: aws.ToString(out.Account)}
	fields := strings.SplitN(c.arn, ":", 3)
	if len(fields) < 3 || c.account == "" {
		return caller{}, &CallError{"sts:GetCallerIdentity", fmt.Errorf("the answer has no ARN and account: %q", c.arn)}
	}
	c.partition = fields[1]
	return c, nil
}

// roleIn is the ARN of the role to assume in an account.
func (o *Options) roleIn(partition, account string) string {
	return "arn:" + partition + ":iam::" + account + ":role/" + strings.TrimPrefix(cmp.Or(o.RoleName, defaultRole), "/")
}

// defaultRole is the role that Organizations makes in the accounts that it creates, for the management account.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
const defaultRole = "OrganizationAccountAccessRole"

// enter returns the configuration that asks as the role in an account. In the caller's own
// account it asks as the caller.
func (o *Options) enter(ctx context.Context, who caller, account string) (aws.Config, error) {
	cfg := o.Config.Copy()
	if account == who.account {
		return cfg, nil
	}
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(o.Config), o.roleIn(who.partition, account), func(a *stscreds.AssumeRoleOptions) {
		a.RoleSessionName = cmp.Or(o.SessionName, "iamwhy")
		if o.ExternalID != "" {
			a.ExternalID = aws.String(o.ExternalID)
		}
	})
	cfg.Credentials = aws.NewCredentialsCache(provider)
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, err
	}
	return cfg, nil
}

// limits are how many calls are made at once to each service of one account.
type limits struct {
	most int

	mu    sync.Mutex
	slots map[string]chan struct{} // by part
}

// of returns a configuration whose clients share the slots of one part.
func (l *limits) of(cfg aws.Config, partName string, calls *atomic.Int64) aws.Config {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slots == nil {
		l.slots = make(map[string]chan struct{})
	}
	if l.slots[partName] == nil {
		l.slots[partName] = make(chan struct{}, l.most)
	}
	cfg = cfg.Copy()
	cfg.HTTPClient = &limited{client: cfg.HTTPClient, slots: l.slots[partName], calls: calls}
	return cfg
}

// limited is an HTTP client that makes so many calls at once and no more. A call that
// waits to be tried again has no slot.
type limited struct {
	client aws.HTTPClient
	slots  chan struct{}
	calls  *atomic.Int64
}

// Do makes a call once there is a slot.
func (l *limited) Do(r *http.Request) (*http.Response, error) {
	select {
	case l.slots <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-l.slots }()
	l.calls.Add(1)
	return l.client.Do(r)
}
