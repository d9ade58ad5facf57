package source

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// An AWS says with which credentials, and where, AWS is asked. The zero value asks as the
// environment and the default profile say.
type AWS struct {
	Profile string
	Region  string // where neither the source nor a filter names one; "" is the environment's or profile's

	RoleARN     string // is assumed first, unless ""
	ExternalID  string
	SessionName string

	// Load replaces the environment and profile, in tests.
	Load func(context.Context) (aws.Config, error)
}

// config returns how to ask AWS in a region; "" is the default one.
func (a AWS) config(ctx context.Context, region string) (aws.Config, error) {
	load := a.Load
	if load == nil {
		load = func(ctx context.Context) (aws.Config, error) {
			return config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(a.Profile))
		}
	}
	cfg, err := load(ctx)
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS configuration: %w", err)
	}
	if a.Region != "" {
		cfg.Region = a.Region
	}
	if region != "" {
		cfg.Region = region
	}
	if a.RoleARN != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), a.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = a.SessionName
			if a.SessionName == "" {
				o.RoleSessionName = "iamwhy"
			}
			if a.ExternalID != "" {
				o.ExternalID = aws.String(a.ExternalID)
			}
		}))
	}
	return cfg, nil
}
